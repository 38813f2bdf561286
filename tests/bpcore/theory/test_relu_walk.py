"""The exact law of a ReLU layer's factor: the published digits, and real products of matrices."""

import numpy as np
import pytest

from bpcore import theory
from bpcore.activations import relu


@pytest.mark.parametrize(("width", "variance"), [(10, 0.867), (30, 0.191), (100, 0.0519)])
def test_published_variances(width: int, variance: float) -> None:
    assert theory.relu_walk(width)[1] == pytest.approx(variance, abs=5 * 10 ** (np.floor(np.log10(variance)) - 3))


def test_the_bottleneck_of_the_catalogue() -> None:
    """Hidden 60⁵, 10, 60⁶: the eleven factors between the first and the last hidden layer."""
    assert sum(theory.relu_walk(n)[1] for n in (60,) * 5 + (10,) + (60,) * 5) == pytest.approx(1.756, abs=5e-4)


def test_nineteen_layers_under_dropout() -> None:
    assert 19 * theory.relu_walk(100, keep=0.5)[1] == pytest.approx(2.297, abs=5e-4)


@pytest.mark.parametrize("keep", [1.0, 0.5])
def test_it_comes_to_the_leading_order(keep: float) -> None:
    n, kappa = 4000, 6 / keep - 1
    mean, variance = theory.relu_walk(n, 2 * keep / n, keep)
    assert n * variance == pytest.approx(float(theory.kappa(relu(), np.ones(1), keep=keep)[0]), rel=3e-3)
    assert n * mean == pytest.approx(-kappa / 2, rel=3e-3)


@pytest.mark.parametrize("keep", [1.0, 0.6])
def test_weights_and_gates_that_are_drawn(keep: float) -> None:
    n, m = 8, 40_000
    rng = np.random.default_rng(0)
    back = rng.standard_normal((m, n)) * np.sqrt(2 / n) * (rng.standard_normal((m, n)) > 0)
    back *= (rng.random((m, n)) < keep) / keep
    logarithm = np.log((back[(back != 0).any(axis=1)] ** 2).sum(axis=1))
    mean, variance = theory.relu_walk(n, 2 / n, keep)
    assert logarithm.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / m))
    assert logarithm.var() == pytest.approx(variance, rel=0.05)
