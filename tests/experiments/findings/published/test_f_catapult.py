"""Descent on u·v, simulated in its two numbers, and descent that is not catapulted."""

import numpy as np
import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run

RATES = (0.9, 1.02, 1.5, 1.9, 1.98, 2.02, 2.1)


def net(lr: float, width: int, seed: int, quadratic: bool = False, gain: float = 1.0) -> Run:
    """Return f ← f(1 − ηκ + η²f²), κ ← κ + ηf²(ηκ − 4); with a constant κ where the function is a quadratic."""
    f, kappa, path, steps = (1 + 0.1 * seed) / np.sqrt(width), 2.0, list[float](), 400
    for _ in range(steps + 1):
        path.append(gain * f * f / 2)
        if not quadratic:
            f, kappa = f * (1 - lr * kappa + lr * lr * f * f), kappa + lr * f * f * (lr * kappa - 4)
        else:
            f *= 1 - lr * kappa
        if abs(f) > 1e100:
            break
    path[0] /= gain
    lost = len(path) < steps
    step = np.arange(len(path))
    layers = {"step": len(path) - 1, "weight_norm": np.sqrt(kappa / 2)}
    status = {"status": "diverged"} if lost else {}
    return run([1.0, 1.0], layers=layers, lr=lr, width=width, seed=seed, steps=pd.DataFrame({"step": step, "loss": path}), **status)


def sweeps(quadratic: bool = False, gain: float = 1.0) -> dict[str, list[Run]]:
    return {
        "rates": [net(lr, 1000, seed, quadratic, gain) for lr in RATES for seed in range(2)],
        "widths": [net(lr, width, 0, quadratic, gain) for lr in (1.5, 1.98, 2.02) for width in (100, 10000)],
    }  # fmt: skip


def test_it_holds() -> None:
    estimate, _ = judged("f_catapult", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(2, rel=1e-3)
    assert (estimate.low, estimate.high) == (1.98, 2.02)


def test_a_quadratic_is_lost_above_two_over_its_curvature() -> None:
    assert judged("f_catapult", sweeps(quadratic=True))[0].verdict == "not_reproduced"


def test_a_border_without_a_catapult_fails() -> None:
    """Rates that end well, but never rise."""
    assert judged("f_catapult", sweeps(gain=1e-4))[0].verdict == "not_reproduced"


def test_another_peak_fails() -> None:
    assert judged("f_catapult", sweeps(gain=2.0))[0].verdict == "not_reproduced"
