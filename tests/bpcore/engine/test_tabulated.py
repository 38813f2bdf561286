"""The tabulated tanh: its error in units of the last place, its limits, and that an entry does not know its neighbors."""

import numpy as np
import pytest

from bpcore.engine.tabulated import tanh_by_table
from tests.oracles import Array


def tanh(z: Array) -> Array:
    out = np.empty_like(z)
    tanh_by_table(z, out)
    return out


def units_off(z: Array) -> Array:
    exact = np.tanh(z.astype(np.longdouble))
    return np.asarray(np.abs(tanh(z) - exact) / np.spacing(np.abs(np.tanh(z))), dtype=np.float64)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="no wider type to compare with")
@pytest.mark.parametrize("scale", [1e-300, 1e-8, 0.02, 0.3, 1.0, 5.0])
def test_it_errs_by_four_units_in_the_last_place_at_most(scale: float) -> None:
    z = np.random.default_rng(0).standard_normal((4, 50, 100)) * scale
    assert units_off(z).max() < 4


def test_limits_signs_and_what_is_not_a_number() -> None:
    z = np.array([[0.0, np.inf, -np.inf, np.nan, 700.0, -1e300, 5e-324]])
    np.testing.assert_array_equal(tanh(z), [[0.0, 1.0, -1.0, np.nan, 1.0, -1.0, 5e-324]])
    z = np.linspace(-30, 30, 60001)[None]
    assert (np.abs(tanh(z)) <= 1).all()
    np.testing.assert_array_equal(tanh(-z), -tanh(z))


def test_an_entry_has_the_same_bits_wherever_it_stands() -> None:
    z = np.random.default_rng(1).standard_normal((7, 61, 97)) * 3  # runs longer than, and not a multiple of, a chunk
    together = tanh(z)
    for run in range(7):
        assert np.array_equal(tanh(z[run : run + 1].copy()), together[run : run + 1])
    assert np.array_equal(tanh(z[:, :3, :5].copy()), together[:, :3, :5])
