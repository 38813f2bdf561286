"""Whether plain descent gains by warm-up."""

import pytest

from tests.experiments.findings.published.test_f_warmup import sweeps
from tests.experiments.findings.tables import judged


def test_the_claim_holds_where_nothing_changes() -> None:
    assert judged("n_warmup_adam", sweeps(mse=0.2, others=0.4, adam=False))[0].verdict == "reproduced"


def test_it_is_refuted_where_rates_grow() -> None:
    estimate, _ = judged("n_warmup_adam", sweeps(adam=False))
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(2)


def test_it_is_neither_where_one_setting_gains() -> None:
    assert judged("n_warmup_adam", sweeps(others=0.4, adam=False))[0].verdict == "not_reproduced"
