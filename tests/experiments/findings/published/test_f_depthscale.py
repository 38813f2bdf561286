"""The map of trainable depths: where it follows 6ξ_c, and where it does not."""

import pandas as pd
import pytest

from bpcore.activations import tanh
from bpcore.theory import depth_scales
from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, judged, run

SCALES = (1.0, 1.3266499161, 2.0)


def nets(trains: dict[tuple[float, int], bool]) -> list[Run]:
    """Return two learning rates a cell, of which the second trains where any does."""
    runs = []
    for (scale, depth), good in trains.items():
        setting = {"init.scale": scale, "init.bias_std": 0.2236067977, "depth": depth}
        runs.append(run([1.0, 1.0], lr=0.05, final_accuracy=0.15, **setting))
        runs.append(run([1.0, 1.0], lr=0.01, final_accuracy=1.0 if good else 0.2, **setting))
    return runs


def as_published(edge_trains: bool = True) -> dict[tuple[float, int], bool]:
    return {(scale, depth): depth < 20 or (scale == SCALES[1] and edge_trains) for scale in SCALES for depth in (7, 14, 66)}


def test_a_map_that_follows_the_bound_is_reproduced() -> None:
    estimate, _ = judged("f_depthscale", {"map": nets(as_published())})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == 1.0
    numbers = estimate.tables["numbers"].set_index("sigma_w2")
    assert numbers.loc[1.0, "published"] == 22
    assert numbers.loc[4.0, "theory"] == pytest.approx(42, rel=0.01)
    assert numbers.loc[1.76, "deepest_trained"] == 66


def test_a_map_without_the_peak_at_the_edge_of_chaos_fails() -> None:
    trains = as_published(edge_trains=False)
    trains[1.0, 66] = True
    assert judged("f_depthscale", {"map": nets(trains)})[0].verdict == "not_reproduced"


def test_depths_on_one_side_alone_decide_nothing() -> None:
    trains = {key: value for key, value in as_published().items() if key[1] == 7}
    assert judged("f_depthscale", {"map": nets(trains)})[0].verdict == "not_testable"


def test_diverged_nets_have_not_trained() -> None:
    runs = nets(as_published())
    for one in runs:
        if one["init.scale"] == 2.0:
            one.update(status="diverged", final_accuracy=1.0)
    cells = judged("f_depthscale", {"map": runs})[0].tables["map"]
    assert isinstance(cells, pd.DataFrame)
    assert (cells.loc[cells["sigma_w2"] == 4.0, "measured"] == 0).all()


def test_theory_has_the_published_bounds() -> None:
    values = select(["f_depthscale"])[0].finding.values
    for sigma_w2, bound in values["bound"].items():
        assert values["depth_scale_multiple"] * depth_scales(tanh(), sigma_w2, 0.05).xi_c == pytest.approx(bound, rel=0.02)
