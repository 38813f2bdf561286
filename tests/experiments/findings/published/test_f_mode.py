"""Modes that grow by the formula, and modes that do not."""

import numpy as np
import pandas as pd
import pytest

from experiments.findings.published.f_mode import crossing, learned, learning_time
from tests.experiments.findings.tables import Run, judged, run


def one(strength: float, speed: float = 1.0) -> Run:
    step = np.arange(0, 4001, 10)
    steps = pd.DataFrame({"step": step, "mode_1": learned(strength, 0.01, 0.001 * step * speed)})
    return run([1.0, 1.0], steps=steps, **{"data.y": strength, "lr": 0.001, "init.scale": 0.1})


def four(seed: int = 0, swap: bool = False) -> Run:
    step = np.arange(0, 801, 5)
    strengths = (4.0, 3.0, 2.0, 1.0)
    modes = {f"mode_{k}": learned(strength, 0.001, 0.01 * step) for k, strength in enumerate(strengths, 1)}
    if swap:
        modes["mode_1"] = modes["mode_1"] * (step > 700)
    return run([1.0, 1.0], steps=pd.DataFrame({"step": step, **modes}), seed=seed, **{"lr": 0.01, "data.strength": 4.0, "data.n_modes": 4})


def test_it_holds_for_the_formula_itself() -> None:
    estimate, _ = judged("f_mode", {"one_mode": [one(1.0), one(3.0)], "four_modes": [four()]})
    assert estimate.verdict == "reproduced"
    assert estimate.published == pytest.approx(3.39617, rel=1e-5)
    assert estimate.measured == pytest.approx(3.39617, rel=1e-3)


@pytest.mark.parametrize(("speed", "swap"), [(0.97, False), (1.0, True)])
def test_another_speed_or_another_order_fails(speed: float, swap: bool) -> None:
    estimate, _ = judged("f_mode", {"one_mode": [one(1.0, speed), one(3.0, speed)], "four_modes": [four(0), four(1, swap)]})
    assert estimate.verdict == "not_reproduced"


def test_a_mode_that_is_never_learned_fails() -> None:
    estimate, _ = judged("f_mode", {"one_mode": [one(1.0, 0.1)], "four_modes": [four()]})
    assert estimate.verdict == "not_reproduced"


def test_the_curve_passes_the_level_at_the_formulas_time() -> None:
    assert learned(2.0, 0.01, learning_time(2.0, 0.01, 1.8)) == pytest.approx(1.8, rel=1e-12)
    assert crossing([0, 1, 2], [0.0, 1.0, 3.0], 2.0) == 1.5
    assert np.isnan(crossing([0, 1], [0.0, 1.0], 2.0))
