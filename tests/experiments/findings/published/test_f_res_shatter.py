"""Cosines of gradients in residual nets: the published law, one that halves with every block, and nets without skips."""

from collections.abc import Callable

import numpy as np
import pytest

from experiments.atlas.catalogue import select
from experiments.findings.published.f_res_shatter import predicted
from tests.experiments.findings.tables import Run, judged, run


def nets(cosine: Callable[[int], float], depths: tuple[int, ...]) -> list[Run]:
    runs = []
    for depth in depths:
        for seed in range(5):
            values = np.full(depth + 1, 0.7)
            values[0] = cosine(depth) * (1 + 0.02 * (seed - 2))
            runs.append(run(np.ones(depth + 1), layers={"gradient_cosine": values}, depth=depth, seed=seed))
    return runs


def sweeps(law: Callable[[int], float] = predicted, plain: float = 2.0**-10) -> dict[str, list[Run]]:
    return {"residual": nets(law, (10, 20, 50)), "plain": nets(lambda _: plain, (10,))}


def halved(depth: int) -> float:
    return predicted(10) * 2.0 ** (10 - depth)


def test_it_holds() -> None:
    estimate, _ = judged("f_res_shatter", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.1978, abs=5e-5)


def test_a_cosine_that_halves_or_that_plain_nets_have_too_fails() -> None:
    assert judged("f_res_shatter", sweeps(halved))[0].verdict == "not_reproduced"
    assert judged("f_res_shatter", sweeps(lambda depth: 1.3 * predicted(depth)))[0].verdict == "not_reproduced"
    assert judged("f_res_shatter", sweeps(plain=0.01))[0].verdict == "not_reproduced"


def test_the_law_has_the_published_cosines_and_exponent() -> None:
    for depth, cosine in select(["f_res_shatter"])[0].finding.values["cosine"].items():
        assert predicted(depth) == pytest.approx(cosine, abs=5e-5)
    assert predicted(100) == pytest.approx(0.0423, abs=5e-5)
    assert np.log2(predicted(20000) / predicted(40000)) == pytest.approx(np.pi / (2 * np.pi - 2), abs=1e-3)
