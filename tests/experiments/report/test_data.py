from pathlib import Path

import pytest

from experiments.compose.composition import compose, runs_of
from experiments.report.data import tell_data
from tests.experiments.datasets.tables import flats


def test_each_note_is_told_once_and_beside_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides = ["data=table", f"data.path={flats(tmp_path)}", "data.target=price", "loss=mse", "seed=0,1", "data.scale=1,2"]
    runs, _ = runs_of(compose(["--multirun"], overrides))
    tell_data(runs)
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert "gradstab: data: 'kind' is one-hot: loft, new, old" in lines
    assert len(lines) == len(set(lines)) == 3


def test_data_without_notes_are_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    runs, _ = runs_of(compose([], ["data.n_samples=20"]))
    tell_data(runs)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["skip=preactivation", "width=[6,6,5,5,4]"], "skip: no skip into 2 layers of width=[6, 6, 5, 5, 4]: 3, 5, whose sizes differ"),
        (["skip=block", "activation=[tanh,relu,sigmoid]"], "skip: layers 1, 3 hold sums, and have no activation"),
        (["skip=preactivation", "width=6"], ""),
    ],
)
def test_a_residual_net_says_where_it_has_no_skip(words, said, capsys):
    runs, _ = runs_of(compose([], words))
    tell_data(runs)
    assert capsys.readouterr().err == (f"gradstab: {said}\n" if said else "")
