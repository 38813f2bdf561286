"""What a finding is given of the tables of all: keys are numbers where its own runs have numbers."""

import pandas as pd

from experiments.atlas.parts import _in_numbers


def test_a_key_is_a_number_where_only_others_have_lists() -> None:
    runs = pd.DataFrame(
        {"run_id": ["12", "34"], "width": ["64", "128"], "skip.scale": ["0.5", None], "skip": ["none", "none"]}, dtype="str"
    )
    own = _in_numbers(runs)
    assert own["width"].tolist() == [64, 128]
    assert own["width"].dtype == "int64"
    assert own["skip.scale"].dtype == "float64"
    assert own["skip.scale"].iloc[0] == 0.5
    assert (own["run_id"].tolist(), own["skip"].tolist()) == (["12", "34"], ["none", "none"])
    lists = _in_numbers(runs.assign(width=pd.Series(["64", "[64, 32]"], dtype="str")))
    assert lists["width"].tolist() == ["64", "[64, 32]"]
