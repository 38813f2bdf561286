"""Losses in one go: value and error are those computed apart, also where nobody wrote a twin."""

from dataclasses import replace

import numpy as np
import pytest

from bpcore.activations import identity
from bpcore.engine.losses import mean_and_delta
from tests.bpcore.cases import LOSSES


@pytest.mark.parametrize("m", [1, 2, 31])
@pytest.mark.parametrize("name", LOSSES)
def test_value_and_error_in_one_go_are_those_computed_apart(name: str, m: int) -> None:
    generator = np.random.default_rng(0)
    z, y = generator.standard_normal((3, 10, m)) * 3, generator.uniform(0.1, 0.9, (1, 10, m))
    y /= y.sum(axis=-2, keepdims=True)
    loss, phi, before = LOSSES[name](), identity(), z.copy()
    for runs in (slice(0, 3), slice(1, 2)):
        mean, delta = mean_and_delta(loss, z[runs], y, phi)
        np.testing.assert_allclose(mean, loss.value(z[runs], y, phi).mean(axis=-1), rtol=1e-13)
        np.testing.assert_allclose(delta, loss.delta(z[runs], y, phi), rtol=1e-12)
    assert np.array_equal(z, before)  # a stack of one is a view where it is transposed, and must not be written to


@pytest.mark.parametrize("name", LOSSES)
def test_an_error_that_somebody_replaced_is_the_one_that_is_used(name: str) -> None:
    loss = replace(LOSSES[name](), delta=lambda z, y, phi: 0.5 * z)
    z, y = np.linspace(-1, 1, 24).reshape(2, 3, 4), np.full((1, 3, 4), 1 / 3)
    np.testing.assert_array_equal(mean_and_delta(loss, z, y, identity())[1], 0.5 * z)
