"""Residual nets whose branches end in ReLU: the growth of the mean's recursion, one that is bounded, and another."""

import numpy as np
import pytest

from experiments.findings.published.f_res_meanshift import squares
from tests.experiments.findings.tables import Run, joined, judged, residual


def net(path: list[float], scatter: float = 0.01) -> list[Run]:
    """Return nets with E a² of their layers, a tenth of it the mean's square."""
    runs = residual(np.ones(len(path)), skip="postactivation")
    for seed, one in enumerate(runs):
        a2 = np.array([*path, path[-1]]) * (1 + scatter * (seed - 2.5) * np.arange(len(path) + 1) / len(path))
        one["layers"] |= {"a_var": 0.9 * a2, "a_mean": (0.1 * a2) ** 0.5}
    return runs


def sweeps(power: float = 1.0, unscaled: float = 1.0, before: float = 1.0) -> dict[str, list[Run]]:
    """Return nets of the recursion's growth, of both kinds to a power; and sums before φ that grow by (1 + 1/L)^L, to a power."""
    return {
        "unscaled": net([value**unscaled for value in squares(20, 1.0)]),
        "scaled": joined(*(net([value**power for value in squares(blocks, blocks**-0.5)]) for blocks in (10, 50))),
        "z_scaled": joined(*(
            residual(np.ones(blocks + 1), (1 + 1 / blocks) ** (before * np.arange(blocks + 1.0))) for blocks in (10, 50)
        )),
    }  # fmt: skip


def test_the_recursion_refutes_the_claim() -> None:
    estimate, entry = judged("f_res_meanshift", sweeps())
    assert entry.finding.control
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(squares(50, 50**-0.5)[-1], rel=0.01)


def test_what_is_bounded_holds_and_another_growth_refutes_nothing() -> None:
    assert judged("f_res_meanshift", sweeps(power=0.2))[0].verdict == "reproduced"
    for changed in ({"power": 1.05}, {"unscaled": 1.1}, {"before": 3.0}):
        assert judged("f_res_meanshift", sweeps(**changed))[0].verdict == "not_reproduced"


@pytest.mark.parametrize(("blocks", "published"), [(10, 12.3), (50, 842), (100, 2.2e4)])
def test_the_recursion_has_the_published_totals(blocks: int, published: float) -> None:
    """From inputs without mean on."""
    assert squares(blocks, blocks**-0.5, 0.0)[-1] == pytest.approx(published, rel=0.01)


def test_it_has_the_published_factors_with_alpha_1() -> None:
    assert squares(10, 1.0, 0.0)[-1] ** (1 / 10) == pytest.approx(2.714, abs=5e-4)
    assert squares(20, 1.0, 0.0)[-1] ** (1 / 20) == pytest.approx(2.808, abs=5e-4)
    assert squares(40, 1.0)[-1] / squares(40, 1.0)[-2] == pytest.approx(2.904, abs=5e-4)
