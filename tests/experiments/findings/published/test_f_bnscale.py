"""Identities of batch normalization that hold, and that do not."""

import numpy as np
import pandas as pd

from experiments.store.columns import LAYERS
from tests.experiments.findings.tables import Run, judged, run

SCALES = (1e-13, 4e-13, 1e-12)


def scaled(normalized: bool, error: float = 0.0) -> list[Run]:
    runs = []
    for scale in SCALES:
        a = 1.0 if normalized else scale
        slope = (1 + error * (scale > SCALES[0])) if normalized else scale
        layers = {"a_mean": 0.1 * a, "a_var": 0.4 * a**2, "weight_norm": [30 * scale, 5 * scale], "weight_grad_norm": [slope, 1.0]}
        runs.append(run([1.0, 1.0], layers=layers, **{"init.scale": scale, "depth": 1}))
    return runs


def trained(angle: float) -> list[Run]:
    """A run of one hidden layer whose updates have this cosine with the weights."""
    step = np.arange(11)
    ratio = np.full(11, 0.1)
    norm = 3 * np.cumprod(np.append(1.0, np.sqrt(1 + ratio[:-1] ** 2 + 2 * angle * ratio[:-1])))
    layers = {"step": step, "layer": 1, "weight_norm": norm, "update_ratio": np.append(ratio[:-1], np.nan)}
    one = run(np.ones(11), layers=layers, depth=1, steps=pd.DataFrame({"step": step}))
    assert set(layers) <= set(LAYERS)
    return [one]


def sweeps(error: float = 0.0, angle: float = 0.0, without: float = 0.3) -> dict[str, list[Run]]:
    return {
        "scale": scaled(True, error), "scale_without": scaled(False), "orthogonal": trained(angle), "orthogonal_without": trained(without),
    }  # fmt: skip


def verdict(**change: float) -> str:
    return judged("f_bnscale", sweeps(**change))[0].verdict


def test_it_holds() -> None:
    assert verdict() == "reproduced"


def test_a_gradient_of_another_size_or_direction_fails() -> None:
    assert verdict(error=1e-6) == "not_reproduced"
    assert verdict(angle=1e-6) == "not_reproduced"


def test_a_check_that_sees_nothing_without_normalization_fails() -> None:
    assert verdict(without=0.0) == "not_reproduced"
