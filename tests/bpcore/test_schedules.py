"""Schedules: known factors, against torch.optim.lr_scheduler, the warm-up in front, and what is recorded of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bpcore import schedules
from tests.bpcore.runs import SCHEDULES, differences, examples, run, snapshots, stack, train, train_one
from tests.oracles import Array, row_for

HERE = "tests/bpcore/test_schedules.py"
every_schedule = pytest.mark.parametrize("name", SCHEDULES)

# f(0), f(1), f(45), f(100) of 100 updates, with the arguments of the conf file
KNOWN = {
    "constant": (1.0, 1.0, 1.0, 1.0),
    "step": (1.0, 1.0, 0.1, 0.001),
    "exponential": (1.0, 0.99, 0.99**45, 0.99**100),
    "cosine": (1.0, (1 + np.cos(np.pi / 100)) / 2, (1 + np.cos(0.45 * np.pi)) / 2, 0.0),
}


def factors(name: str, total: int, **arguments: Any) -> Array:
    return SCHEDULES[name](**arguments).factors(np.arange(total + 1), total)


@every_schedule
def test_known_factors(name: str) -> None:
    known = row_for(KNOWN, name, "row of known factors", f"{HERE}, KNOWN")
    np.testing.assert_allclose(factors(name, 100)[[0, 1, 45, 100]], known, rtol=1e-14, atol=1e-16)
    assert SCHEDULES[name]().name == name


@every_schedule
def test_the_factors_are_those_of_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    rates = torch.optim.lr_scheduler
    peers = {
        "constant": lambda rule: rates.ConstantLR(rule, 1.0),
        "step": lambda rule: rates.StepLR(rule, 30),
        "exponential": lambda rule: rates.ExponentialLR(rule, 0.99),
        "cosine": lambda rule: rates.CosineAnnealingLR(rule, 100),
    }
    rule = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    peer, expected = row_for(peers, name, "torch.optim.lr_scheduler counterpart", f"{HERE}, `peers`")(rule), []
    for _ in range(101):
        expected.append(rule.param_groups[0]["lr"])
        rule.step()
        peer.step()
    np.testing.assert_allclose(factors(name, 100), expected, rtol=1e-12, atol=1e-15)


@every_schedule
def test_a_warm_up_rises_evenly_to_the_full_rate_and_the_schedule_begins_behind_it(name: str) -> None:
    warmed = factors(name, 50, warmup=5)
    np.testing.assert_allclose(warmed[:5], [0.2, 0.4, 0.6, 0.8, 1.0], rtol=1e-15)
    np.testing.assert_array_equal(warmed[5:], factors(name, 45))
    assert np.isfinite(factors(name, 3, warmup=5)).all()


@every_schedule
def test_the_factor_of_a_step_has_the_same_bits_in_any_company(name: str) -> None:
    schedule, steps = SCHEDULES[name](warmup=2), np.arange(41)
    whole = schedule.factors(steps, 40)
    for length in (1, 2, 3, 7):
        parts = [schedule.factors(steps[at : at + length], 40) for at in range(0, 41, length)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


@every_schedule
def test_a_schedule_does_not_look_at_the_shape_of_what_it_is_asked(name: str) -> None:
    schedule, steps = SCHEDULES[name](warmup=2), np.arange(12)
    np.testing.assert_array_equal(schedule.factors(steps.reshape(3, 4), 11), schedule.factors(steps, 11).reshape(3, 4))


@every_schedule
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_rate_in_force_is_recorded_at_every_row_and_is_the_one_of_the_update(name: str, dtype: str) -> None:
    settings = stack(steps=6, every=2, dtype=dtype, schedule=SCHEDULES[name](warmup=3))
    record = train_one(settings, run(lr=0.3))
    np.testing.assert_array_equal(record.steps["lr"], 0.3 * settings.schedule.factors(np.array([0, 2, 4, 6]), 6))
    start = snapshots(replace(settings, steps=0), run(lr=0.3), range(1))[0]
    end = snapshots(replace(settings, steps=1, schedule=SCHEDULES["constant"](warmup=3)), run(lr=0.3), range(1, 2))[0]
    np.testing.assert_allclose(end["W2"] - start["W2"], -0.1 * start["dW2"], rtol=1e-3 if dtype == "float32" else 1e-9)


def test_a_run_that_diverges_between_two_rows_has_its_rate_recorded_too() -> None:
    settings = stack("identity", loss="mse", depth=0, steps=100, every=90, schedule=SCHEDULES["exponential"](gamma=1.2))
    record = train_one(settings, run(lr=1.0))
    assert record.diverged_at_step not in (None, 90)
    np.testing.assert_allclose(record.steps["lr"], 1.2 ** record.steps["step"], rtol=1e-12)


@every_schedule
def test_a_run_has_the_same_bits_alone_and_in_a_stack(name: str) -> None:
    settings = stack(steps=7, batch_size=5, optimizer="nesterov", clip="percentile", schedule=SCHEDULES[name](warmup=2))
    runs = [run(0), run(1, lr=0.7, clip_threshold=30.0), run(2, lr=1e200)]
    data = examples(test=True)
    for one, record in zip(runs, train(settings, runs, data), strict=True):
        assert differences(train_one(settings, one, data), record) == []


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        *((name, {"warmup": -1}, "`warmup` must be an integer ≥ 0, got -1") for name in SCHEDULES),
        ("step", {"every": 0}, "`every` must be an integer ≥ 1, got 0"),
        ("step", {"gamma": 0.0}, "`gamma` must be a finite number > 0, got 0.0"),
        ("exponential", {"gamma": np.inf}, "`gamma` must be a finite number > 0, got inf"),
        ("cosine", {"end": 1.5}, r"`end` must lie in \[0, 1\], got 1.5"),
    ],
)
def test_bad_arguments_are_named(name: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        getattr(schedules, name)(**arguments)
