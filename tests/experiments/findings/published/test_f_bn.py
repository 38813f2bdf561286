"""The growth of δ under batch normalization."""

import pytest

from bpcore.activations import relu
from bpcore.theory import batch_norm_rate
from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, geometric, joined, judged

PUBLISHED = {("relu", 16): 1.590, ("relu", 64): 1.493, ("tanh", 64): 1.192, ("identity", 16): 14 / 13, ("identity", 64): 62 / 61}


def rates(change: float = 1.0) -> list[Run]:
    return joined(*(
        geometric((rate * change) ** 0.5, 20, scatter=0.005, activation=activation, **{"data.n_samples": batch})
        for (activation, batch), rate in PUBLISHED.items()
    ))  # fmt: skip


def scales(*factors: float) -> list[Run]:
    setting = {"data.n_samples": 16}
    return joined(*(geometric(factor, 10, seeds=1, scatter=0.0, activation="relu", **setting) for factor in factors))


def test_it_holds() -> None:
    estimate, _ = judged("f_bn", {"rates": rates(), "scales": scales(1.26, 1.26, 1.26)})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(1.590, rel=0.01)
    assert estimate.theory == pytest.approx(1.590, rel=1e-3)


@pytest.mark.parametrize("change", [0.9, 1.1, 0.5])
def test_other_rates_fail(change: float) -> None:
    assert judged("f_bn", {"rates": rates(change), "scales": scales(1.26, 1.26)})[0].verdict == "not_reproduced"


def test_a_factor_that_depends_on_the_scale_fails() -> None:
    assert judged("f_bn", {"rates": rates(), "scales": scales(1.26, 1.2601)})[0].verdict == "not_reproduced"


def test_theory_has_the_published_rates() -> None:
    values = select(["f_bn"])[0].finding.values
    assert values["limit"]["relu"] == pytest.approx(batch_norm_rate(relu(), float("inf")), abs=5e-5)
    for batch, rate in values["relu"].items():
        assert rate == pytest.approx(batch_norm_rate(relu(), batch), abs=5e-4)
