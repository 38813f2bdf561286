"""Optimizers: against scalar recursions written out by hand, and against torch.optim."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from tests.oracles import Array, catalogue, row_for

OPTIMIZERS = catalogue("optimizer")
HERE = "tests/bpcore/test_optimizers.py"
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


def by_hand_sgd(gradients: list[float], lr: float) -> list[float]:
    return [-lr * g for g in gradients]


def by_hand_momentum(gradients: list[float], lr: float) -> list[float]:
    v, deltas = 0.0, []
    for g in gradients:
        v = 0.9 * v - lr * g
        deltas.append(v)
    return deltas


def by_hand_nesterov(gradients: list[float], lr: float) -> list[float]:
    v, deltas = 0.0, []
    for g in gradients:
        v = 0.9 * v - lr * g
        deltas.append(0.9 * v - lr * g)
    return deltas


def by_hand_adam(gradients: list[float], lr: float) -> list[float]:
    first, second, deltas = 0.0, 0.0, []
    for t, g in enumerate(gradients, start=1):
        first = 0.9 * first + 0.1 * g
        second = 0.999 * second + 0.001 * g**2
        deltas.append(-lr * (first / (1 - 0.9**t)) / (math.sqrt(second / (1 - 0.999**t)) + 1e-8))
    return deltas


def by_hand_rmsprop(gradients: list[float], lr: float) -> list[float]:
    v, deltas = 0.0, []
    for g in gradients:
        v = 0.9 * v + 0.1 * g**2
        deltas.append(-lr * g / (math.sqrt(v) + 1e-7))
    return deltas


def by_hand_adagrad(gradients: list[float], lr: float) -> list[float]:
    h, deltas = 0.0, []
    for g in gradients:
        h += g**2
        deltas.append(-lr * g / (math.sqrt(h) + 1e-7))
    return deltas


BY_HAND: dict[str, Callable[[list[float], float], list[float]]] = {
    "sgd": by_hand_sgd,
    "momentum": by_hand_momentum,
    "nesterov": by_hand_nesterov,
    "adam": by_hand_adam,
    "rmsprop": by_hand_rmsprop,
    "adagrad": by_hand_adagrad,
}


def increments(name: str, gradients: Array, lr: Array) -> Array:
    """Return the increments for gradients (steps, R, n, m)."""
    optimizer = OPTIMIZERS[name]()
    state = optimizer.initial_state(gradients[0])
    return np.stack([np.array(optimizer.increment(g, state, lr, t)) for t, g in enumerate(gradients, start=1)])


def history(steps: int = 12) -> Array:
    return np.random.default_rng(0).standard_normal((steps, 2, 3, 4))


@every_optimizer
def test_every_entry_follows_the_recursion_written_out_by_hand(name: str) -> None:
    gradients, lr = history(), np.array([0.1, 0.03]).reshape(-1, 1, 1)
    result = increments(name, gradients, lr)
    recursion = row_for(BY_HAND, name, "recursion by hand", f"{HERE}, BY_HAND")
    for index in np.ndindex(gradients.shape[1:]):
        expected = recursion([float(g) for g in gradients[:, *index]], float(lr[index[0], 0, 0]))
        np.testing.assert_allclose(result[:, *index], expected, rtol=1e-12)


@every_optimizer
def test_the_path_of_a_parameter_is_that_of_torch_optim(name: str) -> None:
    torch = pytest.importorskip("torch")
    peers = {
        "sgd": lambda w: torch.optim.SGD(w, lr=0.1),
        "momentum": lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9),  # equal while the learning rate is constant
        "nesterov": lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9, nesterov=True),
        "adam": lambda w: torch.optim.Adam(w, lr=0.1),
        "rmsprop": lambda w: torch.optim.RMSprop(w, lr=0.1, alpha=0.9, eps=1e-7),
        "adagrad": lambda w: torch.optim.Adagrad(w, lr=0.1, eps=1e-7),
    }
    gradients = history(25)
    start = np.random.default_rng(1).standard_normal(gradients.shape[1:])
    parameter = torch.tensor(start)
    peer = row_for(peers, name, "torch.optim counterpart", f"{HERE}, `peers`")([parameter])
    path, expected = start + np.cumsum(increments(name, gradients, np.full((2, 1, 1), 0.1)), axis=0), []
    for g in gradients:
        parameter.grad = torch.tensor(g)
        peer.step()
        expected.append(parameter.numpy().copy())
    np.testing.assert_allclose(path, np.stack(expected), rtol=1e-12, atol=1e-14)


@every_optimizer
def test_runs_do_not_mix(name: str) -> None:
    gradients, lr = history(), np.array([0.1, 0.03]).reshape(-1, 1, 1)
    together = increments(name, gradients, lr)
    for run in range(2):
        alone = increments(name, np.ascontiguousarray(gradients[:, run : run + 1]), lr[run : run + 1])
        assert np.array_equal(alone[:, 0], together[:, run])


@every_optimizer
def test_float32_stays_float32(name: str) -> None:
    result = increments(name, history().astype(np.float32), np.full((2, 1, 1), 0.1, dtype=np.float32))
    assert result.dtype == np.float32


@every_optimizer
def test_the_gradient_is_left_alone_and_the_increment_is_not_overwritten_later(name: str) -> None:
    gradients = history(2)
    optimizer, lr = OPTIMIZERS[name](), np.full((2, 1, 1), 0.1)
    state = optimizer.initial_state(gradients[0])
    kept = gradients.copy()
    first = optimizer.increment(gradients[0], state, lr, 1)
    copy = first.copy()
    optimizer.increment(gradients[1], state, lr, 2)
    assert np.array_equal(first, copy)
    assert np.array_equal(gradients, kept)


@every_optimizer
def test_number_of_state_arrays_and_name(name: str) -> None:
    optimizer = OPTIMIZERS[name]()
    assert optimizer.name == name
    state = optimizer.initial_state(np.ones((2, 3, 4), dtype=np.float32))
    assert len(state) == optimizer.slots
    assert all(array.shape == (2, 3, 4) and array.dtype == np.float32 and not array.any() for array in state)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        *((name, "beta", value) for name in ("momentum", "nesterov") for value in (-0.1, 1.0, np.nan)),
        ("adam", "beta1", 1.0),
        ("adam", "beta2", -0.5),
        ("adam", "eps", 0.0),
        ("adam", "eps", np.nan),
        *(("rmsprop", "rho", value) for value in (-0.1, 1.0, np.nan)),
        *((name, "eps", value) for name in ("rmsprop", "adagrad") for value in (0.0, -1e-7, np.inf, np.nan)),
    ],
)
def test_bad_arguments_are_named(name: str, key: str, value: float) -> None:
    with pytest.raises(ValueError, match=key):
        OPTIMIZERS[name](**{key: value})


@every_optimizer
def test_an_increment_that_is_said_to_be_proportional_is_and_no_other(name: str) -> None:
    gradients, lr = history(3), np.full((2, 1, 1), 0.1)
    assert np.allclose(increments(name, gradients, lr), -0.1 * gradients, rtol=1e-14, atol=0) == OPTIMIZERS[name]().proportional
