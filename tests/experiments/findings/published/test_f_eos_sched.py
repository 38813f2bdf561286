"""Sharpness under schedules, made by hand."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run


def net(steps: int, value: Callable[[int], float], seed: int, rate: float = 0.4, lost: bool = False) -> Run:
    """Return a net with sharpness × η/2 as a function of the step, every 50 steps; the last row makes no update."""
    step = np.arange(0, steps + 1, 50)
    lr = np.append(np.full(len(step) - 1, rate), np.nan)
    sharpness = [2 * (value(int(at)) + 0.01 * seed) / rate for at in step]
    status = {"status": "diverged"} if lost else {}
    return run([1.0, 1.0], seed=seed, steps=pd.DataFrame({"step": step, "lr": lr, "sharpness": sharpness}), **status)


def sweeps(edge: float = 1.0, dropped: float = 0.55, follows: float = 0.0, lost: int = 2) -> dict[str, list[Run]]:
    def drop(step: int) -> float:
        return edge if step < 1500 or step >= 2200 else dropped

    def cosine(step: int) -> float:
        return max(follows, 1 - step / 2900)

    return {
        "drop": [net(3000, drop, seed) for seed in range(2)], "warm_up": [net(2000, lambda _: edge, seed) for seed in range(2)],
        "cosine": [net(3000, cosine, seed) for seed in range(2)],
        "jump": [net(2300, lambda _: 1.0, seed, lost=seed < lost) for seed in range(3)],
    }  # fmt: skip


def test_it_holds() -> None:
    estimate, _ = judged("f_eos_sched", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(1.005)


@pytest.mark.parametrize("change", [{"edge": 0.8}, {"dropped": 0.9}, {"follows": 1.0}, {"lost": 1}])
def test_it_fails(change: dict[str, float]) -> None:
    assert judged("f_eos_sched", sweeps(**change))[0].verdict == "not_reproduced"  # type: ignore[arg-type]
