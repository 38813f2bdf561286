"""δ through a funnel of widths."""

from typing import Any

import numpy as np
import pytest

from tests.experiments.findings.tables import Run, judged, run

TOTAL = {("he", "fan_in", 1.0): 1.0, ("he", "fan_out", 1.0): 16.0, ("xavier", "", 1.0): (2 / 3) ** 4, ("xavier", "", 2**0.5): (4 / 3) ** 4}
WIDTHS = np.array([512, 256, 128, 64, 32, 1])


def nets(init: str, factor: float = 1.0, unit: int = 1) -> list[Run]:
    runs = []
    for (name, mode, scale), total in TOTAL.items():
        for seed in range(8):
            norms = (total * factor) ** (np.arange(4, -2, -1) / 8) * np.exp(0.01 * (-1) ** seed * np.arange(6))
            own = {"init": name, "width": "[512,256,128,64,32]", "init.mode": mode, "init.scale": scale, "seed": seed}
            layers = {"delta_rms": norms / np.sqrt(WIDTHS**unit)}
            runs.append(run(norms, total ** (np.arange(4, -2, -1) / 8), layers, **own))
    return [one for one in runs if one["init"] == init]


def sweeps(factor: float = 1.0, unit: int = 1) -> dict[str, list[Run]]:
    return {"he": nets("he", factor, unit), "xavier": nets("xavier", factor, unit)}


def test_it_holds() -> None:
    estimate, _ = judged("f_funnel", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(16, rel=0.02)
    assert estimate.theory == pytest.approx(16)


@pytest.mark.parametrize("change", [{"factor": 1.1}, {"factor": 1 / 16}, {"unit": 0}])
def test_it_fails(change: dict[str, Any]) -> None:
    assert judged("f_funnel", sweeps(**change))[0].verdict == "not_reproduced"
