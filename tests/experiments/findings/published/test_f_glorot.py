"""Glorot and Bengio's factors: the published ones hold, others do not, and the fifth of the normalized does not count."""

import numpy as np
import pytest

from tests.experiments.findings.tables import Run, judged, run

STANDARD = [0.2224, 0.2952, 0.3204, 0.3290, 0.3319]
NORMALIZED = [0.4644, 0.6365, 0.7267, 0.7818, 1.62]


def nets(factors: list[float], scatter: float = 0.01) -> list[Run]:
    runs = []
    for seed in range(6):
        noise = np.exp(np.random.default_rng(seed).normal(scale=scatter, size=6))
        norms = np.sqrt(np.cumprod([1.0, *factors[::-1]])[::-1] * noise)
        runs.append(run(norms, norms, seed=seed))
    return runs


def test_the_published_factors_hold() -> None:
    estimate, _ = judged("f_glorot", {"standard": nets(STANDARD), "normalized": nets(NORMALIZED)})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.332, rel=0.03)


@pytest.mark.parametrize("layer", range(5))
def test_one_other_factor_is_enough_to_fail(layer: int) -> None:
    changed = [factor * (1.1 if l == layer else 1) for l, factor in enumerate(STANDARD)]
    assert judged("f_glorot", {"standard": nets(changed), "normalized": nets(NORMALIZED)})[0].verdict == "not_reproduced"


def test_a_normalized_net_that_loses_more_fails() -> None:
    assert judged("f_glorot", {"standard": nets(STANDARD), "normalized": nets(STANDARD)})[0].verdict == "not_reproduced"
