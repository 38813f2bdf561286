"""What holds for every finding of the package: its files go together, and its claims are stated in full."""

import ast
from pathlib import Path

import pytest

from experiments.atlas import catalogue
from experiments.atlas.catalogue import FOLDER, select
from experiments.atlas.judging import judge
from experiments.findings import figures, published
from tests.experiments.findings.cases import CASES, tables

IDS = catalogue.ids()
ROOT = Path(published.__path__[0])


def test_every_module_has_a_conf_file_and_the_other_way_round() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} - {"__init__"} == set(IDS)
    assert {path.stem for path in Path(figures.__path__[0]).glob("*.py")} - {"__init__"} <= set(IDS)


@pytest.mark.parametrize("name", IDS)
def test_a_finding_is_complete(name: str) -> None:
    (entry,) = select([name])
    finding = entry.finding
    assert finding.sweeps
    assert finding.knobs
    assert len(finding.claim) <= 240, "the claim is one sentence"
    assert finding.claim.endswith((".", "?", "”"))
    text = f"{finding.accept} {finding.refuted_if}"
    for threshold in finding.thresholds:
        assert f"`{threshold}`" in text, f"the rule does not name its number `{threshold}`"
    assert entry.draw is not None, "add experiments/findings/figures/<id>.py with draw(tables) and caption(tables)"
    assert entry.caption is not None


@pytest.mark.parametrize("name", IDS)
def test_every_threshold_is_used_and_no_number_of_a_rule_hides_in_the_code(name: str) -> None:
    source = (ROOT / f"{name}.py").read_text(encoding="utf-8")
    asked = {
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "threshold"
        and isinstance(node.args[0], ast.Constant)
    }
    assert asked == set(select([name])[0].finding.thresholds)


@pytest.mark.parametrize("name", IDS)
def test_a_findings_conf_opens_with_its_command(name: str) -> None:
    first = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# gradstab reproduce --finding {name}"


@pytest.mark.parametrize("name", IDS)
def test_a_finding_holds_on_one_table_and_fails_on_another(name: str, tmp_path: Path) -> None:
    assert name in CASES, "add a table where it holds and one where it fails to tests/experiments/findings/cases.py"
    (entry,) = select([name])
    held, failed = (judge(entry, tables(make, tmp_path), "command") for make in (CASES[name].holds, CASES[name].fails))
    assert (held.broken, failed.broken) == ("", "")
    assert held.estimate.verdict in ("reproduced", "caveat")
    assert failed.estimate.verdict == ("refuted" if entry.finding.control else "not_reproduced")
    assert all(condition.holds for condition in held.estimate.judgement.conditions)
    assert any(condition.holds is False for condition in failed.estimate.judgement.conditions)
    names = [condition.name for condition in held.estimate.judgement.conditions]
    assert len(set(names)) == len(names), "two conditions have one name"


def test_there_is_no_table_without_a_finding() -> None:
    assert set(CASES) == set(IDS)
