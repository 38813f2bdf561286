"""Growing δ: the border is found, and growth that stops with depth is not growth without bound."""

import numpy as np
import pytest

from experiments.findings.published.s_explode import crossing
from tests.experiments.findings.tables import Run, geometric, joined, judged

CRITICAL = {"identity": 1.0, "tanh": 1.327, "relu": 1.4142}


def nets(shift: float = 1.0, depths: tuple[int, ...] = (10, 20), bounded: bool = False) -> list[Run]:
    """Return nets whose factor is scale/critical, or the growth of ten layers whatever the depth."""
    parts = []
    for activation, critical in CRITICAL.items():
        for scale in (0.8, 1.1, 1.5, 2.0):
            for depth in depths:
                factor = scale / (critical * shift)
                columns = {"activation": activation, "init.scale": scale}
                parts.append(geometric(factor ** (9 / (depth - 1)) if bounded else factor, depth, scatter=0.01, **columns))
    return joined(*parts)


def test_the_border_is_where_it_was_published() -> None:
    estimate, _ = judged("s_explode", {"scales": nets()})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(1.327, rel=0.01)
    assert set(estimate.tables["numbers"]["activation"]) == set(CRITICAL)


def test_another_border_is_not_reproduced() -> None:
    assert judged("s_explode", {"scales": nets(shift=1.1)})[0].verdict == "not_reproduced"


def test_growth_that_depth_does_not_add_to_is_not_reproduced() -> None:
    assert judged("s_explode", {"scales": nets(bounded=True)})[0].verdict == "not_reproduced"


def test_no_crossing_is_no_number() -> None:
    scales, factors = (judged("s_explode", {"scales": nets()})[0].tables["factors"][name] for name in ("scale", "measured"))
    assert np.isnan(crossing(scales, factors * 0 + 0.5))
