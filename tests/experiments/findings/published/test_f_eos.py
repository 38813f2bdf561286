"""The edge of stability: tables that rise to it and hover, and tables that do not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run

LR = 0.4


def curve(start: float, end: float, limit: float) -> pd.DataFrame:
    """Return a sharpness that goes from `start` to `end`, in units of a limit, over half of the steps, and stays."""
    steps = np.arange(0, 101, 5)
    return pd.DataFrame({"step": steps, "sharpness": limit * np.interp(steps, [0, 50], [start, end])})


def losses(early: bool = False, late: bool = True) -> pd.DataFrame:
    steps = np.arange(101)
    loss = np.exp(-steps / 30)
    loss[10] *= 1.5 if early else 1.0
    loss[80] *= 1.5 if late else 1.0
    return pd.DataFrame({"step": steps, "loss": loss})


def plain(start: float = 0.5, end: float = 1.0, early: bool = False, late: bool = True) -> dict[str, list[Run]]:
    seeds = range(3)
    return {
        "sharpness": [run([1.0, 1.0], steps=curve(start, end, 2 / LR), seed=seed, lr=LR) for seed in seeds],
        "losses": [run([1.0, 1.0], steps=losses(early, late), seed=seed, lr=LR) for seed in seeds],
    }


def momentum(polyak: float = 1.0, nesterov: float = 1.0, start: float = 0.3) -> dict[str, list[Run]]:
    limits = {"polyak": 3.8 / LR, "nesterov": 3.8 / 2.8 / LR}
    ends = {"polyak": polyak, "nesterov": nesterov}
    keys: dict[str, Any] = {"lr": LR, "optimizer.beta": 0.9}
    sweeps = {
        name: [run([1.0, 1.0], steps=curve(start, ends[name], limits[name]), seed=seed, **keys) for seed in range(2)] for name in limits
    }
    half: dict[str, Any] = {"lr": LR, "optimizer.beta": 0.5}
    return sweeps | {"polyak_half": [run([1.0, 1.0], steps=curve(start, polyak, 3 / LR), seed=seed, **half) for seed in range(2)]}


class TestPlain:
    def test_it_holds(self) -> None:
        estimate, _ = judged("f_eos", plain())
        assert estimate.verdict == "reproduced"
        assert estimate.measured == pytest.approx(1.0)
        assert estimate.tables["numbers"]["reached"].iloc[0] == 40

    @pytest.mark.parametrize("change", [{"end": 0.9}, {"end": 1.2}, {"start": 0.95}, {"early": True}, {"late": False}, {"end": 0.5}])
    def test_it_fails(self, change: dict[str, float]) -> None:
        """Away from the edge, past it, at it from the start, with a rise of the loss too early, with none, and with no edge at all."""
        assert judged("f_eos", plain(**change))[0].verdict == "not_reproduced"  # type: ignore[arg-type]


class TestMomentum:
    def test_it_holds(self) -> None:
        estimate, _ = judged("f_eos_mom", momentum())
        assert estimate.verdict == "reproduced"
        assert estimate.measured == pytest.approx(1.0)
        assert set(estimate.tables["numbers"]["times_2_over_lr"].round(4)) == {1.5, 1.9, round(1.9 / 2.8, 4)}

    def test_a_net_that_diverges_does_not_hover(self) -> None:
        tables = momentum()
        tables["polyak"][0]["status"] = "diverged"
        estimate, _ = judged("f_eos_mom", tables)
        assert estimate.verdict == "not_reproduced"
        assert "1 of 2 nets diverged" in estimate.reason

    @pytest.mark.parametrize("change", [{"polyak": 1 / 1.9}, {"nesterov": 2.8 / 1.9}, {"nesterov": 0.9}, {"start": 0.95}])
    def test_it_fails_at_another_limit(self, change: dict[str, float]) -> None:
        assert judged("f_eos_mom", momentum(**change))[0].verdict == "not_reproduced"
