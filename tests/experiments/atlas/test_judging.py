import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.atlas import judging
from experiments.atlas.catalogue import select
from experiments.atlas.judging import COLUMNS, Judged, lost, reference, row, summary, table
from experiments.errors import UserError
from experiments.findings.conditions import Condition
from experiments.findings.finding import VERDICTS, Estimate, Judgement
from tests.experiments.findings.tables import geometric, results

ENTRY = select(["s_vanish"])[0]


def judgement(verdict: str) -> Judgement:
    sound, broken = Condition("sound", True, "3 of 3"), Condition("narrow", False, "0.4, needed < 0.3")
    conditions = (sound,) if verdict in ("reproduced", "caveat") else (sound, broken)
    return Judgement(verdict, conditions, (sound,) if verdict == "refuted" else ())


def entry_of(verdict: str, name: str = "f_x") -> dict[str, Any]:
    estimate = Estimate(judgement(verdict), "because", "factor", 1.0, None, 0.5, 0.4, math.inf, "95 %", 3)
    return row(Judged(replace(ENTRY, finding=replace(ENTRY.finding, id=name)), estimate, "gradstab reproduce --finding f_x", "digits"))


def test_an_entry_has_every_key_and_is_json() -> None:
    entry = entry_of("reproduced")
    assert list(entry) == list(COLUMNS)
    assert {
        "id",
        "claim",
        "source",
        "certainty",
        "published",
        "theory",
        "measured",
        "low",
        "high",
        "n",
        "verdict",
        "reason",
        "command",
    } <= set(entry)
    assert entry["theory"] is None
    assert entry["high"] is None
    assert json.loads(judging.as_json([entry])) == [entry]


@pytest.mark.parametrize("was", VERDICTS)
@pytest.mark.parametrize("now", VERDICTS)
def test_only_what_the_reference_settles_can_be_lost(was: str, now: str) -> None:
    lines = lost([entry_of(now)], {"f_x": entry_of(was)})
    settled = {"reproduced": {"reproduced", "caveat"}, "caveat": {"reproduced", "caveat"}, "refuted": {"refuted"}}
    assert bool(lines) == (was in settled and now not in settled[was])
    if lines:
        assert lines[0].startswith(f"F-X is no longer {'refuted' if was == 'refuted' else 'reproduced'} ({now})")


def test_a_finding_that_the_reference_does_not_know_cannot_be_lost() -> None:
    assert lost([entry_of("not_reproduced")], {}) == []


def test_a_finding_whose_code_fails_is_not_testable_and_says_so() -> None:
    def broken(_results: Any, _finding: Any) -> Estimate:
        raise KeyError("depth")

    judged = judging.judge(replace(ENTRY, estimate=broken), {"depths": results(geometric(0.5, 3))}, "command")
    assert judged.estimate.verdict == "not_testable"
    assert "KeyError" in judged.broken


def test_failed_runs_are_left_out_and_said() -> None:
    runs = geometric(0.3, 4)
    runs[0]["status"] = "failed"
    judged = judging.judge(ENTRY, {"depths": results(runs)}, "command")
    assert judged.estimate.n == 5
    assert "1 of 6 runs failed" in judged.estimate.reason
    for run in runs:
        run["status"] = "failed"
    assert judging.judge(ENTRY, {"depths": results(runs)}, "command").estimate.verdict == "not_testable"


def test_the_conditions_stand_in_the_entry_and_those_that_fail_in_the_summary() -> None:
    entry = entry_of("not_reproduced", "f_a")
    assert entry["conditions"] == [
        {"name": "sound", "holds": True, "evidence": "3 of 3"},
        {"name": "narrow", "holds": False, "evidence": "0.4, needed < 0.3"},
    ]
    assert entry["against"] == []
    assert "because Fails: narrow (0.4, needed < 0.3)." in summary([entry])
    assert "Fails" not in summary([entry_of("reproduced")])
    assert "Fails: narrow" in lost([entry], {"f_a": entry_of("reproduced", "f_a")})[0]


def test_an_entry_from_before_there_were_conditions_is_still_read(tmp_path: Path) -> None:
    old = {name: value for name, value in entry_of("reproduced").items() if name not in ("conditions", "against")}
    path = tmp_path / "verdicts.json"
    path.write_text(judging.as_json([old]), encoding="utf-8")
    before = reference(path)
    assert "F-X" in summary(list(before.values()))
    assert lost([entry_of("reproduced")], before) == []
    assert len(lost([entry_of("not_reproduced")], before)) == 1


def test_the_tables_have_a_line_a_finding() -> None:
    rows = [entry_of("reproduced", "f_a"), entry_of("not_testable", "f_b")]
    assert len(table(rows).splitlines()) == 3
    assert "F-A" in table(rows)
    markdown = summary(rows).splitlines()
    assert sum(line.startswith("| F-") for line in markdown) == 2
    assert sum(line.startswith("- **F-") for line in markdown) == 2


def test_a_reference_is_read_missing_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.json"
    assert reference(path) == {}
    path.write_text(judging.as_json([entry_of("reproduced")]), encoding="utf-8")
    assert reference(path)["f_x"]["verdict"] == "reproduced"
    path.write_text("[{}]", encoding="utf-8")
    with pytest.raises(UserError, match="cannot read the reference"):
        reference(path)


def test_what_was_measured_on_other_data_is_not_compared() -> None:
    assert lost([entry_of("not_reproduced")], {"f_x": entry_of("reproduced")})
    assert lost([entry_of("not_reproduced")], {"f_x": {**entry_of("reproduced"), "data": "mnist (test)"}}) == []
