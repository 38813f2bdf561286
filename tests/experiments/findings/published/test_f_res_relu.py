"""ReLU nets with skip connections whose δ grows by the predicted base, and by others; and whether skips alone keep it."""

import numpy as np
import pytest

from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, joined, judged, residual

SIGMA_W2 = {"he": 2.0, "lecun": 1.0}


def rate(skip: str, alpha: float, init: str) -> float:
    """Return 1 + α²σ_w²/2, of two matrices 1 + α²σ_v²σ_w²/2."""
    return 1 + alpha**2 * SIGMA_W2[init] ** (2 if skip == "block" else 1) / 2


def powers(factor: float, blocks: int) -> list[float]:
    return list(factor ** np.arange(blocks, -1.0, -1.0))


def net(factor: float, predicted: float, blocks: int = 20, forward: float = 0.0, **columns: object) -> list[Run]:
    stream = (forward or factor) ** np.arange(blocks + 1.0)
    return residual(powers(factor, blocks), stream, powers(predicted, blocks), **columns)


def sweeps(change: float = 1.0, forward: float = 1.0) -> dict[str, list[Run]]:
    """Return nets with the predicted base, of which `change` multiplies He's at α = 1, and `forward` the signal's everywhere."""

    def nets(skip: str, inits: tuple[str, ...]) -> list[Run]:
        return joined(*(
            net(
                base * (change if (alpha, init) == (1.0, "he") else 1.0), base, forward=base * forward,
                skip=skip, init=init, **{"skip.scale": str(alpha)},
            )
            for alpha in (0.5, 1.0) for init in inits if (base := rate(skip, alpha, init))
        ))  # fmt: skip

    return {"one_matrix": nets("preactivation", ("he", "lecun")), "two_matrices": nets("block", ("he",))}


def depths(factor: float = 2.0, later: float = 0.0) -> list[Run]:
    """Return nets of growing depth whose ‖δ‖² grows by a factor per block, from the sixth on by another."""
    found = []
    for blocks in (5, 10, 20):
        factors = np.full(blocks, factor)
        factors[5:] = later or factor
        found.append(residual([*np.cumprod(factors)[::-1], 1.0], theory=powers(2.0, blocks)))
    return joined(*found)


def test_it_holds() -> None:
    estimate, _ = judged("f_res_relu", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(2.0, rel=0.002)
    assert estimate.theory == pytest.approx(2.0)
    assert estimate.low < estimate.measured < estimate.high


@pytest.mark.parametrize("change", [0.97, 1.03])
def test_another_base_fails_for_delta_and_for_the_signal(change: float) -> None:
    assert judged("f_res_relu", sweeps(change=change))[0].verdict == "not_reproduced"
    assert judged("f_res_relu", sweeps(forward=change))[0].verdict == "not_reproduced"


def test_the_published_bases_are_the_formulas() -> None:
    for alpha, bases in select(["f_res_relu"])[0].finding.values["preactivation"].items():
        for init, base in bases.items():
            assert base == rate("preactivation", alpha, init)


def test_growth_by_two_per_block_refutes_that_skips_keep_delta() -> None:
    estimate, entry = judged("n_skip", {"depths": depths()})
    assert entry.finding.control
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(2.0**10, rel=0.02)


def test_what_is_kept_is_kept_and_what_slows_down_refutes_nothing() -> None:
    assert judged("n_skip", {"depths": depths(1.02)})[0].verdict == "reproduced"
    assert judged("n_skip", {"depths": depths(2.0, later=1.2)})[0].verdict == "not_reproduced"
