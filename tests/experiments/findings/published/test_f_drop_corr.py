"""Two inputs under dropout."""

import math

import numpy as np
import pytest

from bpcore.activations import relu
from bpcore.theory import depth_scales
from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, judged, run

RATES = (0.1, 0.2, 0.5)
DEPTH = 15


def nets(fall: float = 1.0, merged: bool = False) -> list[Run]:
    """Return nets whose cosine of gradients falls by theory's factor times `fall` per layer, or by p as where inputs merge."""
    made = []
    for rate in RATES:
        own = 1 - rate if merged else fall * depth_scales(relu(), 2 * (1 - rate), 0.0, keep=1 - rate).chi_c
        for seed in range(6):
            noise = np.random.default_rng([seed, DEPTH]).normal(scale=0.01, size=DEPTH + 1)
            noise[-1] = 0.0
            cosine = own ** np.arange(DEPTH, -1, -1) * np.exp(noise)
            made.append(run(np.ones(DEPTH + 1), None, {"gradient_cosine": cosine}, seed=seed, **{"dropout.rate": rate}))
    return made


def test_it_holds_and_tells_c_and_xi() -> None:
    estimate, _ = judged("f_drop_corr", {"critical": nets()})
    assert estimate.verdict == "caveat"
    numbers = estimate.tables["numbers"]
    np.testing.assert_allclose(numbers["measured"], numbers["published"], atol=0.02)
    np.testing.assert_allclose(numbers["xi"], numbers["xi_published"], rtol=0.02)
    assert estimate.low < estimate.measured < estimate.high


@pytest.mark.parametrize("fall", [0.95, 1.05])
def test_another_fall_fails(fall: float) -> None:
    assert judged("f_drop_corr", {"critical": nets(fall)})[0].verdict == "not_reproduced"


def test_it_fails_where_inputs_merge() -> None:
    estimate, _ = judged("f_drop_corr", {"critical": nets(merged=True)})
    assert estimate.verdict == "not_reproduced"
    assert sum(condition.holds is False for condition in estimate.judgement.conditions) == 2


def test_theory_has_the_published_numbers_and_what_is_accepted_tells_them_from_merged_inputs() -> None:
    finding = select(["f_drop_corr"])[0].finding
    for name, c in finding.values["c"].items():
        keep, xi = 1 - float(name), finding.values["xi"][name]
        scales = depth_scales(relu(), 2 * keep, 0.0, keep=keep)
        assert (scales.c, scales.xi_c) == (pytest.approx(c, abs=5e-5), pytest.approx(xi, abs=5e-4))
        assert math.exp(-1 / xi) / keep < finding.threshold("apart") < 1
        assert -math.cos(math.pi * math.exp(-1 / xi) / keep) == pytest.approx(c, abs=1e-3)
