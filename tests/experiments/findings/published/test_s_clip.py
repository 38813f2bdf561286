"""Clipping: tables where it saves the nets, and tables where it does not, or is not needed, or exceeds its bound."""

from typing import Any

import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run


def sweeps(
    lowest: float = 3.0, highest: float = 300.0, without: float = 0.1, excess: float = 1.0, norm: float = 20.0
) -> dict[str, list[Run]]:
    """Return nets that train at thresholds from `lowest` to `highest`; the mean norm is `norm`."""

    def frame(threshold: float) -> pd.DataFrame:
        after = [min(30.0, threshold) * excess, min(10.0, threshold)]
        return pd.DataFrame(
            {"step": [0, 1], "grad_norm": [30.0, 10.0], "grad_norm_clipped": after, "clipped": [threshold < 30, threshold < 10]}
        )

    clipped, plain = [], []
    for seed in range(4):
        for threshold in (1.0, 10.0, 30.0, 100.0, 1000.0):
            accuracy = 0.95 if lowest <= threshold <= highest else 0.1
            keys: dict[str, Any] = {"clip.threshold": threshold, "final_accuracy": accuracy, "seed": seed}
            clipped.append(run([1.0, 1.0], steps=frame(threshold), **keys))
        steps = pd.DataFrame({"step": [0, 1], "grad_norm": [1.5 * norm, 0.5 * norm]})
        for lr, accuracy in ((0.05, without), (0.0005, 0.9)):
            plain.append(run([1.0, 1.0], steps=steps, seed=seed, lr=lr, final_accuracy=accuracy))
    return {"clipped": clipped, "unclipped": plain}


def test_it_holds_where_thresholds_around_the_mean_norm_train() -> None:
    estimate, _ = judged("s_clip", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == 1.0
    assert estimate.tables["range"]["mean_norm"].iloc[0] == pytest.approx(20.0)


@pytest.mark.parametrize("change", [{"highest": 50.0}, {"lowest": 20.0}, {"without": 0.9}, {"excess": 1.01}])
def test_it_fails(change: dict[str, float]) -> None:
    """A threshold in the range does not train, nets without clipping do, or a norm exceeds its bound."""
    assert judged("s_clip", sweeps(**change))[0].verdict == "not_reproduced"


def test_thresholds_outside_the_range_do_not_decide() -> None:
    assert judged("s_clip", sweeps(lowest=10.0, highest=100.0))[0].verdict == "reproduced"


def test_without_a_mean_norm_nothing_is_decided() -> None:
    assert judged("s_clip", sweeps(norm=float("nan")))[0].verdict == "not_testable"
