"""Log-normal scatter: normal logarithms of the predicted mean and variance, and three ways to differ."""

import numpy as np
import pytest

from experiments.atlas.finding import Estimate
from tests.experiments.findings.tables import Run, judged, run


def nets(activation: str, beta: float, mean: float, spread: float = 1.0, seeds: int = 400, uniform: bool = False) -> list[Run]:
    rng = np.random.default_rng([seeds, int(10 * beta)])
    noise = rng.uniform(-np.sqrt(3), np.sqrt(3), seeds) if uniform else rng.standard_normal(seeds)
    logs = mean + spread * np.sqrt(beta) * noise
    return [run([np.exp(log / 2), *np.ones(21)], seed=seed, activation=activation, width=100) for seed, log in enumerate(logs)]


def estimated(**changed: float) -> Estimate:
    linear = nets("identity", 0.4, -0.2)
    return judged("f_hanin", {"relu": nets("relu", 1.0, **{"mean": -0.5} | changed), "linear": linear})[0]  # type: ignore[arg-type]


def test_the_predicted_law_holds() -> None:
    estimate = estimated()
    assert estimate.verdict == "reproduced"
    assert estimate.n == 800
    assert estimate.measured == pytest.approx(1, abs=0.2)
    assert "6 of 6" in estimate.reason


@pytest.mark.parametrize("changed", [{"mean": 0.0}, {"spread": 1.3}, {"uniform": True}], ids=["mean", "variance", "shape"])
def test_another_law_is_told_apart(changed: dict[str, float]) -> None:
    assert estimated(**changed).verdict == "not_reproduced"


def test_too_few_seeds_to_see_the_correction_do_not_pass() -> None:
    estimate = estimated(seeds=8)
    assert estimate.tables["numbers"]["mean_high"].max() > 0
    assert estimate.verdict == "not_reproduced"
