"""LayerNorm and RMSNorm before and after φ."""

import pytest

from bpcore import activations
from bpcore.theory import example_norm_rate
from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, geometric, joined, judged

RATES = {
    (name, kind, place): example_norm_rate(getattr(activations, name)(), 1.0, kind == "layer", place == "after")
    for name in ("relu", "tanh", "sigmoid")
    for kind in ("layer", "rms")
    for place in ("before", "after")
}


def nets(**changed: float) -> list[Run]:
    """Return nets with theory's factors; `changed` multiplies those of a setting, named activation_normalization_place."""
    return joined(*(
        geometric(
            (rate * changed.get(f"{name}_{kind}_{place}", 1.0)) ** 0.5, 30, scatter=0.02,
            activation=name, normalization=kind, **{"normalization.place": place},
        )
        for (name, kind, place), rate in RATES.items()
    ))  # fmt: skip


def test_it_holds() -> None:
    estimate, _ = judged("f_ln", {"rates": nets()})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.1528, rel=0.01)
    assert estimate.theory == pytest.approx(0.1528, abs=5e-5)
    assert estimate.low < estimate.measured < estimate.high


@pytest.mark.parametrize("setting", ["relu_layer_before", "tanh_rms_after", "sigmoid_layer_after"])
@pytest.mark.parametrize("change", [0.9, 1.1])
def test_another_factor_fails(setting: str, change: float) -> None:
    assert judged("f_ln", {"rates": nets(**{setting: change})})[0].verdict == "not_reproduced"


def test_it_fails_where_neither_kind_nor_place_matters() -> None:
    assert judged("f_ln", {"rates": nets(relu_layer_after=1 / RATES["relu", "layer", "after"])})[0].verdict == "not_reproduced"
    same = RATES["sigmoid", "layer", "before"] / RATES["sigmoid", "layer", "after"]
    assert judged("f_ln", {"rates": nets(sigmoid_layer_after=same)})[0].verdict == "not_reproduced"


def test_theory_has_the_published_factors() -> None:
    for name, rate in select(["f_ln"])[0].finding.values["before"].items():
        assert RATES[name, "layer", "before"] == pytest.approx(rate, abs=5e-5)
