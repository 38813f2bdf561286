"""The engine against the textbook: the same training, written with `mlp`, the rules as stated, and nothing in place."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from bpcore import mlp
from bpcore.clipping import global_norm
from bpcore.dropout import Masks
from bpcore.engine.batches import Examples
from bpcore.layers import KINDS as PARAMETERS
from bpcore.layers import Layers
from bpcore.training import RunSettings, StackSettings
from tests.bpcore.cases import ACTIVATIONS, DROPPED, LOSSES, MIXED, NORMALIZATIONS, RESIDUAL, Case, chosen, size_of
from tests.bpcore.runs import CLIPS, OPTIMIZERS, SCHEDULES, run, snapshots, stack, train_one
from tests.oracles import Array, catalogue

PARAMETRIZATIONS = catalogue("parametrization")
STEPS = 4
# Without normalization: a sum of k terms errs by (k + 1)·eps/2, k ≤ 9 examples or 5 units; a step passes 4 layers forth and
# back, steps hand on what they got, and engine and textbook err both: (9 + 1)·2·4·(STEPS + 1)·eps. With it, in float64 alone,
# the backward pass cancels leading digits.
BOUND = {"float64": 1e-12, "float32": 10 * 2 * 4 * (STEPS + 1) * float(np.finfo(np.float32).eps)}


def data(loss: str = "mse", m: int = 9) -> Examples:
    generator = np.random.default_rng(3)
    y = generator.uniform(0.1, 0.9, (3, m))
    return Examples(generator.standard_normal((4, m)), y / y.sum(axis=0) if LOSSES[loss]().needs_classes else y)


def textbook(settings: StackSettings, one: RunSettings, examples: Examples) -> list[dict[str, Array]]:
    """Return what a snapshot holds at every step, by the equations as they are written, with loss and norms."""
    network, dtype = settings.network, settings.dtype
    params = mlp.initialize(network, [one.initializer], [one.seed], dtype)
    x, y = (array[None].astype(dtype) for array in (examples.x, examples.y))
    decay, threshold = (np.full((1, 1, 1), value, dtype=dtype) for value in (one.weight_decay, one.clip_threshold))
    state = {key: settings.optimizer.initial_state(array) for key, array in params.items()}
    masks = Masks(network.dropout, network.sizes, [one.seed], x.shape[-1], dtype)
    rows: list[dict[str, Array]] = []
    past: list[float] = []
    for step in range(settings.steps + 1):
        trace = mlp.forward(network, params, x, masks=masks(np.array([step])))
        delta, gradients = mlp.backward(network, params, trace, y, decay)
        row = {f"{kind}{l}": array[0] for (kind, l), array in params.items()}
        row |= {f"d{kind}{l}": array[0] for (kind, l), array in gradients.items()}
        for l in range(1, network.L + 1):
            row |= {f"z{l}": trace.z[l][0], f"a{l}": trace.a[l][0], f"delta{l}": delta[l][0]}
        row |= {f"mask{l}": mask[0] for l, mask in trace.masks.items()}
        row["delta0"] = mlp.input_gradient(params, delta)[0]
        row["loss"] = mlp.objective(network, params, trace, y, decay)
        whole = global_norm(gradients)
        clipped = settings.clip.clip(gradients, threshold, whole, params, [np.array(past)])
        past.append(float(whole[0]))
        row |= {"grad_norm": clipped.before, "grad_norm_clipped": clipped.after, "clipped": clipped.acted}
        rows.append(row)

        factor = float(settings.schedule.factors(np.array(step), settings.steps))
        variances = [one.initializer.variance(*fans) for fans in pairwise(network.sizes)]
        by_layer = network.parametrization.rates(network.sizes, variances, settings.optimizer.scale_free).astype(dtype)
        rates = tuple(np.full((1, 1, 1), lr * factor, dtype=dtype) for lr in (one.lr, one.lr * one.bias_lr_factor))

        def moved(
            key: tuple[str, int], array: Array, step: int = step, g: Layers = clipped.gradients, rates: tuple[Array, ...] = rates,
            by_layer: Array = by_layer,
        ) -> Array:  # fmt: skip
            lr = rates[key[0] in ("b", "beta")] * by_layer[PARAMETERS.index(key[0]), key[1]]
            return array + settings.optimizer.increment(g[key], state[key], lr, step + 1, array)

        params = params.map(moved)
    return rows


def relative(actual: Array, expected: Array) -> float:
    scale = float(np.linalg.norm(np.asarray(expected, dtype=np.float64).ravel()))
    error = float(np.linalg.norm((np.asarray(actual, dtype=np.float64) - expected).ravel()))
    return error / scale if scale else error


def compare(settings: StackSettings, one: RunSettings, examples: Examples, bound: float) -> float:
    """Return the largest relative difference of any array of any step; assert it below the bound."""
    expected, worst, kind = textbook(settings, one, examples), 0.0, settings.network.normalization
    shifted = kind.needs_batch and (
        not kind.after or settings.network.phi(1).name in ("identity", "hard_tanh")
    )  # the batch's mean takes b away
    for step in {0, settings.steps}:
        for name, array in snapshots(settings, one, range(step, step + 1), examples)[0].items():
            normalized = shifted and not name.endswith(str(settings.network.L))
            bias_before_normalization = normalized and name.rstrip("0123456789") in ("b", "db")
            if name in ("x", "y") or bias_before_normalization:  # its gradient is zero by construction: nothing but rounding
                continue
            reference = expected[step][name]
            if normalized and name.startswith("z"):  # that bias moves all examples of z alike, and has no other effect
                array, reference = (part - part.mean(axis=-1, keepdims=True) for part in (array, reference))
            difference = relative(array, reference)
            assert difference <= bound, (step, name, difference)
            worst = max(worst, difference)
    record = train_one(settings, one, examples)
    for name in ("loss", "grad_norm", "grad_norm_clipped"):
        np.testing.assert_allclose(record.steps[name], [float(row[name][0]) for row in expected], rtol=bound)
    assert record.steps["clipped"].tolist() == [bool(row["clipped"][0]) for row in expected]
    norms = record.layers["delta_norm"].reshape(settings.steps + 1, -1)
    for l in range(settings.network.L + 1):
        by_hand = [np.linalg.norm(row[f"delta{l}"].astype(np.float64)) / np.sqrt(examples.x.shape[1]) for row in expected]
        np.testing.assert_allclose(norms[:, l], by_hand, rtol=bound)
    return worst


RULES = list(product(OPTIMIZERS, CLIPS))
KINDS = [kind for kind in product(ACTIVATIONS, LOSSES, NORMALIZATIONS) if chosen(*kind)]


@pytest.mark.parametrize("index", range(len(KINDS)), ids=["-".join(kind) for kind in KINDS])
def test_the_engine_trains_as_the_textbook_does(index: int) -> None:
    """Every activation × loss × normalization, each with another optimizer and clipping rule in turn."""
    (activation, loss, normalization), (optimizer, clip) = KINDS[index], RULES[index % len(RULES)]
    # A second normalization would remove β of a linear activation as well; one after φ leaves little of the gradients of biases.
    depth = 1 if (activation, normalization) == ("identity", "batch") or normalization == "batch-after" else 2
    width = 10 if normalization.startswith("group") else 5
    settings = stack(activation, normalization, loss, depth=depth, width=width, optimizer=optimizer, clip=clip, steps=STEPS)
    one = run(index, scale=size_of(settings.network), lr=0.05, weight_decay=0.02, bias_lr_factor=0.5, clip_threshold=0.1)
    compare(settings, one, data(loss), BOUND["float64"])


@pytest.mark.parametrize("case", MIXED, ids=str)
def test_layers_of_different_widths_and_activations(case: Case) -> None:
    settings = replace(stack(loss=case.loss, optimizer="momentum", clip="norm", steps=STEPS), network=case.network())
    one = run(2, lr=0.05, weight_decay=0.02, clip_threshold=0.1)
    compare(settings, one, data(case.loss), BOUND["float64"])


@pytest.mark.parametrize("index", range(len(RESIDUAL)), ids=map(str, RESIDUAL))
def test_residual_nets(index: int) -> None:
    """Every skip with every normalization, each with another optimizer and clipping rule in turn."""
    case, (optimizer, clip) = RESIDUAL[index], RULES[index % len(RULES)]
    settings = replace(stack(loss=case.loss, optimizer=optimizer, clip=clip, steps=STEPS), network=case.network())
    scale = 0.5 * size_of(settings.network)  # sums grow from block to block, and rounding with them
    one = run(index, scale=scale, lr=0.02, weight_decay=0.02, bias_lr_factor=0.5, clip_threshold=0.1)
    compare(settings, one, data(case.loss), BOUND["float64"])


@pytest.mark.parametrize(
    ("case", "dtype"), [(case, dtype) for case in DROPPED for dtype in BOUND if dtype == "float64" or case.normalization == "none"], ids=str
)
def test_units_are_dropped_as_the_textbook_drops_them(case: Case, dtype: str) -> None:
    settings = replace(stack(loss=case.loss, optimizer="adam", clip="value", steps=STEPS, dtype=dtype), network=case.network())
    one = run(2, scale=size_of(settings.network), lr=0.01, weight_decay=0.02, clip_threshold=0.1)
    compare(settings, one, data(case.loss), BOUND[dtype])


@pytest.mark.parametrize(("optimizer", "clip"), RULES)
@pytest.mark.parametrize("dtype", BOUND)
def test_every_optimizer_with_every_clipping_rule(optimizer: str, clip: str, dtype: str) -> None:
    settings = stack("tanh", "none", depth=3, optimizer=optimizer, clip=clip, steps=STEPS, dtype=dtype)
    compare(settings, run(1, lr=0.05, clip_threshold=0.2), data("softmax_cross_entropy"), BOUND[dtype])


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_with_every_schedule(optimizer: str, schedule: str) -> None:
    settings = stack("tanh", "none", depth=2, optimizer=optimizer, steps=STEPS, schedule=SCHEDULES[schedule](warmup=2))
    compare(settings, run(1, lr=0.05, bias_lr_factor=0.5), data("softmax_cross_entropy"), BOUND["float64"])


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("parametrization", [name for name in PARAMETRIZATIONS if name != "standard"])
def test_every_optimizer_with_every_parametrization(parametrization: str, optimizer: str, dtype: str) -> None:
    """In float64 in a normalized residual net of two sizes, whose α is learned: all kinds of parameters have their factors."""
    case = Case("tanh", "mse", "identity", *(("layer", 5, "preactivation-learned") if dtype == "float64" else ("none", 3)))
    network = replace(case.network(), parametrization=PARAMETRIZATIONS[parametrization]())
    settings = replace(stack(loss="mse", optimizer=optimizer, steps=STEPS, dtype=dtype), network=network)
    compare(settings, run(1, lr=0.02, bias_lr_factor=0.5, weight_decay=0.02), data(), BOUND[dtype])


@pytest.mark.parametrize("percentile", [0.5, 10.0, 37.0, 50.0, 80.0, 99.0, 100.0, np.inf])
def test_a_percentile_between_two_norms(percentile: float) -> None:
    settings = stack("tanh", "none", depth=2, clip="percentile", optimizer="momentum", steps=9)
    one = run(3, lr=4.0, clip_threshold=percentile)  # so that norms rise and fall
    compare(settings, one, data("softmax_cross_entropy"), BOUND["float64"])
    clipped = train_one(settings, one, data("softmax_cross_entropy")).steps["clipped"]
    assert clipped.any() == (percentile < 100)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_saturated_layers_keep_the_precision_of_the_textbook(name: str) -> None:
    """Where |z| is near 50, 1 − a² is 0 and the slope 1e-43: only the form that looks at z has it."""
    settings = stack(name, loss="mse", depth=3, steps=0)
    one = run(0, "normal", scale=25.0)
    compare(settings, one, data(), BOUND["float64"])
    assert train_one(settings, one, data()).layers["saturated"][1:4].min() > 0.7


def test_the_comparison_can_fail() -> None:
    settings, one = stack(depth=2, steps=1), run(0)
    rows = textbook(settings, run(0, lr=0.1 * (1 + 1e-9)), data("softmax_cross_entropy"))
    snapshot = snapshots(settings, one, range(1, 2), data("softmax_cross_entropy"))[0]
    assert relative(snapshot["W1"], rows[1]["W1"]) > 1e-12
