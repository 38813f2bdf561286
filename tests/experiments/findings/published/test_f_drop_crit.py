"""The edge of chaos under dropout."""

import numpy as np
import pytest

from bpcore import activations
from bpcore.theory import depth_scales
from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, judged, run

WEIGHTS = {"relu": ((0.0, 0.1, 0.2, 0.5), (1.0, 2.0), 0.0), "tanh": ((0.0, 0.2, 0.5), (1.3,), 0.05)}
DEPTH = 15


def rate_of(activation: str, rate: float, sigma_w2: float) -> float:
    return depth_scales(getattr(activations, activation)(), sigma_w2, WEIGHTS[activation][2], keep=1 - rate).chi_1


def nets(only: tuple[float, float] | None = None, **changed: float) -> dict[str, list[Run]]:
    """Return nets with theory's factors; `changed` multiplies those of an activation, `forward` those of z, `only` of a rate and σ_w²."""
    made: dict[str, list[Run]] = {}
    for activation, (rates, weights, sigma_b2) in WEIGHTS.items():
        made[activation] = []
        for rate, sigma_w2 in ((rate, sigma_w2) for rate in rates for sigma_w2 in weights):
            here = only in (None, (rate, sigma_w2))
            factor, forward = (rate_of(activation, rate, sigma_w2) * (changed.get(key, 1.0) if here else 1.0) for key in (activation, "z"))
            for seed in range(4):
                noise = np.random.default_rng([seed, DEPTH]).normal(scale=0.02, size=(2, DEPTH + 1))
                norms = factor ** (np.arange(DEPTH, -1, -1) / 2) * np.exp(noise[0])
                z = forward ** np.arange(DEPTH + 1) * np.exp(noise[1])
                columns = {"activation": activation, "dropout.rate": rate, "init.scale": sigma_w2**0.5, "init.bias_std": sigma_b2**0.5}
                made[activation].append(run(norms, norms, {"z_var": 0.7 * z, "z_mean": np.sqrt(0.3 * z)}, seed=seed, **columns))
    return made


def test_it_holds() -> None:
    estimate, _ = judged("f_drop_crit", nets())
    assert estimate.verdict == "reproduced"
    assert (estimate.measured, estimate.theory) == (pytest.approx(1.0, rel=0.01), pytest.approx(1.0, rel=1e-12))
    assert len(estimate.tables["numbers"]) == 19


@pytest.mark.parametrize("key", ["relu", "tanh", "z"])
@pytest.mark.parametrize("change", [0.95, 1.05])
def test_another_factor_fails(key: str, change: float) -> None:
    assert judged("f_drop_crit", nets(**{key: change}))[0].verdict == "not_reproduced"


def test_it_fails_where_he_is_stable() -> None:
    estimate, _ = judged("f_drop_crit", nets(only=(0.5, 2.0), relu=0.5))
    assert estimate.verdict == "not_reproduced"
    failed = [condition.name for condition in estimate.judgement.conditions if condition.holds is False]
    assert any("He's" in name for name in failed)


def test_it_fails_where_an_evaluation_keeps_the_signal() -> None:
    estimate, _ = judged("f_drop_crit", nets(only=(0.0, 1.0), z=2.0))
    failed = [condition.name for condition in estimate.judgement.conditions if condition.holds is False]
    assert any("mask off" in name for name in failed)


def test_theory_has_the_published_factors() -> None:
    for name, published in select(["f_drop_crit"])[0].finding.values["rates"].items():
        activation, rate, sigma_w2 = name.split()
        assert rate_of(activation, float(rate), float(sigma_w2)) == pytest.approx(published, abs=5e-5)
