"""Parametrizations against nets that multiply: W = c·ω in the forward pass, ω trained with one learning rate, in plain numpy."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from bpcore import mlp
from bpcore.adam_variants import adamw
from bpcore.initializers import fan_in
from bpcore.network import Network
from bpcore.optimizers import Optimizer, adagrad, adam, momentum, nesterov, rmsprop, sgd
from bpcore.parametrization import Parametrization, mup, ntk, standard
from bpcore.training import StackSettings
from tests.bpcore.runs import OPTIMIZERS, examples, run, snapshots, stack, train_one
from tests.oracles import Array, catalogue

PARAMETRIZATIONS = catalogue("parametrization")
EPS, STEPS, LR = 1e-30, 4, 0.05
"""ε beside √v is that of ∂J/∂W, and there is no equivalence but without it."""

RULES: dict[str, Optimizer] = {
    "sgd": sgd(),
    "momentum": momentum(),
    "nesterov": nesterov(),
    "adam": adam(eps=EPS),
    "adamw": adamw(eps=EPS, weight_decay=0.0),
    "rmsprop": rmsprop(eps=EPS),
    "adagrad": adagrad(eps=EPS),
}
WIDTHS = (12, 8, 16)
BASE = 4


def settings(optimizer: Optimizer, parametrization: Parametrization, widths: Sequence[int] = WIDTHS, steps: int = STEPS) -> StackSettings:
    plain = stack(steps=steps)
    network = replace(plain.network, sizes=(4, *widths, 3), parametrization=parametrization)
    return replace(plain, network=network, optimizer=optimizer)


def multiplied(network: Network, rule: Optimizer, c: dict[int, float], rates: dict[tuple[str, int], float], one: Any) -> dict[str, Array]:
    """Train ω and b of a tanh net z^l = c_l ω^l a^(l−1) + b^l under softmax and cross-entropy, and return W = cω and b.

    Args:
        network: its sizes; the start is drawn as a standard net's, and W^L as much smaller as the parametrization says.
        rule: the optimizer, which sees ω and ∂J/∂ω.
        c: multiplier of each layer.
        rates: η of each array.
        one: the run.
    """
    data, L = examples(), len(network.sizes) - 1
    m = data.x.shape[1]
    drawn = mlp.initialize(network, [one.initializer], [one.seed], "float64")
    omega: dict[tuple[str, int], Array] = {("W", l): drawn.W[l] / c[l] for l in c} | {("b", l): drawn.b[l] for l in c}
    state = {key: rule.initial_state(array) for key, array in omega.items()}
    for step in range(STEPS):
        a = {0: data.x[None]}
        for l in range(1, L + 1):
            z = c[l] * (omega["W", l] @ a[l - 1]) + omega["b", l]
            a[l] = np.tanh(z) if l < L else np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        delta, gradients = (a[L] - data.y) / m, {}
        for l in range(L, 0, -1):
            gradients["W", l] = c[l] * (delta @ a[l - 1].swapaxes(1, 2))
            gradients["b", l] = delta.sum(axis=2, keepdims=True)
            delta = (c[l] * (omega["W", l].swapaxes(1, 2) @ delta)) * (1 - a[l - 1] ** 2)
        for key, g in gradients.items():
            omega[key] = omega[key] + rule.increment(g, state[key], np.full((1, 1, 1), rates[key]), step + 1, omega[key])
    return {f"{kind}{l}": (c[l] if kind == "W" else 1.0) * array[0] for (kind, l), array in omega.items()}


def assert_trained_alike(set_: StackSettings, c: dict[int, float], rates: dict[tuple[str, int], float]) -> None:
    one = run(3, scale=1.3, lr=LR)
    expected = multiplied(set_.network, set_.optimizer, c, rates, one)
    start, end = (snapshots(set_, one, range(step, step + 1), examples())[0] for step in (0, STEPS))
    for name, array in expected.items():
        moved = np.abs(end[name] - start[name]).max()
        assert moved > 0
        assert np.abs(end[name] - array).max() < 1e-9 * moved, name


@pytest.mark.parametrize("name", RULES)
def test_ntk_is_the_net_of_standard_normal_weights_times_sigma_over_root_n(name: str) -> None:
    set_ = settings(RULES[name], ntk())
    c = {l: 1.3 / np.sqrt(n) for l, n in enumerate(set_.network.sizes[:-1], 1)}
    omega = mlp.initialize(set_.network, [fan_in(1.3)], [3], "float64").W[2] / c[2]
    assert 0.7 < omega.std() < 1.3
    assert_trained_alike(set_, c, {(kind, l): LR for kind in ("W", "b") for l in c})


@pytest.mark.parametrize("name", RULES)
def test_mup_is_the_net_whose_output_is_divided_by_n_over_n_b(name: str) -> None:
    """In the form of microsoft/mup: z^L = ω^L a/m, m = n/n_b; MuAdam divides η of matrices by m, MuSGD multiplies it for vectors.

    There ω^L starts as that of the base width, of variance σ²/n_b.
    """
    set_ = settings(RULES[name], mup(BASE))
    sizes, L = set_.network.sizes, set_.network.L
    m = [n / BASE for n in sizes]
    c = dict.fromkeys(range(1, L), 1.0) | {L: 1 / m[L - 1]}
    if RULES[name].scale_free:
        rates = {("W", l): LR / (m[l - 1] if 1 < l < L else 1.0) for l in c} | {("b", l): LR for l in c}
    else:
        rates = {("W", l): LR * m[l] / m[l - 1] for l in range(2, L)} | {("W", 1): LR * m[1], ("W", L): LR * m[L - 1]}
        rates |= {("b", l): LR * (m[l] if l < L else 1.0) for l in c}
    twins = (set_.network, replace(set_.network, parametrization=standard()))
    omega, plain = (mlp.initialize(network, [fan_in()], [3], "float64").W[L] for network in twins)
    assert np.allclose(omega / c[L], plain * np.sqrt(m[L - 1]), rtol=1e-14, atol=0)
    assert_trained_alike(set_, c, rates)


def test_the_comparison_can_fail() -> None:
    set_ = settings(RULES["adam"], ntk())
    c = {l: 1.3 / np.sqrt(n) for l, n in enumerate(set_.network.sizes[:-1], 1)}
    with pytest.raises(AssertionError, match="W"):
        assert_trained_alike(set_, c, {(kind, l): LR * (1 + 1e-6 * ((kind, l) == ("W", 2))) for kind in ("W", "b") for l in c})


@pytest.mark.parametrize(
    ("scale_free", "weights", "vectors"), [(True, [1, 1 / 2, 1 / 4, 1 / 3], [1, 1, 1, 1]), (False, [2, 2, 3 / 4, 1 / 3], [2, 4, 3, 1])]
)
def test_the_factors_of_mup_by_hand(scale_free: bool, weights: list[float], vectors: list[float]) -> None:
    factors = mup(10).rates((7, 20, 40, 30, 5), [1.0] * 4, scale_free)
    assert factors[0, 1:].tolist() == weights
    assert [row[1:].tolist() for row in factors[1:4]] == [vectors] * 3
    assert factors[4].tolist() == [1] * 5  # α is a number, and has no width
    assert [mup(10).start((7, 20, 40, 30, 5), l) for l in (1, 2, 3)] == [1, 1, 1]
    assert mup(10).start((7, 20, 40, 30, 5), 4) ** 2 == pytest.approx(1 / 3, rel=1e-14)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_at_its_base_width_mup_is_the_standard_parametrization_to_the_bit(optimizer: str) -> None:
    ends = [snapshots(settings(OPTIMIZERS[optimizer](), kind, (8, 8), 2), run(), range(2, 3))[0] for kind in (standard(), mup(8), mup(4))]
    assert all(np.array_equal(ends[0][key], ends[1][key]) for key in ends[0])
    assert not np.array_equal(ends[0]["W3"], ends[2]["W3"])


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_a_linear_classifier_has_no_width_that_could_grow(name: str) -> None:
    kind = PARAMETRIZATIONS[name]()
    assert kind.start((100, 3), 1) == 1
    factors = kind.rates((100, 3), [0.01], False)
    assert factors.shape == (5, 2)
    assert factors[1:].tolist() == [[1, 1]] * 4
    assert factors[0, 1] == (0.01 if name == "ntk" else 1)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_what_is_said_of_updates_is_that_of_the_updates_made(name: str, optimizer: str) -> None:
    """‖ΔW‖ is measured with the factors in."""
    set_ = settings(OPTIMIZERS[optimizer](), PARAMETRIZATIONS[name](), steps=1)
    before, after = snapshots(set_, run(), range(2))
    record = train_one(set_, run())
    for l, _ in enumerate(pairwise(set_.network.sizes), 1):
        moved = np.linalg.norm(after[f"W{l}"] - before[f"W{l}"]) / np.linalg.norm(before[f"W{l}"])
        assert record.layers["update_ratio"].reshape(2, -1)[0, l] == pytest.approx(moved, rel=1e-9)


def test_runs_of_a_stack_have_the_multipliers_of_their_own_weights() -> None:
    of = ntk().of_runs((4, 9, 3), [fan_in(1.0), fan_in(2.0)], False)
    assert of.shape == (2, 5, 3)
    assert of[:, 0, 1:] == pytest.approx(np.array([[1 / 4, 1 / 9], [4 / 4, 4 / 9]]))


@pytest.mark.parametrize("value", [0, -3])
def test_a_bad_base_width_is_named(value: int) -> None:
    with pytest.raises(ValueError, match="base_width"):
        mup(value)
