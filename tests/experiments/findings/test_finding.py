from dataclasses import replace

import pytest

from experiments.atlas.catalogue import select
from experiments.findings.finding import CERTAINTIES, Estimate, not_testable

FINDING = select(["s_vanish"])[0].finding


@pytest.mark.parametrize(
    ("holds", "contradicted", "control", "caveat", "verdict"),
    [
        (True, False, False, "", "reproduced"),
        (True, False, False, "other data", "caveat"),
        (True, False, True, "", "reproduced"),
        (False, True, True, "", "refuted"),
        (False, False, True, "", "not_reproduced"),
        (False, True, False, "", "not_reproduced"),
        (False, False, False, "other data", "not_reproduced"),
    ],
)
def test_the_verdict_follows_from_the_rules_outcome(holds: bool, contradicted: bool, control: bool, caveat: str, verdict: str) -> None:
    assert replace(FINDING, control=control).verdict(holds, contradicted, caveat) == verdict


def test_a_conf_files_caveat_counts() -> None:
    assert replace(FINDING, caveat="at small widths").verdict(True) == "caveat"


def test_a_rule_cannot_hold_and_be_contradicted() -> None:
    with pytest.raises(ValueError, match="both holds and is contradicted"):
        FINDING.verdict(True, True)


def test_a_finding_is_displayed_in_capitals() -> None:
    assert replace(FINDING, id="f_nielsen_init").label == "F-NIELSEN-INIT"


@pytest.mark.parametrize(
    ("verdict", "reason", "numbers", "message"),
    [
        ("true", "so", {}, "must be one of"),
        ("reproduced", "", {}, "one sentence"),
        ("reproduced", "so", {"measured": 2.0, "low": 0.5, "high": 1.5}, "must lie in its interval"),
    ],
)
def test_an_estimate_refuses_what_cannot_be(verdict: str, reason: str, numbers: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Estimate(verdict, reason, **numbers)


def test_an_interval_may_be_missing() -> None:
    assert Estimate("reproduced", "so", measured=2.0, low=float("nan"), high=None).measured == 2.0
    assert not_testable("no runs", 3).n == 3


def test_certainties_are_those_of_the_catalogue() -> None:
    assert set(CERTAINTIES) == {"read", "secondary", "recalled", "derived"}
