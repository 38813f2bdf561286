"""PyTorch's default initialization, and normal weights without their tails."""

import pytest

from experiments.atlas.catalogue import select
from experiments.findings.published.f_torch_init import _theory
from tests.experiments.findings.tables import Run, geometric, joined, judged

RATES = select(["f_torch_init"])[0].finding.values["rates"]


def nets(kind: str, *activations: str, change: float = 1.0) -> list[Run]:
    width = 100 if activations == ("relu",) else 300
    return joined(*(
        geometric((RATES[f"{kind} {name}"] * change) ** 0.5, 20, scatter=0.01, activation=name, width=width) for name in activations
    ))  # fmt: skip


def sweeps(relu: float = 1.0, smooth: float = 1.0, cut: float = 1.0, corrected: float = 1.0) -> dict[str, list[Run]]:
    return {
        "relu": nets("pytorch", "relu", change=relu), "smooth": nets("pytorch", "tanh", "sigmoid", change=smooth),
        "cut": nets("cut", "relu", change=cut), "corrected": nets("corrected", "relu", change=corrected),
    }  # fmt: skip


def test_it_holds() -> None:
    estimate, _ = judged("f_torch_init", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(1 / 6, rel=0.01)
    assert estimate.theory == pytest.approx(1 / 6)


@pytest.mark.parametrize("change", [{"relu": 3.0}, {"smooth": 1.05}, {"cut": 1 / 0.7737}, {"corrected": 0.7737}])
def test_another_variance_fails(change: dict[str, float]) -> None:
    assert judged("f_torch_init", sweeps(**change))[0].verdict == "not_reproduced"


@pytest.mark.parametrize("setting", RATES)
def test_theory_has_the_published_factors(setting: str) -> None:
    kind, activation = setting.split()
    assert _theory(kind, activation, 300) == pytest.approx(RATES[setting], abs=5e-5)
