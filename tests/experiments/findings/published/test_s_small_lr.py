"""The small learning rate: tables that contradict the claim, bear it out, and decide nothing."""

import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run


def nets(end: float = 1.01, loss: float = 0.99, at_start: float = 1.0) -> list[Run]:
    """Return nets of which the one with the smallest lr ends at `end` and started at `at_start`."""
    runs = []
    for activation in ("tanh", "sigmoid"):
        for seed in range(4):
            for lr in (1e-6, 1.0):
                tiny = lr < 1e-3
                first = (1 + seed) * (at_start if tiny else 1.0)
                last = first * (end if tiny else 0.2)
                layers = {"step": [0, 0, 200, 200], "layer": [1, 2, 1, 2]}
                extra = {"activation": activation, "lr": lr, "seed": seed, "depth": 1, "final_loss": loss if tiny else 0.1}
                runs.append(run([first, 1.0, last, 1.0], None, layers, steps=pd.DataFrame({"step": [0], "loss": [1.0]}), **extra))
    return runs


def test_a_gradient_that_stays_refutes_it() -> None:
    estimate, _ = judged("s_small_lr", {"rates": nets()})
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(1.01)
    assert "to the bit" in estimate.reason


@pytest.mark.parametrize("change", [{"end": 0.01}, {"at_start": 0.01}])
def test_a_gradient_that_vanishes_bears_it_out(change: dict[str, float]) -> None:
    assert judged("s_small_lr", {"rates": nets(**change)})[0].verdict == "reproduced"


@pytest.mark.parametrize("change", [{"end": 0.5}, {"loss": 0.3}, {"at_start": 1.0 + 1e-12}])
def test_neither_side_is_not_reproduced(change: dict[str, float]) -> None:
    assert judged("s_small_lr", {"rates": nets(**change)})[0].verdict == "not_reproduced"
