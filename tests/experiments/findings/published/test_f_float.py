"""Layers until δ underflows: the predicted count, and formats that end elsewhere."""

import numpy as np
import pytest

from experiments.findings.published.f_float import predicted
from tests.experiments.findings.tables import Run, judged, run

LEAST = {"single": (1.1754944e-38, 1.4e-45), "double": (2.2250738585072014e-308, 4.94e-324)}


def nets(name: str, depth: int, rate: float = 0.23605, least: float | None = None) -> list[Run]:
    """Return nets whose δ falls by `rate` a layer and is zero below `least`."""
    runs = []
    end = np.log(least or LEAST[name][1])
    for seed in range(4):
        logs = np.log(0.06) + np.arange(depth)[::-1] * np.log(rate)
        with np.errstate(under="ignore"):
            rms = np.append(np.where(logs > end, np.exp(np.maximum(logs, end)), 0.0), 0.1)
        runs.append(run(rms, layers={"delta_rms": rms, "zero": (rms == 0).astype(float)}, seed=seed))
    return runs


def test_the_predicted_number_of_layers_holds() -> None:
    estimate, _ = judged("f_float", {"single": nets("single", 85), "double": nets("double", 540)})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(71, abs=2)


def test_another_rate_fails() -> None:
    assert judged("f_float", {"single": nets("single", 85, rate=0.28), "double": nets("double", 540)})[0].verdict == "not_reproduced"


def test_numbers_flushed_at_the_smallest_normal_one_fail() -> None:
    flushed = nets("single", 85, least=LEAST["single"][0])
    assert judged("f_float", {"single": flushed, "double": nets("double", 540)})[0].verdict == "not_reproduced"


def test_runs_that_never_underflow_do_not_pass_for_want_of_counts() -> None:
    sound = nets("single", 85)
    sound[0] = run(np.ones(86), layers={"delta_rms": np.ones(86), "zero": np.zeros(86)})
    assert judged("f_float", {"single": sound, "double": nets("double", 540)})[0].verdict == "not_reproduced"


def test_the_formula() -> None:
    assert predicted(float(np.log(0.01 * 0.5**10)), 0.01, 0.5) == pytest.approx(11)
