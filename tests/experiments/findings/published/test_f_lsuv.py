"""Unit variance in every layer, and what δ does there."""

import pytest

from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, geometric, joined, judged

RATES = select(["f_lsuv"])[0].finding.values["rates"]


def sweeps(**rates: float) -> dict[str, list[Run]]:
    nets = {name: geometric(rate**0.5, 20, scatter=0.005, activation=name) for name, rate in (RATES | rates).items()}
    return {"smooth": joined(nets["tanh"], nets["sigmoid"]), "relu": nets["relu"]}


def test_the_claim_holds_where_every_factor_is_1() -> None:
    assert judged("f_lsuv", sweeps(tanh=1.0, sigmoid=1.0))[0].verdict == "reproduced"


def test_it_is_refuted_by_the_factors_of_algebra() -> None:
    estimate, _ = judged("f_lsuv", sweeps())
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(1.1778, rel=0.005)
    assert estimate.theory == pytest.approx(1.1778, abs=5e-5)


def test_it_is_neither_where_the_factor_is_another() -> None:
    assert judged("f_lsuv", sweeps(tanh=1.1))[0].verdict == "not_reproduced"
