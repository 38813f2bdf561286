"""SELU's fixed point and its slopes."""

import numpy as np
import pytest

from tests.experiments.findings.tables import Run, judged, run

DEPTH = 20


def slopes(variance_slope: float = 0.7826) -> list[Run]:
    """Return one-layer nets on either side of variance 1, with the chance of a seed common to both."""
    runs = []
    for seed in range(8):
        chance = np.random.default_rng(seed).normal(scale=0.02)
        for variance in (0.9, 1.1):
            layers = {"z_var": variance, "a_mean": 0.0888 * (variance - 1) + chance, "a_var": 1 + variance_slope * (variance - 1) + chance}
            runs.append(run([1.0, 1.0], layers=layers, seed=seed, **{"data.x": variance**0.5}))
    return runs


def flows(rate: float = 0.78) -> list[Run]:
    """Return deep nets whose variance comes nearer to 1 by a rate per layer."""
    runs = []
    for start in (0.8, 1.5):
        for seed in range(5):
            away = (start - 1) * rate ** np.arange(DEPTH + 1) + np.random.default_rng(seed).normal(scale=0.01)
            layers = {"a_mean": 0.1 * away, "a_var": 1 + away}
            runs.append(run(np.ones(DEPTH + 1), layers=layers, seed=seed, **{"data.x": start**0.5}))
    return runs


def test_it_holds_and_common_chance_cancels() -> None:
    estimate, _ = judged("f_selu", {"slopes": slopes(), "attraction": flows()})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.7826)
    assert estimate.theory == pytest.approx(0.7826, abs=1e-4)


def test_another_slope_fails() -> None:
    assert judged("f_selu", {"slopes": slopes(0.9), "attraction": flows()})[0].verdict == "not_reproduced"


def test_a_point_that_does_not_attract_fails() -> None:
    assert judged("f_selu", {"slopes": slopes(), "attraction": flows(1.0)})[0].verdict == "not_reproduced"
