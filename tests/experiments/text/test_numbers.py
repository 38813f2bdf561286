import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.text.numbers import MISSING, count, from_log, grouped, interval, label, missing, number, percent, tick


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.23149, "0.231"),
        (20, "20"),
        (20.0, "20"),
        (np.int64(1234567), "1234567"),
        (np.float32(0.5), "0.5"),
        (4381.4, "4381"),
        (99999.6, "1e5"),
        (593123.0, "5.93e5"),
        (-3.534e-7, "-3.53e-7"),
        (1.04e20, "1.04e20"),
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "4.94e-324"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, MISSING),
        (None, MISSING),
        (pd.NA, MISSING),
        (pd.NaT, MISSING),
        (np.float64("nan"), MISSING),
        (True, "true"),
        (np.False_, "false"),
    ],
)
def test_a_number_in_three_digits(value, text):
    assert number(value) == text


def test_digits_and_powers_set_as_in_print():
    assert [number(value, 6) for value in (0.1 + 0.2, -12.0, 1e-17, 123456789.0, -0.0)] == ["0.3", "-12", "1e-17", "1.23457e8", "0"]
    assert number(3.534e-7, typeset=True) == "3.53·10⁻⁷"
    assert number(1e200, typeset=True) == "10²⁰⁰"
    assert number(0.25, typeset=True) == "0.25"


@given(st.floats(-1e300, 1e300, allow_subnormal=False), st.integers(1, 12))
def test_what_is_written_is_the_number_to_its_digits(value, digits):
    assert float(number(value, digits)) == pytest.approx(value, rel=0.5 * 10.0 ** (1 - digits) * (1 + 1e-9), abs=0)


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (1e-5, "1e-5"), (1e6, "1e6"), (20, "20"), ("relu", "relu"), (True, "true"), (None, MISSING)]
)
def test_a_setting_is_written_as_it_is_typed(value, text):
    assert label(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01, "0.01"), (1.0, "1"), (50.0, "50"), (1e-7, "10⁻⁷"), (3e5, "3·10⁵"), (0.0, ""), (-1.0, ""), (math.inf, ""), (5e-324, "10⁻³²⁴")],
)
def test_ticks_of_a_logarithmic_axis(value, text):
    assert tick(value) == text


@given(st.floats(-600, 600))
def test_a_number_given_by_its_logarithm_is_that_number(log):
    assert from_log(log) == number(math.exp(log))


def test_beyond_floats_the_power_is_written():
    assert from_log(400 * math.log(10)) == "10^400"
    assert from_log(-400 * math.log(10)) == "10^-400"


def test_an_interval_has_a_dash_unless_that_would_be_a_second_minus():
    assert interval(0.2181, 0.2393) == "0.218–0.239"
    assert interval(-0.2, 0.1) == "-0.2 to 0.1"
    assert interval(-0.2, -0.1) == "-0.2 to -0.1"
    assert interval(math.nan, 1.0) == interval(1.0, None) == MISSING


def test_shares_and_counts():
    assert [percent(0.617), percent(0.617, 1), percent(math.nan)] == ["62 %", "61.7 %", MISSING]
    assert [count(0, "run"), count(1, "run"), count(10000, "finished run")] == ["0 runs", "1 run", "10 000 finished runs"]
    assert count(2, "product of Jacobians") == "2 products of Jacobians"
    assert grouped(1234567) == "1 234 567"


@given(st.one_of(st.none(), st.floats(), st.integers(), st.text(), st.just(pd.NA)))
def test_missing_is_what_pandas_takes_for_missing(value):
    assert missing(value) == bool(pd.isna(value))


@given(st.floats())
def test_no_number_has_a_padded_or_signed_exponent(value):
    assert not re.search(r"e\+|e-?0", number(value))
