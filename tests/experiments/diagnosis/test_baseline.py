"""The best constant output on known targets."""

import math

import pytest

from experiments.config.files import choice
from experiments.config.validation import validate
from experiments.diagnosis.baseline import baseline
from tests.experiments.helpers import changed


def test_classes_have_the_entropy_of_their_frequencies(base):
    run = validate(base)
    shares = run.data.y.mean(axis=1)
    found = baseline(run)
    assert found.loss == pytest.approx(-sum(p * math.log(p) for p in shares if p > 0), rel=1e-12)
    assert found.accuracy == shares.max()


def test_a_regression_has_half_its_variance(base):
    run = validate(changed(base, data=choice("data", "chebyshev"), loss=choice("loss", "mse")))
    found = baseline(run)
    assert found.loss == pytest.approx(0.5 * run.data.y.var(axis=1).sum(), rel=1e-12)
    assert math.isnan(found.accuracy)


def test_a_single_example_has_no_baseline(base):
    assert baseline(validate(changed(base, data=choice("data", "point"), loss=choice("loss", "mse")))).loss == 0
