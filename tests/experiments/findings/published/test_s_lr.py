"""The learning rate: tables where the border is 2/λ, and tables where nets are lost elsewhere."""

from typing import Any

import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run

RATES = (1e-6, 1e-3, 0.01, 0.1, 0.2, 0.4, 0.8, 3.2)
LIMIT = 0.25


def sweeps(border: float, slow_keeps: float = 0.99, best: float = 0.1) -> dict[str, list[Run]]:
    nets, curvature = [], []
    for depth in (1, 4):
        for seed in range(3):
            shape: dict[str, Any] = {"depth": depth, "seed": seed}
            curvature.append(run([1.0, 1.0], steps=pd.DataFrame({"step": [0], "sharpness": [2 / LIMIT]}), **shape))
            for lr in RATES:
                kept = slow_keeps if lr < 1e-4 else best
                lost = lr > border
                extra: dict[str, Any] = {"status": "diverged" if lost else "ok", "final_loss": float("inf") if lost else 2 * kept}
                nets.append(run([1.0, 1.0], steps=pd.DataFrame({"step": [0], "loss": [2.0]}), lr=lr, **shape, **extra))
    return {"map": nets, "curvature": curvature}


def test_it_holds_where_nets_are_lost_above_the_limit() -> None:
    estimate, _ = judged("s_lr", sweeps(0.3))
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx((0.2 * 0.4) ** 0.5 / LIMIT)


def test_a_border_far_above_the_limit_is_a_caveat() -> None:
    estimate, _ = judged("s_lr", sweeps(1.0))
    assert estimate.verdict == "caveat"
    assert "6.4 times" in estimate.reason


@pytest.mark.parametrize(("border", "slow_keeps", "best"), [(0.15, 0.99, 0.1), (10.0, 0.99, 0.1), (0.3, 0.5, 0.1), (0.3, 0.99, 0.7)])
def test_it_fails(border: float, slow_keeps: float, best: float) -> None:
    """Nets lost below the limit, never lost, learning at rates too small for it, or at none."""
    assert judged("s_lr", sweeps(border, slow_keeps, best))[0].verdict == "not_reproduced"


def test_a_loss_that_ends_above_its_start_is_lost() -> None:
    tables = sweeps(0.3)
    for net in tables["map"]:
        if net["lr"] == 0.2:
            net["final_loss"] = 2.1
    assert judged("s_lr", tables)[0].verdict == "not_reproduced"
