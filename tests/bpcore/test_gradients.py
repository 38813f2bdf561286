"""Every δ^l and every parameter's gradient against complex step, with relative error per layer and run."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.bpcore.cases import (
    ACTIVATIONS,
    CLASSIC,
    DROPPED,
    INITIALIZERS,
    KINK_DISTANCE,
    LOSSES,
    MIXED,
    NORMALIZATIONS,
    RESIDUAL,
    Built,
    Case,
    build,
    chosen,
    kink_distance,
)
from tests.bpcore.test_initializers import DRAWS_AS
from tests.comparing import Zero, assert_gradients_match, mismatches, scaled_norm, scaled_norms
from tests.every import every
from tests.oracles import Gradients, Key, complex_step_gradients, forward, term_sizes

RUNS = (*((name, 0.0) for name in INITIALIZERS if name not in DRAWS_AS), ("fan_in", 0.3), ("xavier", 0.02))
"""Every initializer without λ, which would hide a vanished data term in dW, and two with λ, different in each; once where two are one."""


def _outputs(loss: str, depth: int) -> list[str]:
    if LOSSES[loss]().takes_logits:
        return ["identity"]
    return {1: list(ACTIVATIONS), 5: ["identity", "sigmoid"], 20: ["sigmoid"]}[depth]


def _tried(activation: str, loss: str, output: str, normalization: str, depth: int) -> bool:
    """Tell whether a case is tried: behind classic kinds every output, a new one behind tanh alone, and one output behind new kinds."""
    if not chosen(activation, loss, normalization, depth):
        return False
    if {activation, normalization} <= CLASSIC:
        return output in CLASSIC or (activation, normalization) == ("tanh", "none")
    return output == _outputs(loss, depth)[0]


CASES = (
    [
        Case(activation, loss, output, normalization, depth)
        for depth in (1, 5, 20)
        for activation in ACTIVATIONS
        for normalization in NORMALIZATIONS
        for loss in LOSSES
        for output in _outputs(loss, depth)
        if _tried(activation, loss, output, normalization, depth)
    ]
    + MIXED
    + DROPPED
)

BEFORE_NORMALIZATION = "a bias before batch normalization, which takes the mean away"
THROUGH_LINEAR = "a shift β that reaches the next batch normalization through a linear activation"
SOFTMAX_SUM = "equal columns of W^L against a softmax error, whose entries sum to 0"
ONE_DIRECTION = "constant weights in a linear normalized net: every signal is one direction, which normalization keeps but for ε"


def zeros(case: Case, runs: tuple[tuple[str, float], ...], expected: Gradients, sizes: Gradients) -> dict[tuple[Key, int], Zero]:
    """Return the arrays of a case that cancel by construction, with the reason and the size of what cancels."""
    found: dict[tuple[Key, int], Zero] = {}
    linear = case.activation == "identity" and not case.dropout
    batch = case.normalization == "batch" or (case.activation == "identity" and case.normalization == "batch-after")
    for kind, layer in expected:
        all_terms = scaled_norms(sizes[kind, layer])
        for run, (init, decay) in enumerate(runs):
            place = ((kind, layer), run)
            terms = float(all_terms[run])
            hidden, penalized = layer <= case.depth, kind == "W" and decay > 0
            if batch and kind == "b" and hidden:  # the terms are δ^l itself, the tightest bound there is
                found[place] = Zero(BEFORE_NORMALIZATION, scaled_norm(np.abs(expected["delta", layer][run]).mean(axis=-1)))
            if batch and linear and kind == "beta" and layer < case.depth:
                found[place] = Zero(THROUGH_LINEAR, terms)
            below = layer < case.depth or (kind == "W" and 1 < layer <= case.depth)  # W^l reads the signal of layer l − 1
            if batch and linear and init == "constant" and below and not penalized and kind != "delta":
                found[place] = Zero(ONE_DIRECTION, terms, limit=1e-3)
            if case.loss == "softmax_cross_entropy" and init == "constant" and hidden and not penalized:
                found[place] = Zero(SOFTMAX_SUM, terms)
    return found


def _runs(case: Case) -> tuple[tuple[str, float], ...]:
    """Return every run; of deep nets every other one, those that the next case leaves out.

    Where the mean over units is taken away, equal weights let nothing through to the layer below: δ is 0 there and tests nothing.
    """
    runs = RUNS if case.depth < 20 else RUNS[CASES.index(case) % 2 :: 2]
    return tuple(run for run in runs if run[0] != "constant") if case.normalization.startswith(("layer", "group")) else runs


@every(CASES, by=lambda case: f"{case.activation}-{case.depth}")
def test_every_gradient_agrees_with_complex_step(case: Case) -> None:
    runs = _runs(case)
    built = build(case, runs)
    for l, h in forward(built.problem).h.items():
        assert (kink_distance(built.network.phi(l), h) > KINK_DISTANCE).all()
    expected = complex_step_gradients(built.problem)
    assert_gradients_match(built.core_gradients(), expected, zeros=zeros(case, runs, expected, term_sizes(built.problem)))


RESIDUAL_RUNS = (("fan_in", 0.0), ("orthogonal", 0.3), ("xavier", 0.02))


def residual_zeros(built: Built, expected: Gradients) -> dict[tuple[Key, int], Zero]:
    """Return the biases that batch normalization takes away: all of a stream that is normalized wherever it is read."""
    layers = [(l, built.network.norm(l), built.network.phi(l).name) for l in range(1, built.network.L)]
    removed = [("b", l) for l, norm, phi in layers if norm.needs_batch and (phi == "identity" or not norm.after)]
    return {
        (key, run): Zero(BEFORE_NORMALIZATION, scaled_norm(np.abs(expected["delta", key[1]][run]).mean(axis=-1)))
        for key in removed
        for run in range(len(built.initializers))
    }


@pytest.mark.parametrize("case", RESIDUAL, ids=str)
def test_every_gradient_of_a_residual_net_agrees_with_complex_step(case: Case) -> None:
    built = build(case, RESIDUAL_RUNS)
    assert len(built.network.sources) == (1 if case.skip.startswith("block") else 3)
    assert ("alpha", max(built.network.sources)) in built.problem.parameters or not case.skip.endswith("learned")
    expected = complex_step_gradients(built.problem)
    assert_gradients_match(built.core_gradients(), expected, zeros=residual_zeros(built, expected))


CONTROL = Case("sigmoid", "mse", "tanh", "none", 20)


def _scale(kind: str, factor: float) -> Callable[[Gradients, Built], None]:
    def change(gradients: Gradients, built: Built) -> None:
        for key in gradients:
            if key[0] == kind:
                gradients[key] = gradients[key] * factor

    return change


def _drop_decay(gradients: Gradients, built: Built) -> None:
    gradients["W", 20] = gradients["W", 20] - built.weight_decay * built.params.W[20]


def _shift(gradients: Gradients, built: Built) -> None:
    """Give every inner layer the gradients of the layer two above, which has the same shape."""
    for l in range(2, 18):
        for kind in ("delta", "W", "b"):
            gradients[kind, l] = gradients[kind, l + 2]


def _set(key: Key, factor: float) -> Callable[[Gradients, Built], None]:
    def change(gradients: Gradients, built: Built) -> None:
        gradients[key] = factor * gradients[key]

    return change


WRONG: dict[str, Callable[[Gradients, Built], None]] = {
    "first layer's delta zeroed": _set(("delta", 1), 0.0),
    "first layer's dW zeroed": _set(("W", 1), 0.0),
    "first layer's db zeroed": _set(("b", 1), 0.0),
    "sign of one layer's dW flipped": _set(("W", 7), -1.0),
    "sign of one layer's delta flipped": _set(("delta", 1), -1.0),
    "one layer off by 1e-9": _set(("delta", 3), 1 + 1e-9),
    "layers shifted": _shift,
    "λ term missing": _drop_decay,
    "1/m twice in dW": _scale("W", 1 / 3),
    "1/m in delta": _scale("delta", 1 / 3),
    "1/m missing in db": _scale("b", 3.0),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_gradient_is_caught(wrong: str) -> None:
    built = build(CONTROL, RUNS)
    expected = complex_step_gradients(built.problem)
    gradients = built.core_gradients()
    assert_gradients_match(gradients, expected)
    WRONG[wrong](gradients, built)
    assert mismatches(gradients, expected)


def test_a_reference_of_zero_is_no_agreement() -> None:
    nothing = {("delta", 1): np.zeros((1, 2, 3))}
    assert mismatches(nothing, nothing)


def test_what_is_claimed_to_cancel_must_cancel() -> None:
    array = {("b", 1): np.ones((1, 2, 1))}
    assert mismatches(array, array, zeros={(("b", 1), 0): Zero("it does not", 1.0)})


def test_a_vanished_gradient_would_pass_an_absolute_tolerance() -> None:
    built = build(CONTROL, (("glorot_standard", 0.0),))
    expected = complex_step_gradients(built.problem)["W", 1]
    assert np.allclose(np.zeros_like(expected), expected)
    assert 0 < scaled_norm(expected) < 1e-10


def test_gradients_of_a_run_do_not_depend_on_its_neighbors() -> None:
    built = build(CONTROL, RUNS)
    together = built.core_gradients()
    for run, spec in enumerate(RUNS):
        alone = build(CONTROL, (spec,)).core_gradients()
        assert all(np.array_equal(alone[key][0], together[key][run]) for key in together)


def test_each_run_may_have_its_own_batch() -> None:
    case, runs = Case("tanh", "sigmoid_cross_entropy", "identity", "batch", 2), (("fan_in", 0.0), ("he", 0.1))
    built = build(case, runs)
    x = np.random.default_rng(0).standard_normal((2, *built.x.shape[1:]))
    own = replace(built, x=x, problem=replace(built.problem, x=x))
    expected = complex_step_gradients(own.problem)
    assert_gradients_match(own.core_gradients(), expected, zeros=zeros(case, runs, expected, term_sizes(own.problem)))
