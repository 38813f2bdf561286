"""A learning rate that is limited by the start without clipping alone, and otherwise."""

import numpy as np
import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run

FACTORS = (0.5, 0.9, 0.99, 1.01, 1.1, 2.0)


def plain(start: float, limit: float = 1.0) -> list[Run]:
    runs = []
    for factor in FACTORS:
        safe = factor < limit
        ends = {"status": "ok" if safe else "diverged", "final_loss": 1e-9 if safe else np.inf}
        runs.append(run([1.0], **ends, **{"init.scale": start, "lr": factor * 2 * start / np.sinh(start)}))
    return runs


def clipped(start: float, rate: float, needed: int) -> Run:
    step = np.arange(61)
    loss = np.where(step < needed, 1.0, 1e-9)
    return run([1.0], steps=pd.DataFrame({"step": step, "loss": loss}), **{"init.scale": start, "lr": rate})


def sweeps(limit: float = 1.0, more: int = 0) -> dict[str, list[Run]]:
    tables = {f"gd_{start}": plain(start, limit) for start in (4, 7, 10)}
    tables["clipped"] = [clipped(start, rate, int(start / rate) + more) for start in (4, 7, 10) for rate in (0.5, 1.0)]
    return tables


def judge(limit: float = 1.0, more: int = 0) -> tuple[str, float | None]:
    estimate, _ = judged("f_clip", sweeps(limit, more))
    return estimate.verdict, estimate.measured


def test_it_holds() -> None:
    verdict, measured = judge()
    assert verdict == "reproduced"
    assert measured == pytest.approx(20 / np.sinh(10), rel=1e-3)


@pytest.mark.parametrize(("limit", "more"), [(0.95, 0), (1.05, 0), (1.0, 6), (1.0, 100), (0.1, 0), (9.0, 0)])
def test_another_limit_or_a_slow_or_failing_clipped_descent_fails(limit: float, more: int) -> None:
    assert judge(limit, more)[0] == "not_reproduced"
