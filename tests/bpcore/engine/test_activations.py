"""Activations in place: what is written into buffers is what the textbook returns, also where nobody wrote a twin."""

from dataclasses import replace

import numpy as np
import pytest

from bpcore import activations
from bpcore.activations import Activation, Bounds
from bpcore.engine.activations import in_place
from tests.bpcore.cases import ACTIVATIONS

ALL = [*(factory() for factory in ACTIVATIONS.values()), *(activations.leaky_relu(alpha) for alpha in (-0.5, 0.0, 1.0, 3.0))]
HOMOGENEOUS = Activation(
    "mine", lambda z: np.where(z > 0, 2 * z, -z), lambda z: np.where(z > 0, 2, -1).astype(z.dtype), (0.0,), Bounds(-1, 2), (-1, 2), True
)
ALL += [replace(activations.tanh(), name="mine", value=np.arctan, prime=lambda z: 1 / (1 + z * z)), HOMOGENEOUS]


def both(phi: Activation, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, slope = np.empty((z.shape[0], z.shape[1] + 1, z.shape[2]), dtype=z.dtype)[:, :-1], np.empty_like(z)
    twin = in_place(phi)
    twin.value(z, a)
    twin.prime(z, a, slope)
    return a, slope


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("phi", ALL, ids=lambda phi: f"{phi.name}-{phi.bounds}")
def test_what_is_written_into_buffers_is_what_is_returned(phi: Activation, dtype: str) -> None:
    """φ′ from φ loses ten bits at most: where it would lose more it is computed from z."""
    eps = float(np.finfo(dtype).eps)
    z = np.concatenate([np.linspace(-40, 40, 801), np.geomspace(1e-30, 1, 50)]).astype(dtype).reshape(1, 23, 37)
    a, slope = both(phi, z)
    np.testing.assert_allclose(a, phi.value(z), rtol=4 * eps)
    np.testing.assert_allclose(slope, phi.prime(z), rtol=2**10 * 4 * eps)


@pytest.mark.parametrize("phi", [phi for phi in ALL if phi.kinks], ids=lambda phi: f"{phi.name}-{phi.bounds}")
def test_at_a_kink_the_slope_is_that_from_the_left(phi: Activation) -> None:
    z = np.array(phi.kinks)[None, None]
    np.testing.assert_array_equal(both(phi, z)[1], phi.prime(z))


@pytest.mark.parametrize("phi", ALL, ids=lambda phi: f"{phi.name}-{phi.bounds}")
def test_what_is_not_a_number_stays_so(phi: Activation) -> None:
    assert np.isnan(both(phi, np.full((1, 1, 1), np.nan))[0]).all()


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
def test_a_twin_belongs_to_both_functions_of_a_formula(name: str) -> None:
    """A slope that somebody replaced is the one that is used: no name and no value stands for it."""
    phi = ACTIVATIONS[name]()
    z = np.linspace(-3, 3, 12).reshape(1, 3, 4)
    own = replace(phi, prime=lambda z: np.full_like(z, 0.7))
    a, slope = both(own, z)
    np.testing.assert_allclose(a, phi.value(z), rtol=1e-15)
    assert (slope == 0.7).all()
