"""Optimizers: against scalar recursions written out by hand, and against torch.optim."""

import math
from collections.abc import Callable, Iterator
from typing import Any

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


def by_hand_adamw(gradients: list[float], lr: float) -> list[float]:
    w, deltas = START, []
    for delta in by_hand_adam(gradients, lr):
        deltas.append(delta - lr * 0.01 * w)
        w += deltas[-1]
    return deltas


def by_hand_nadam(gradients: list[float], lr: float) -> list[float]:
    first, second, product, deltas = 0.0, 0.0, 1.0, []
    for t, g in enumerate(gradients, start=1):
        now, ahead = (0.9 * (1 - 0.5 * 0.96 ** (s * 0.004)) for s in (t, t + 1))
        product *= now
        first = 0.9 * first + 0.1 * g
        second = 0.999 * second + 0.001 * g**2
        mean = (1 - now) * g / (1 - product) + ahead * first / (1 - product * ahead)
        deltas.append(-lr * mean / (math.sqrt(second / (1 - 0.999**t)) + 1e-8))
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
    "adamw": by_hand_adamw,
    "nadam": by_hand_nadam,
    "rmsprop": by_hand_rmsprop,
    "adagrad": by_hand_adagrad,
}


START = 0.7
"""Where a parameter begins, unless it is said otherwise."""


def increments(name: str, gradients: Array, lr: Array, start: Array | float = START) -> Array:
    """Return the increments for gradients (steps, R, n, m) of a parameter that follows them."""
    optimizer = OPTIMIZERS[name]()
    state, w = optimizer.initial_state(gradients[0]), np.full_like(gradients[0], start)
    made = []
    for t, g in enumerate(gradients, start=1):
        made.append(np.array(optimizer.increment(g, state, lr, t, w)))
        w = w + made[-1]
    return np.stack(made)


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


@pytest.fixture
def double() -> Iterator[Any]:
    """PyTorch with float64 for what it makes unasked, in which NAdam keeps the product of its momenta."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(before)


@every_optimizer
def test_the_path_of_a_parameter_is_that_of_torch_optim(name: str, double: Any) -> None:
    torch = double
    peers = {
        "sgd": lambda w: torch.optim.SGD(w, lr=0.1),
        "momentum": lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9),  # equal while the learning rate is constant
        "nesterov": lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9, nesterov=True),
        "adam": lambda w: torch.optim.Adam(w, lr=0.1),
        "adamw": lambda w: torch.optim.AdamW(w, lr=0.1),
        "nadam": lambda w: torch.optim.NAdam(w, lr=0.1),
        "rmsprop": lambda w: torch.optim.RMSprop(w, lr=0.1, alpha=0.9, eps=1e-7),
        "adagrad": lambda w: torch.optim.Adagrad(w, lr=0.1, eps=1e-7),
    }
    gradients = history(50)
    start = np.random.default_rng(1).standard_normal(gradients.shape[1:])
    parameter = torch.tensor(start)
    peer = row_for(peers, name, "torch.optim counterpart", f"{HERE}, `peers`")([parameter])
    path, expected = start + np.cumsum(increments(name, gradients, np.full((2, 1, 1), 0.1), start), axis=0), []
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
    w = np.ones_like(gradients[0])
    first = optimizer.increment(gradients[0], state, lr, 1, w)
    copy = first.copy()
    optimizer.increment(gradients[1], state, lr, 2, w)
    assert (w == 1).all()
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
        *((name, key, value) for name in ("adamw", "nadam") for key, value in (("beta1", 1.0), ("beta2", -0.5), ("eps", 0.0))),
        *(("adamw", "weight_decay", value) for value in (-0.1, np.inf)),
        *(("nadam", "momentum_decay", value) for value in (-0.1, np.nan)),
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


@every_optimizer
def test_an_increment_that_is_said_to_be_free_of_the_gradients_size_is_and_no_other(name: str) -> None:
    gradients, lr = history(3), np.full((2, 1, 1), 0.1)
    one, other = (increments(name, size * gradients, lr, 0.0) for size in (1.0, 8.0))  # AdamW's decay is of w, here 0 at first
    assert np.allclose(one[0], other[0], rtol=1e-5, atol=0) == OPTIMIZERS[name]().scale_free
