"""Residual nets whose branches are scaled by 1/√L: totals as published, others, and totals that grow with depth."""

import numpy as np
import pytest

from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, joined, judged, residual

SIGMA_W2 = {"he": 2.0, "lecun": 1.0}


def factor(init: str, blocks: int) -> float:
    return 1 + SIGMA_W2[init] / (2 * blocks)


def sweeps(change: float = 1.0, trend: float = 0.0) -> dict[str, list[Run]]:
    """Return nets of the published totals, times `change` and (L/50)^trend."""
    return {
        init: joined(*(
            residual(
                (change * (blocks / 50) ** trend * factor(init, blocks) ** blocks) ** np.linspace(1, 0, blocks + 1),
                theory=factor(init, blocks) ** np.arange(blocks, -1.0, -1.0), init=init,
            )
            for blocks in depths
        ))
        for init, depths in {"he": (10, 50, 100), "lecun": (10, 50)}.items()
    }  # fmt: skip


def test_it_holds() -> None:
    estimate, _ = judged("f_res_stable", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(2.692, rel=0.02)


def test_other_totals_and_a_trend_fail() -> None:
    assert judged("f_res_stable", sweeps(change=1.12))[0].verdict == "not_reproduced"
    failed = judged("f_res_stable", sweeps(trend=0.1))[0]
    assert failed.verdict == "not_reproduced"
    assert failed.judgement.conditions[1].holds is False


def test_the_published_totals_are_the_formula() -> None:
    for init, totals in select(["f_res_stable"])[0].finding.values["total"].items():
        for blocks, total in totals.items():
            assert factor(init, blocks) ** blocks == pytest.approx(total, abs=5e-4)
