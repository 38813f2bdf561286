"""Log-normal scatter: normal logarithms of the predicted mean and variance, and three ways to differ."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.store.tables import Results


def nets(activation: str, beta: float, mean: float, spread: float = 1.0, seeds: int = 400, two_points: bool = False) -> Results:
    """Return tables whose logarithms are evenly spaced quantiles of a normal law, or two points; one frame for many runs."""
    noise = stats.norm.ppf((np.arange(seeds) + 0.5) / seeds)
    logs = mean + spread * np.sqrt(beta) * (np.sign(noise) if two_points else noise)
    run_id = [f"{activation}{seed}" for seed in range(seeds)]
    runs = pd.DataFrame(
        {"run_id": run_id, "job": range(seeds), "seed": range(seeds), "status": "ok", "depth": 21, "activation": activation, "width": 100}
    )
    first, last = (
        pd.DataFrame({"run_id": run_id, "step": 0, "layer": layer, "delta_norm": norms})
        for layer, norms in ((1, np.exp(logs / 2)), (21, np.ones(seeds)))
    )
    return Results(runs, pd.concat([first, last]), pd.DataFrame(), pd.DataFrame(), path=Path("nowhere"))


def sweeps(seeds: int = 400, **relu: Any) -> dict[str, Results]:
    return {"relu": nets("relu", 1.0, **({"mean": -0.5, "seeds": seeds} | relu)), "linear": nets("identity", 0.4, -0.2, seeds=seeds)}


def estimated(seeds: int = 400, **relu: Any) -> Estimate:
    (entry,) = select(["f_hanin"])
    return entry.estimate(sweeps(seeds, **relu), entry.finding)


def test_the_predicted_law_holds() -> None:
    estimate = estimated()
    assert estimate.verdict == "reproduced"
    assert estimate.n == 800
    assert estimate.measured == pytest.approx(1, abs=0.05)
    assert "6 of 6" in estimate.reason


@pytest.mark.parametrize("relu", [{"mean": 0.0}, {"spread": 1.3}, {"two_points": True}], ids=["mean", "variance", "shape"])
def test_another_law_is_told_apart(relu: dict[str, Any]) -> None:
    estimate = estimated(**relu)
    assert estimate.verdict == "not_reproduced"
    assert "6 of 6" not in estimate.reason


def test_too_few_seeds_to_see_the_correction_do_not_pass() -> None:
    estimate = estimated(seeds=8)
    assert "6 of 6" in estimate.reason
    assert estimate.tables["numbers"]["mean_high"].max() > 0
    assert estimate.verdict == "not_reproduced"
