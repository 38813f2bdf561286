"""Units that one step kills."""

import numpy as np
import pandas as pd
import pytest

from experiments.atlas.catalogue import select
from experiments.findings.published.f_dead_step import _share
from tests.experiments.findings.tables import Run, judged, run

SHARES = select(["f_dead_step"])[0].finding.values["shares"]
LOSS = 10.0
"""Half of K·2: ten outputs of variance 2."""


def nets(power: float = 1.0, by: float = 1.0) -> list[Run]:
    """Return nets that lose the published shares, times `by`, and of units dead before the step as many as `power` says."""
    runs = []
    for lr, share in SHARES.items():
        for seed in range(4):
            before = 0.5 + 0.002 * seed
            dead = [before, before + (1 - before) * share**power * by]
            layers = {"step": [0, 1], "layer": 1, "dead": dead}
            settings = {"data.n_features": 50, "data.n_classes": 10, "input_rms": 1.0, "width": 1000}
            frame = pd.DataFrame({"step": [0, 1], "loss": [LOSS, 1.0]})
            runs.append(run([1.0, 1.0], layers=layers, depth=1, lr=float(lr), seed=seed, steps=frame, **settings))
    return runs


def test_it_holds() -> None:
    estimate, _ = judged("f_dead_step", {"nets": nets()})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.499)


@pytest.mark.parametrize("change", [{"by": 1.3}, {"power": 0.5}])
def test_it_fails(change: dict[str, float]) -> None:
    assert judged("f_dead_step", {"nets": nets(**change)})[0].verdict == "not_reproduced"


@pytest.mark.parametrize("lr", SHARES)
def test_the_formula_has_the_published_shares(lr: float) -> None:
    error = np.sqrt([2 * LOSS])  # the published are means over errors and examples of varying length, which the formula bends
    assert _share(float(lr), error, np.array([50.0]), 1000, 50, 10)[0] == pytest.approx(SHARES[lr], abs=0.01)
