"""ReLU's one critical point: correlations that follow the map, and five points that keep nothing."""

import numpy as np
import pytest

from experiments.findings.finding import Estimate
from experiments.findings.published.f_relu_edge import asymptote, correlations
from tests.experiments.findings.tables import Run, joined, judged, run

PAIRS = 6


def paths(gap: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[Run]:
    """Return runs whose effective rank is that of six vectors with all correlations 1 − gap."""
    runs = []
    for seed in range(6):
        c = 1 - gap * np.exp(np.random.default_rng(seed).normal(scale=0.02, size=len(gap)))
        rank = PAIRS / (1 + (PAIRS - 1) * c**2)
        runs.append(run(np.ones(len(gap) + 1), layers={"a_rank": [*rank, np.nan]}, seed=seed, **{"data.n_samples": PAIRS}))
    return runs


def points(at_biases: float = 3.0) -> list[Run]:
    parts = []
    for scale in (1.2, 1.41421356, 1.6):
        for bias in (0.0, 0.5):
            chi = scale**2 / 2
            for seed in range(4):
                grown = chi**19 * (at_biases if bias else 1.0)
                norms = np.append(chi ** (np.arange(20)[::-1] / 2), 1.0)
                z = {"z_var": np.append(np.geomspace(1, grown, 20), 1.0), "z_mean": 0.0}
                parts.append([run(norms, layers=z, seed=seed, **{"init.scale": scale, "init.bias_std": bias})])
    return joined(*parts)


def estimated(gap: "np.ndarray[tuple[int], np.dtype[np.float64]]", edge: list[Run]) -> Estimate:
    return judged("f_relu_edge", {"correlation": paths(gap), "edge": edge})[0]


MAP = (1 - correlations(60))[1:]


def test_the_map_and_the_single_point_hold() -> None:
    estimate = estimated(MAP, points())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(float(MAP[-1]), rel=0.05)


def test_an_exponential_decay_fails() -> None:
    assert estimated(np.exp(-0.1 * np.arange(1, 61)), points()).verdict == "not_reproduced"


def test_a_second_point_that_keeps_both_fails() -> None:
    assert estimated(MAP, points(at_biases=1.0)).verdict == "not_reproduced"


def test_the_map_tends_to_its_asymptote() -> None:
    ratios = [(1 - correlations(layers)[-1]) / asymptote(layers) for layers in (100, 1000, 10000)]
    assert ratios == sorted(ratios)
    assert ratios[-1] == pytest.approx(1, rel=0.005)
