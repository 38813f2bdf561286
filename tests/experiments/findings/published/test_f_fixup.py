"""One step of residual nets whose last matrices begin at 0: effects that grow with depth and that do not."""

import numpy as np
import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run

ERROR, LR = 1000.0, 1e-8


def nets(power: float, unaccounted: float = 0.0) -> list[Run]:
    """Return nets whose branches move the output like L^power; `unaccounted` is the share of the step that gradients do not tell."""
    found = []
    for blocks in (4, 16, 64):
        for seed in range(5):
            squares = np.zeros(2 * blocks + 2)  # of layers 1…L
            squares[2:-1:2] = 200 * blocks ** (power - 1) * (1 + 0.05 * (seed - 2))
            squares[[0, -1]] = 2.0, 114.0
            after = ERROR * (1 - LR * squares.sum() * (1 + unaccounted))
            steps = pd.DataFrame({"step": [0, 1], "loss": [0.5 * ERROR**2, 0.5 * after**2]})
            found.append(run(np.ones(len(squares)), layers={"weight_grad_norm": ERROR * squares**0.5}, seed=seed, lr=LR, steps=steps))
    return found


def sweeps(zero_last: float = 1.0, fixup: float = 0.0, unaccounted: float = 0.0) -> dict[str, list[Run]]:
    return {"zero_last": nets(zero_last, unaccounted), "fixup": nets(fixup, unaccounted)}


def test_it_holds() -> None:
    estimate, _ = judged("f_fixup", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.0, abs=1e-6)
    assert estimate.tables["slopes"].set_index("start").loc["zero_last", "measured"] == pytest.approx(1.0)


@pytest.mark.parametrize("changed", [{"fixup": 1.0}, {"zero_last": 0.0}, {"fixup": 0.15}, {"unaccounted": 0.02}])
def test_equal_slopes_and_a_step_that_gradients_do_not_tell_fail(changed: dict[str, float]) -> None:
    assert judged("f_fixup", sweeps(**changed))[0].verdict == "not_reproduced"
