"""Weights that turn by √(2ηλ), and others."""

import numpy as np
import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run

SETTINGS = {"faster": ((0.1, 0.05), (0.5, 0.05)), "slower": ((0.05, 0.1), (0.1, 0.1))}


def net(lr: float, decay: float, turn: float, steps: int = 4000, drift: float = 0.0, every: int = 500) -> Run:
    """Return a net of two hidden layers in balance, whose norm drifts by a share over all steps."""
    step = np.arange(0, steps + 1, every)
    ratio = np.append(np.full(len(step) - 1, turn * np.sqrt(2 * lr * decay)), np.nan)
    norm = 3 * (1 + drift * step / steps)
    columns = {"step": np.tile(step, 2), "layer": np.repeat([1, 2], len(step))}
    layers = {**columns, "weight_norm": np.tile(norm, 2), "update_ratio": np.tile(ratio, 2)}
    frame = pd.DataFrame({"step": step})
    return run(np.ones(2 * len(step)), layers=layers, depth=2, lr=lr, weight_decay=decay, steps=frame)


def single(lr: float = 0.1, decay: float = 0.1, angle: float = 0.0) -> Run:
    """Return a net whose updates are its decay and a gradient of this cosine with the weights."""
    ratio = np.full(6, 0.2)
    norm = 3 * np.cumprod(np.append(1.0, np.sqrt(1 + ratio[:-1] ** 2 - 2 * lr * decay * (1 + angle))))
    layers = {"step": np.arange(6), "layer": 1, "weight_norm": norm, "update_ratio": np.append(ratio[:-1], np.nan)}
    return run(np.ones(6), layers=layers, depth=1, lr=lr, weight_decay=decay, steps=pd.DataFrame({"step": np.arange(6)}))


def sweeps(by: float = 0.0, angle: float = 0.0, drift: float = 0.0) -> dict[str, list[Run]]:
    long = {name: [net(lr, decay, 1 + by * (lr < decay), drift=drift) for lr, decay in pairs] for name, pairs in SETTINGS.items()}
    return long | {"steps": [single(angle=angle)]}


def test_it_holds() -> None:
    estimate, _ = judged("f_rotation", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.141421, rel=1e-5)


@pytest.mark.parametrize("change", [{"by": 0.1}, {"angle": 1e-6}, {"drift": 2.0}])
def test_it_fails(change: dict[str, float]) -> None:
    assert judged("f_rotation", sweeps(**change))[0].verdict == "not_reproduced"
