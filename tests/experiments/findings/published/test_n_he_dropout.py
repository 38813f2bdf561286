"""He's initialization under dropout: a control, which ends as refuted where theory is right."""

import pytest

from tests.experiments.findings.tables import Run, geometric, joined, judged


def nets(factor: float | None) -> list[Run]:
    """Return nets whose ‖δ‖² changes by a factor per layer, or by 1/p."""
    rates = (0.1, 0.2, 0.5)
    own = [factor if factor is not None else 1 / (1 - rate) for rate in rates]
    return joined(*(geometric(by**0.5, 20, scatter=0.01, **{"dropout.rate": rate}) for rate, by in zip(rates, own, strict=True)))


def test_it_is_refuted_where_the_square_grows_by_one_over_p() -> None:
    estimate, _ = judged("n_he_dropout", {"rates": nets(None)})
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(2.0, rel=0.01)
    assert estimate.theory == 2.0


def test_where_delta_is_kept_the_advice_stands() -> None:
    assert judged("n_he_dropout", {"rates": nets(1.0)})[0].verdict == "reproduced"


def test_growth_by_another_factor_refutes_nothing() -> None:
    assert judged("n_he_dropout", {"rates": nets(1.5)})[0].verdict == "not_reproduced"
