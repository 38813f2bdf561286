"""LayerNorm and RMSNorm behind φ, and the sigmoid's twin."""

import pytest

from bpcore import activations
from bpcore.theory import example_norm_rate
from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, geometric, joined, judged

RATES = {
    (name, kind, scale): example_norm_rate(getattr(activations, name)(), scale**2, kind == "layer", after=True)
    for name, kinds in select(["f_ln_after"])[0].finding.values["rates"].items()
    for kind, scales in kinds.items()
    for scale in scales
}


def nets(scaled: bool, **changed: float) -> list[Run]:
    """Return nets with theory's factors; `changed` multiplies those of a setting, named activation_normalization."""
    return joined(*(
        geometric(
            (rate * changed.get(f"{name}_{kind}", 1.0)) ** 0.5, 30, activation=name, normalization=kind, **{"init.scale": float(scale)}
        )
        for (name, kind, scale), rate in RATES.items()
        if (scale != 1) == scaled
    ))  # fmt: skip


def sweeps(twin: float = 1.0, **changed: float) -> dict[str, list[Run]]:
    return {
        "rates": nets(False, **changed), "scales": nets(True, **changed), "sigmoid": geometric(1.1, 20), "tanh": geometric(1.1 * twin, 20),
    }  # fmt: skip


def test_it_holds() -> None:
    estimate, _ = judged("f_ln_after", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(1.4669, rel=0.01)
    assert estimate.low < estimate.measured < estimate.high


@pytest.mark.parametrize("changed", [{"relu_layer": 0.95}, {"relu_rms": 1.4669}, {"tanh_layer": 0.8}, {"twin": 1 + 1e-8}])
def test_another_factor_fails(changed: dict[str, float]) -> None:
    assert judged("f_ln_after", sweeps(**changed))[0].verdict == "not_reproduced"


def test_theory_has_the_published_factors() -> None:
    for (name, kind, scale), rate in RATES.items():
        assert rate == pytest.approx(select(["f_ln_after"])[0].finding.values["rates"][name][kind][scale], abs=5e-5)
