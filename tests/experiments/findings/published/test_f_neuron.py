"""Windows of a sigmoid neuron as the formula has them, and others."""

import numpy as np
import pytest

from experiments.findings.published.f_neuron import window
from tests.experiments.findings.tables import Run, judged, run

INPUTS = np.arange(-20, 21) * 0.015


def chain(weight: float, slope: float = 1.0, shift: float = 0.0) -> list[Run]:
    sigmoid = 1 / (1 + np.exp(-weight * (INPUTS - shift)))
    factors = slope * weight * sigmoid * (1 - sigmoid)
    return [run([factor, 1.0], **{"init.scale": weight, "data.x": x}) for x, factor in zip(INPUTS, factors, strict=True)]


def test_it_holds_for_a_sigmoid() -> None:
    estimate, _ = judged("f_neuron", {"neuron": [*chain(3.9), *chain(5.0), *chain(6.9), *chain(10.0)]})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.44774, rel=2e-3)


@pytest.mark.parametrize("slope", [0.9, 1.1])
def test_another_slope_fails(slope: float) -> None:
    runs = [one for weight in (3.9, 5.0, 6.9, 10.0) for one in chain(weight, slope)]
    assert judged("f_neuron", {"neuron": runs})[0].verdict == "not_reproduced"


def test_a_window_that_leaves_the_sweep_is_not_measured() -> None:
    assert judged("f_neuron", {"neuron": [*chain(3.9), *chain(6.9), *chain(5.0, shift=0.2)]})[0].verdict == "not_reproduced"


def test_the_ends_are_interpolated() -> None:
    assert window([0, 1, 2, 3, 4], [0.5, 1.5, 2.0, 1.5, 0.5]) == pytest.approx(3.0)
    assert window([0, 1], [0.5, 0.9]) == 0.0
    assert np.isnan(window([0, 1], [1.5, 0.9]))
