import numpy as np
import pandas as pd
import pytest

from experiments.findings.conditions import Condition, bounded, every, together


@pytest.mark.parametrize(
    ("values", "bounds", "holds", "evidence"),
    [
        (0.2, {"most": 0.3}, True, "0.2, needed ≤ 0.3"),
        (0.3, {"most": 0.3}, True, "0.3, needed ≤ 0.3"),
        (0.3, {"below": 0.3}, False, "0.3, needed < 0.3"),
        (0.3, {"least": 0.3}, True, "0.3, needed ≥ 0.3"),
        (0.3, {"above": 0.3}, False, "0.3, needed > 0.3"),
        ([0.5, 2.0, 1.0], {"least": 0.5, "most": 2}, True, "0.5 to 2 in 3 values, needed ≥ 0.5 and ≤ 2"),
        ([0.5, 2.1], {"least": 0.5, "most": 2}, False, "0.5 to 2.1 in 2 values, needed ≥ 0.5 and ≤ 2"),
        ([0.1, np.nan], {"most": 1}, False, "0.1 in 2 values, 1 not a number, needed ≤ 1"),
        ([np.nan, np.nan], {"most": 1}, False, "no number in 2 values, needed ≤ 1"),
        (float("nan"), {"above": 0}, False, "no number, needed > 0"),
        ([np.inf], {"most": 1}, False, "inf, needed ≤ 1"),
        ([], {"most": 1}, None, "no value, needed ≤ 1"),
        (pd.Series([], dtype=float), {"below": 1}, None, "no value, needed < 1"),
        (pd.DataFrame({"low": [0.9], "high": [1.3]}), {"most": 1.25}, False, "0.9 to 1.3 in 2 values, needed ≤ 1.25"),
        (pd.Series([0.5, None], dtype="Float64"), {"most": 1}, False, "0.5 in 2 values, 1 not a number, needed ≤ 1"),
    ],
)
def test_values_lie_between_bounds_and_what_is_no_number_lies_nowhere(values, bounds, holds, evidence):
    condition = bounded("near", values, **bounds)
    assert condition == Condition("near", holds, evidence)


def test_values_without_a_bound_are_no_condition():
    with pytest.raises(ValueError, match="needs a bound"):
        bounded("near", 1.0)


@pytest.mark.parametrize(
    ("marks", "holds", "evidence"),
    [
        ([True, np.True_], True, "in 2 of 2 seeds"),
        ([True, False], False, "in 1 of 2 seeds"),
        ([True, None], False, "in 1 of 2 seeds"),
        (pd.Series([True, np.nan], dtype=object), False, "in 1 of 2 seeds"),
        (pd.Series([True, None], dtype="boolean"), False, "in 1 of 2 seeds"),
        ([], None, "in 0 of 0 seeds"),
        (pd.Series([], dtype=bool), None, "in 0 of 0 seeds"),
    ],
)
def test_every_case_counts_and_a_missing_one_is_not_true(marks, holds, evidence):
    assert every("ordered", marks, "seeds") == Condition("ordered", holds, evidence)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [([True, True], True), ([True, None], None), ([None, False], False), ([True, False], False), ([], None), ([None], None)],
)
def test_conditions_hold_together_or_not(outcomes, expected):
    assert together([Condition("a", holds, "b") for holds in outcomes]) is expected


def test_a_condition_has_a_name_and_evidence_and_a_plain_truth_value():
    assert Condition("a", np.True_, "b").holds is True  # type: ignore[arg-type]
    for name, evidence in (("", "b"), ("a", "")):
        with pytest.raises(ValueError, match="needs a name and evidence"):
            Condition(name, True, evidence)
