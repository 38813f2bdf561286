"""Saturation: tables in which the last hidden layer alone saturates, and tables in which it does not."""

import numpy as np
import pytest

from tests.experiments.findings.tables import Run, judged, run


def nets(last: float, first: float = 0.55) -> list[Run]:
    runs = []
    for seed in range(3):
        rows = [(step, layer) for step in (0, 100, 200) for layer in range(1, 6)]
        steps, layers = (np.array(column) for column in zip(*rows, strict=True))
        means = np.where(steps == 0, 0.5, np.where(layers == 4, last + 0.01 * seed, first))
        runs.append(run(np.ones(len(rows)), None, {"step": steps, "layer": layers, "a_mean": means}, depth=4, seed=seed))
    return runs


def test_it_holds_where_the_last_layer_alone_saturates() -> None:
    estimate, _ = judged("f_glorot_sat", {"training": nets(0.05)})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.06)


@pytest.mark.parametrize(("last", "first"), [(0.3, 0.55), (0.095, 0.55), (0.05, 0.1), (0.05, 0.9)])
def test_it_fails_where_a_last_layer_does_not_or_others_do(last: float, first: float) -> None:
    assert judged("f_glorot_sat", {"training": nets(last, first)})[0].verdict == "not_reproduced"
