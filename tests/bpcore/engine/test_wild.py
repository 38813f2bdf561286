"""Runs that overflow, underflow, blow up or die: the compiled engine says of them what the textbook says, row by row."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from bpcore import training
from bpcore.engine.batches import Examples
from bpcore.engine.engine import Engine
from bpcore.engine.stepper import stepper_of
from bpcore.engine.textbook import Textbook
from bpcore.measure.records import StackRecord
from bpcore.training import RunSettings, StackSettings, train_stack
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS, RESIDUAL, SKIPS, Case
from tests.bpcore.engine.test_step import BOUND, data
from tests.bpcore.runs import CLIPS, OPTIMIZERS, examples, run, stack
from tests.every import every

WILD = [
    run(0, "normal", scale=1.0, lr=0.05),
    run(1, "normal", scale=1e30, lr=0.05),
    run(2, "normal", scale=1e200, lr=1.0),
    run(3, "normal", scale=1e-60, lr=0.05),
    run(4, "normal", scale=1e-200, lr=1e30),
    run(5, "normal", scale=2.0, lr=3.0, weight_decay=0.1),
    run(6, "normal", scale=0.0, lr=0.5),
    run(7, "normal", scale=1.0, lr=1e200, bias_lr_factor=0.0),
]


def both(
    monkeypatch: pytest.MonkeyPatch, settings: StackSettings, runs: list[RunSettings], loss: str, table: Examples | None = None
) -> tuple[StackRecord, StackRecord]:
    table = table or data(loss)
    compiled = train_stack(settings, runs, table)

    def textbook(network: Any, params: Any, optimizer: Any, clip: Any, rates: Any, batches: Any, dtype: str) -> Textbook:
        return Textbook(network, params, optimizer, clip, rates, batches)

    with monkeypatch.context() as patched:
        patched.setattr(training, "stepper_of", textbook)
        return compiled, train_stack(settings, runs, table)


def agree(one: StackRecord, other: StackRecord, bound: float, names: set[str]) -> None:
    assert one.diverged_at_step == other.diverged_at_step
    assert one.nonfinite == other.nonfinite
    np.testing.assert_array_equal(one.present, other.present)
    for table, twin in ((one.layers, other.layers), (one.step_columns, other.step_columns)):
        for name in table.keys() & names:
            here, there = table[name][one.present].astype(np.float64), twin[name][one.present].astype(np.float64)
            np.testing.assert_allclose(here, there, rtol=bound, atol=0, err_msg=name)


NAMES = {
    "delta_norm",
    "weight_grad_norm",
    "weight_norm",
    "update_ratio",
    "loss",
    "grad_norm",
    "grad_norm_clipped",
    "clipped",
    "finite",
    "zero",
}
"""Without normalization every one of them is made without cancellation, but for sums over the batch."""


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_wild_runs_are_those_of_the_textbook(monkeypatch: pytest.MonkeyPatch, activation: str, clip: str) -> None:
    """Two steps: rounding grows by what a net amplifies, and these amplify without bound."""
    optimizer = list(OPTIMIZERS)[(list(ACTIVATIONS).index(activation) + list(CLIPS).index(clip)) % len(OPTIMIZERS)]
    settings = stack(activation, "none", "mse", depth=3, optimizer=optimizer, clip=clip, steps=1)
    compiled, textbook = both(monkeypatch, settings, WILD, "mse")
    agree(compiled, textbook, BOUND["float64"], NAMES)
    assert None in compiled.diverged_at_step


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_wild_runs_whose_units_are_dropped(monkeypatch: pytest.MonkeyPatch, activation: str) -> None:
    """∞ · 0 is no number wherever a mask meets what overflowed."""
    compiled, textbook = both(monkeypatch, stack(activation, "none", "mse", depth=3, steps=1, dropout=0.4), WILD, "mse")
    agree(compiled, textbook, BOUND["float64"], NAMES)
    assert None in compiled.diverged_at_step


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_of_wild_runs(monkeypatch: pytest.MonkeyPatch, loss: str, dtype: str) -> None:
    settings = stack("relu", "none", loss, depth=3, steps=1, dtype=dtype)
    runs = WILD if dtype == "float64" else [replace(one, lr=min(one.lr, 1e10)) for one in WILD]  # ‖ΔW‖ is a number where ΔW overflows
    compiled, textbook = both(monkeypatch, settings, runs, loss)
    agree(compiled, textbook, BOUND[dtype], NAMES)
    assert compiled.diverged_at_step.count(None) < len(WILD)


@pytest.mark.parametrize("every", [1, 7])
def test_a_run_that_leaves_the_numbers_late_leaves_them_at_the_same_step(monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    """Hundreds of steps before it, and a row of its own where no row was due."""
    settings = stack("identity", "none", "mse", depth=0, steps=600, every=every)
    runs = [run(0, lr=lr) for lr in np.geomspace(0.01, 3.0, 16)]
    compiled, textbook = both(monkeypatch, settings, runs, "mse")
    assert compiled.diverged_at_step[0] is None
    assert any(step is not None and step > 200 for step in compiled.diverged_at_step)
    assert compiled.diverged_at_step == textbook.diverged_at_step
    np.testing.assert_array_equal(compiled.present, textbook.present)


@every(product(ACTIVATIONS, ["float64", "float32"], NORMALIZATIONS), by=lambda activation, *_: activation)
def test_everything_in_the_catalogue_is_compiled(activation: str, dtype: str, normalization: str) -> None:
    """A kernel that is not found would be as right, and a hundred times slower."""
    for number, loss in enumerate(LOSSES):
        optimizer, clip = list(OPTIMIZERS)[number % len(OPTIMIZERS)], list(CLIPS)[number % len(CLIPS)]
        settings = stack(activation, normalization, loss, optimizer=optimizer, clip=clip, dtype=dtype)
        loop = training._Loop(settings, [run()], data(loss))
        assert isinstance(loop.stepper, Engine)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("clip", CLIPS)
def test_every_rule_is_compiled(optimizer: str, clip: str) -> None:
    loop = training._Loop(stack("relu", optimizer=optimizer, clip=clip), [run()], data("softmax_cross_entropy"))
    assert isinstance(loop.stepper, Engine)
    assert stepper_of is training.stepper_of


@pytest.mark.parametrize("skip", SKIPS)
def test_wild_residual_nets_are_those_of_the_textbook(monkeypatch: pytest.MonkeyPatch, skip: str) -> None:
    number = list(SKIPS).index(skip)
    optimizer, clip = list(OPTIMIZERS)[number % len(OPTIMIZERS)], list(CLIPS)[number % len(CLIPS)]
    settings = stack("relu", "none", "mse", depth=3, optimizer=optimizer, clip=clip, steps=1)
    settings = replace(settings, network=replace(settings.network, skip=SKIPS[skip]()))
    compiled, textbook = both(monkeypatch, settings, WILD, "mse")
    agree(compiled, textbook, BOUND["float64"], NAMES)
    assert None in compiled.diverged_at_step


@pytest.mark.parametrize("case", RESIDUAL, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_residual_nets_are_compiled_and_evaluated_as_the_textbook_does(monkeypatch: pytest.MonkeyPatch, case: Case, dtype: str) -> None:
    """Of dead units, saturation and moments too, after a step, and on other examples."""
    settings = replace(stack(loss=case.loss, steps=2, dtype=dtype, full=True, test=True), network=case.network())
    runs, table = [run(0, scale=0.5, lr=0.02), run(1, lr=0.02)], examples(test=True)
    assert isinstance(training._Loop(settings, runs, table).stepper, Engine)
    compiled, textbook = both(monkeypatch, settings, runs, case.loss, table)
    bound = 1e-9 if dtype == "float64" else 0.02  # deep and normalized, rounding is multiplied by hundreds
    counted = {"dead", "saturated", "equal_units", "z_mean", "z_var", "a_var"}  # the mean of what is normalized is rounding
    agree(compiled, textbook, bound, counted | {"delta_norm", "loss", "accuracy", "test_loss", "test_accuracy"})
    np.testing.assert_allclose(compiled.final.test_loss, textbook.final.test_loss, rtol=bound)
