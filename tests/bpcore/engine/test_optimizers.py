"""Optimizers in place: the update is that of the textbook, also where nobody wrote a twin."""

from typing import ClassVar

import numpy as np
import pytest

from bpcore.engine.optimizers import advance
from bpcore.optimizers import Optimizer
from tests.bpcore.runs import OPTIMIZERS
from tests.oracles import Array


class Mine(Optimizer):
    """An average of two steps, of which the engine knows nothing."""

    name: ClassVar[str] = "mine"
    slots = 1

    def increment(self, g: Array, state: list[Array], lr: Array, t: int) -> Array:
        delta = -lr * (g + state[0]) / 2
        state[0] = g
        return delta


ALL = [*(factory() for factory in OPTIMIZERS.values()), Mine()]


@pytest.mark.parametrize("optimizer", ALL, ids=lambda optimizer: optimizer.name)
def test_an_update_in_place_is_the_update(optimizer: Optimizer) -> None:
    gradients, lr = np.random.default_rng(0).standard_normal((12, 2, 3, 4)), np.array([0.1, 0.02])
    state, own = optimizer.initial_state(gradients[0].reshape(2, -1)), optimizer.initial_state(gradients[0])
    for t, g in enumerate(gradients, start=1):
        expected = np.array(optimizer.increment(g, own, lr[:, None, None], t))
        delta = advance(optimizer, 4 * g.reshape(2, -1), np.full((2, 1), 0.25), state, lr[:, None], t)
        np.testing.assert_allclose(delta.reshape(g.shape), expected, rtol=1e-12)
