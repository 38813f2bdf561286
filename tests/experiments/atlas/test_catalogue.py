from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from experiments.atlas.catalogue import ids, read, select
from experiments.errors import UserError
from tests.experiments.atlas import own
from tests.experiments.helpers import ROOT


def test_the_claims_of_the_slides_come_first() -> None:
    names = ids()
    assert names == sorted(names, key=lambda name: (not name.startswith("s_"), name))
    assert "s_vanish" in names


@pytest.mark.parametrize("name", ["f_phase", "F-PHASE", " f-phase "])
def test_names_are_understood_as_they_are_displayed(name: str) -> None:
    assert [entry.finding.id for entry in select([name])] == ["f_phase"]


def test_findings_come_in_the_pages_order_and_once() -> None:
    assert [entry.finding.id for entry in select(["f_phase", "s_vanish", "f_phase"])] == ["s_vanish", "f_phase"]


def test_a_folder_of_the_users_is_taken_alone_or_mixed(tmp_path: Path) -> None:
    folder = own.write(tmp_path / "mine")
    assert [entry.finding.id for entry in select(None, folder)] == ["relu_keeps"]
    mixed = select(["s_vanish", "relu_keeps"], folder)
    assert [entry.finding.id for entry in mixed] == ["relu_keeps", "s_vanish"]
    assert [entry.origin for entry in mixed] == [folder, None]


def test_an_own_finding_takes_the_place_of_the_packages(tmp_path: Path) -> None:
    folder = own.write(tmp_path / "mine", name="s_vanish")
    assert select(["s_vanish"], folder)[0].finding.title == "ReLU keeps δ"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: ReLU keeps δ", "", "lacks the key `title`"),
        ("title: ReLU keeps δ", "title: ''", "`title` must be a text that is not empty"),
        ("certainty: derived", "certainty: sure", "`certainty` must be of read, secondary, recalled, derived, got 'sure'"),
        ("[init, activation]", "[init, luck]", "`knobs` must be of .* got 'luck'"),
        ("[init, activation]", "init", "`knobs` must be a list, got 'init'"),
        ("title:", "colour: red\ntitle:", "unknown key 'colour'"),
        ("value: 0.6, ", "", "`thresholds.within` must be"),
        ('["depth=3", "seed=range(3)"]', "[depth]", "`sweeps.nets.quick` must be a list of Hydra overrides"),
        ("quick:", "quickly:", "`sweeps.nets.quickly` is unknown"),
        ("overrides:", "data:", "with the key `overrides`"),
        ("title:", "title: [", "cannot read .*; expected YAML"),
    ],
)
def test_a_wrong_conf_file_is_one_line_that_names_the_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = own.write(tmp_path / "mine")
    path = folder / "relu_keeps.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"unknown finding 'f_phas'; did you mean f_phase\?"):
        select(["f_phas"])
    with pytest.raises(UserError, match="names no finding"):
        select([""])
    with pytest.raises(UserError, match="does not exist"):
        select(None, tmp_path / "nowhere")
    with pytest.raises(UserError, match="holds no finding"):
        select(None, tmp_path)
    folder = own.write(tmp_path / "mine", code="import nothing_of_that_name\n")
    with pytest.raises(UserError, match=r"cannot import .*relu_keeps.py: ModuleNotFoundError"):
        select(None, folder)
    own.write(folder, code="x = 1\n")
    with pytest.raises(UserError, match="has no function estimate"):
        select(None, folder)
    (folder / "relu_keeps.py").unlink()
    with pytest.raises(UserError, match="has no module"):
        select(None, folder)


def test_a_figure_takes_the_tables_alone_or_the_finding_too() -> None:
    (entry,) = select(["s_vanish"])
    seen: list[tuple[Any, ...]] = []

    def alone(tables: Any) -> Figure:
        seen.append((tables,))
        return Figure()

    def both(tables: Any, finding: Any) -> Figure:
        seen.append((tables, finding))
        return Figure()

    tables = {"numbers": pd.DataFrame()}
    for draw in (alone, both):
        replace(entry, draw=draw).figure(tables)
    assert seen == [(tables,), (tables, entry.finding)]
    assert replace(entry, caption=lambda tables: f"{len(tables)} table").words(tables) == "1 table"
    assert replace(entry, caption=lambda tables, finding: finding.id).words(tables) == "s_vanish"
    assert replace(entry, caption=None).words(tables) == ""
    with pytest.raises(ValueError, match="s_vanish has no draw"):
        replace(entry, draw=None).figure(tables)


def test_the_example_of_the_docs_is_the_one_that_the_tests_run() -> None:
    text = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in text.split("```python\n")[1:]]
    assert blocks[-1].strip() == own.CODE.strip()
