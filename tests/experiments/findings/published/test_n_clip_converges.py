"""Clipped descent on a quadratic, simulated."""

import numpy as np
import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run


def descent(w: float, lr: float, c: float, damped: float = 0.0, steps: int = 120) -> Run:
    """Return gradient descent on w²/2, clipped at c; `damped` shrinks w in every step, as no clipping does."""
    path = [w]
    for _ in range(steps):
        w = (1 - damped) * (w - lr * float(np.clip(w, -c, c)))
        path.append(w)
    step = np.arange(steps + 1)
    layers = {"step": step, "layer": 1, "weight_norm": np.abs(path)}
    settings = {"lr": lr, "clip.threshold": c, "init.scale": path[0]}
    return run(np.ones(steps + 1), layers=layers, depth=0, steps=pd.DataFrame({"step": step}), **settings)


def sweeps(damped: float = 0.0, half: float = 2.5, below: float = 1.5) -> dict[str, list[Run]]:
    starts = (0.3, 1.0, 3.0)
    return {
        "below": [descent(w, below, 0.5) for w in starts], "half": [descent(w, half, 0.5, damped) for w in starts],
        "one": [descent(w, 10.0 if half > 2 else half, 1.0, damped) for w in starts],
    }  # fmt: skip


def test_the_claim_holds_below_the_rate_2() -> None:
    assert judged("n_clip_converges", sweeps(half=1.5))[0].verdict == "reproduced"


def test_it_is_refuted_by_what_happens_above() -> None:
    estimate, _ = judged("n_clip_converges", sweeps())
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(1.25, rel=1e-12)


@pytest.mark.parametrize("change", [{"damped": 0.01}, {"below": 2.5}])
def test_it_is_neither_where_a_run_ends_elsewhere(change: dict[str, float]) -> None:
    assert judged("n_clip_converges", sweeps(**change))[0].verdict == "not_reproduced"
