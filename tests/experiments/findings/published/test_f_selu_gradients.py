"""Gradients of SELU nets: grown, kept, between."""

import pytest

from tests.experiments.findings.tables import Run, geometric, joined, judged


def nets(chi: float) -> list[Run]:
    return joined(*(geometric(chi**0.5, depth, scatter=0.01) for depth in (5, 20, 50)))


def test_growth_refutes_the_claim() -> None:
    estimate, entry = judged("f_selu_gradients", {"depths": nets(1.0716)})
    assert entry.finding.control
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(1.0716**49, rel=0.05)


def test_kept_gradients_would_be_reproduced() -> None:
    assert judged("f_selu_gradients", {"depths": nets(1.0)})[0].verdict == "reproduced"


@pytest.mark.parametrize("chi", [1.008, 0.95])
def test_little_growth_or_decay_refutes_nothing(chi: float) -> None:
    assert judged("f_selu_gradients", {"depths": nets(chi)})[0].verdict == "not_reproduced"
