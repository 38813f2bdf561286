"""Adam's first step, above ε and below it."""

from typing import Any

import numpy as np
import pytest

from tests.experiments.findings.tables import Run, judged, run


def nets(ratio: float, width: int, optimizer: str = "adam", scale: float = 1.0) -> list[Run]:
    settings: dict[str, Any] = {"lr": 0.01, "width": width, "init.scale": scale, "optimizer": optimizer, "optimizer.rho": 0.99}
    layers = [{"update_ratio": np.array([0.5, 1.0, 1.0]) * 0.01 * ratio * (1 + 0.001 * seed)} for seed in range(3)]
    return [run([1.0, 1.0, 1.0], layers=own, seed=seed, **settings) for seed, own in enumerate(layers)]


def deep(eps: float, follows: float = 0.0, below: float = 1.0) -> list[Run]:
    """Return a net whose update is that of Adam, times a power of the gradient, and times `below` under ε."""
    rms = 1e-3 * 4.0 ** -np.arange(20, -1, -1)
    ratio = 8 * np.where(rms < eps, below * rms / eps, 1.0) * (rms / rms[0]) ** follows
    layers = {"update_ratio": 0.01 * ratio, "weight_grad_norm": 64 * rms, "weight_norm": 8.0}
    return [run(np.ones(21), layers=layers, lr=0.01, width=64, **{"init.scale": 1.0, "optimizer.eps": eps, "optimizer": "adam"})]


def sweeps(adam: float = 1.0, rmsprop: float = 1.0, scale: float = 1.0, **changed: float) -> dict[str, list[Run]]:
    return {
        "adam": [one for width in (64, 256, 1024) for one in nets(adam * width**0.5, width)],
        "scale": nets(scale * 4, 64, scale=2.0), "rmsprop": nets(rmsprop * 80, 64, "rmsprop"),
        "deep": deep(1e-8, **changed) + deep(1e-30, **changed),
    }  # fmt: skip


def test_it_holds() -> None:
    estimate, _ = judged("f_adam_step", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(16, rel=0.002)


@pytest.mark.parametrize("change", [{"adam": 1.05}, {"rmsprop": 0.1}, {"scale": 2.0}, {"follows": 0.01}, {"below": 0.9}])
def test_it_fails(change: dict[str, float]) -> None:
    assert judged("f_adam_step", sweeps(**change))[0].verdict == "not_reproduced"
