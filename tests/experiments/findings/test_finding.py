from dataclasses import replace
from typing import Any

import pytest

from experiments.atlas.catalogue import select
from experiments.findings.conditions import Condition
from experiments.findings.finding import CERTAINTIES, Estimate, Judgement, not_testable

FINDING = select(["s_vanish"])[0].finding


def condition(holds: bool | None, name: str = "it is so") -> Condition:
    return Condition(name, holds, "1 of 1")


@pytest.mark.parametrize(
    ("holds", "contradicted", "control", "caveat", "verdict"),
    [
        (True, False, False, "", "reproduced"),
        (True, False, False, "other data", "caveat"),
        (True, False, True, "", "reproduced"),
        (False, True, True, "", "refuted"),
        (False, False, True, "", "not_reproduced"),
        (False, None, True, "", "not_reproduced"),
        (False, True, False, "", "not_reproduced"),
        (False, False, False, "other data", "not_reproduced"),
        (None, False, False, "", "not_testable"),
        (None, None, True, "other data", "not_testable"),
    ],
)
def test_the_verdict_follows_from_the_rules_outcome(
    holds: bool | None, contradicted: bool | None, control: bool, caveat: str, verdict: str
) -> None:
    judgement = replace(FINDING, control=control).verdict([condition(True), condition(holds)], [condition(contradicted)], caveat)
    assert judgement.verdict == verdict
    assert [one.holds for one in judgement.conditions] == [True, holds]


def test_one_condition_that_fails_outweighs_one_that_is_undecided() -> None:
    assert FINDING.verdict([condition(None), condition(False), condition(True)]).verdict == "not_reproduced"


def test_a_conf_files_caveat_counts() -> None:
    assert replace(FINDING, caveat="at small widths").verdict([condition(True)]).verdict == "caveat"


def test_a_rule_cannot_hold_and_be_contradicted() -> None:
    with pytest.raises(ValueError, match="both holds and is contradicted"):
        FINDING.verdict([condition(True)], [condition(True)])


def test_a_verdict_of_no_condition_is_refused() -> None:
    with pytest.raises(ValueError, match="a rule without conditions decides nothing"):
        FINDING.verdict([])
    for verdict in ("reproduced", "caveat"):
        with pytest.raises(ValueError, match=f"`{verdict}` needs conditions that all hold; not so: there is none"):
            Judgement(verdict)
        with pytest.raises(ValueError, match="not so: the other"):
            Judgement(verdict, (condition(True), condition(None, "the other")))
    with pytest.raises(ValueError, match="`refuted` needs conditions"):
        Judgement("refuted", (condition(False),))
    with pytest.raises(ValueError, match="`not_reproduced` needs a condition that fails"):
        Judgement("not_reproduced", (condition(None),))


@pytest.mark.parametrize("given", [True, condition(True), "yes", [True]])
def test_a_bare_truth_value_is_no_condition(given: Any) -> None:
    with pytest.raises(TypeError, match=r"takes a list \[Condition\(name, holds, evidence\), …\], got "):
        FINDING.verdict(given)


def test_a_finding_is_displayed_in_capitals() -> None:
    assert replace(FINDING, id="f_nielsen_init").label == "F-NIELSEN-INIT"


@pytest.mark.parametrize(
    ("verdict", "reason", "numbers", "message"),
    [
        ("reproduced", "", {}, "one sentence"),
        ("reproduced", "so", {"measured": 2.0, "low": 0.5, "high": 1.5}, "must lie in its interval"),
    ],
)
def test_an_estimate_refuses_what_cannot_be(verdict: str, reason: str, numbers: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Estimate(Judgement(verdict, (condition(True),)), reason, **numbers)


def test_a_verdict_is_one_of_a_few_words() -> None:
    with pytest.raises(ValueError, match="must be one of"):
        Judgement("true", (condition(True),))
    with pytest.raises(TypeError, match="`judgement` must be what"):
        Estimate("reproduced", "so")  # type: ignore[arg-type]


def test_an_interval_may_be_missing() -> None:
    assert Estimate(Judgement("reproduced", (condition(True),)), "so", measured=2.0, low=float("nan"), high=None).measured == 2.0
    assert not_testable("no runs", 3).n == 3


def test_certainties_are_those_of_the_catalogue() -> None:
    assert set(CERTAINTIES) == {"read", "secondary", "recalled", "derived"}
