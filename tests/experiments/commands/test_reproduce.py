"""`gradstab reproduce` from the command line's point of view, on a small finding of a user's own."""

import json
from pathlib import Path

import pytest

from experiments.atlas import judging
from experiments.cli import main
from experiments.commands import reproduce
from experiments.config.paths import REFERENCE
from experiments.findings import published
from experiments.store.reading import load
from tests.experiments.atlas import own
from tests.processes import ROOT


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    own.write(tmp_path / "mine")
    return tmp_path


def reproduced(*arguments: str) -> int:
    return main(["reproduce", "--findings", "mine", "--quick", *arguments])


def test_it_writes_the_page_the_verdicts_the_summary_and_prints_a_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduced() == 0
    out = capsys.readouterr().out
    assert "RELU-KEEPS" in out
    assert "reproduced" in out
    folder = here / "results" / "atlas"
    (entry,) = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    assert (entry["id"], entry["verdict"], entry["n"]) == ("relu_keeps", "reproduced", 3)
    assert entry["command"] == "gradstab reproduce --finding relu_keeps --quick --findings mine"
    assert entry["low"] < entry["measured"] < entry["high"]
    runs = load(folder / "runs").runs
    assert entry["measured"] == pytest.approx(float(runs["delta_factor"].prod() ** (1 / 3)), rel=1e-12)
    assert 'id="relu_keeps"' in (folder / "atlas.html").read_text(encoding="utf-8")
    assert "RELU-KEEPS" in (folder / "summary.md").read_text(encoding="utf-8")


def test_the_same_again_runs_nothing_and_other_seeds_are_added(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduced() == 0
    first = (here / "results/atlas/verdicts.json").read_bytes()
    tables = (here / "results/atlas/runs/layers.parquet").read_bytes()
    capsys.readouterr()
    assert reproduced() == 0
    assert "3 runs, 3 done before" in capsys.readouterr().out
    assert (here / "results/atlas/verdicts.json").read_bytes() == first
    assert (here / "results/atlas/runs/layers.parquet").read_bytes() == tables
    assert main(["reproduce", "--findings", "mine", "--full"]) == 0
    assert "12 runs, 3 done before" in capsys.readouterr().out


def test_an_override_wins_over_the_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduced("depth=4", "name=other", "--json") == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["command"].endswith("--findings mine depth=4 name=other")
    assert load(here / "results" / "other" / "runs").runs["depth"].tolist() == [4, 4, 4]


def reference_says(verdict: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(json.dumps([{"id": "relu_keeps", "verdict": verdict, "data": "digits"}]), encoding="utf-8")
    monkeypatch.setattr(reproduce.judging, "reference", lambda read=judging.reference: read(path))


@pytest.mark.parametrize(
    ("within", "was", "code"), [(0.6, "reproduced", 0), (1e-6, "reproduced", 1), (1e-6, "caveat", 1), (1e-6, "not_reproduced", 0)]
)
def test_it_exits_with_1_and_names_what_is_no_longer_reproduced(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, within: float, was: str, code: int
) -> None:
    own.write(here / "mine", within=within)
    reference_says(was, here / "reference.json", monkeypatch)
    assert reproduced() == code
    named = "RELU-KEEPS is no longer reproduced (not_reproduced)" in capsys.readouterr().err
    assert named == (code == 1)
    assert ('role="alert"' in (here / "results/atlas/atlas.html").read_text(encoding="utf-8")) == named


def test_broken_code_of_a_finding_costs_that_finding_and_exits_with_1(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.write(here / "mine", name="broken", code="def estimate(results, finding):\n    raise KeyError('depth')\n")
    assert reproduced() == 1
    entries = json.loads((here / "results/atlas/verdicts.json").read_text(encoding="utf-8"))
    assert {entry["id"]: entry["verdict"] for entry in entries} == {"broken": "not_testable", "relu_keeps": "reproduced"}
    assert "BROKEN: its estimate failed: KeyError: 'depth'" in capsys.readouterr().err


def test_an_own_figure_is_drawn(here: Path) -> None:
    code = own.CODE.replace("n=len(runs))", 'n=len(runs), tables={"numbers": runs[["depth"]].assign(measured=runs["delta_factor"])})')
    own.write(here / "mine", code=code + own.FIGURE)
    assert reproduced() == 0
    assert (here / "results/atlas/figures/relu_keeps.png").is_file()
    assert "What is seen." in (here / "results/atlas/atlas.html").read_text(encoding="utf-8")


def test_a_dry_run_runs_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduced("--dry-run") == 0
    assert "3 runs" in capsys.readouterr().out
    assert not (here / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--finding", "f_nothing"], "unknown finding 'f_nothing'"),
        (["finding=f_nothing"], "unknown finding 'f_nothing'"),
        (["--quick", "--full"], "not allowed with"),
        (["f_phase"], "'f_phase' is no override; expected key=value, or --finding f_phase"),
        (["--findings", "nowhere"], "--findings nowhere does not exist"),
        (["--finding", "s_vanish", "dpeth=3"], "s_vanish, sweep depths: unknown key `dpeth`"),
        (["--finding", "s_vanish", "depth=-3"], "s_vanish, sweep depths: `depth` must be"),
    ],
)
def test_bad_input_is_one_line(here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert main(["reproduce", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not (here / "results").exists()


def test_the_reference_is_of_this_catalogue_and_its_controls_are_refuted() -> None:
    before = judging.reference()
    known = {path.stem for path in Path(published.__path__[0]).glob("*.py")} - {"__init__"}
    assert set(before) <= known
    assert before, f"{REFERENCE} holds no verdicts.json"
    assert all(entry["verdict"] == "refuted" for entry in before.values() if entry["control"])
    assert (REFERENCE / "summary.md").read_text(encoding="utf-8") == judging.summary(list(before.values()))
    assert ROOT / "results" / "reference" == REFERENCE


@pytest.mark.slow
def test_a_quick_run_agrees_with_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "--quick"]) == 0, "a finding that the reference settles came out otherwise"
    before = judging.reference()
    for entry in json.loads((tmp_path / "results/atlas/verdicts.json").read_text(encoding="utf-8")):
        was = before.get(entry["id"])
        if was is None or was["quantity"] != entry["quantity"] or None in (was["low"], was["high"], entry["low"], entry["high"]):
            continue
        assert entry["low"] <= was["high"], entry["id"]
        assert was["low"] <= entry["high"], entry["id"]
