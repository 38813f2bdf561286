import math

import numpy as np
import pandas as pd
import pytest

from experiments.statistics import band, delta_factor, geometric_band, summarize_groups, varying


def test_a_geometric_sequence_has_its_ratio():
    factor = delta_factor(0.5 ** np.arange(5, 0, -1.0))
    assert factor.value == pytest.approx(0.5, rel=1e-12)
    assert (factor.low, factor.high) == pytest.approx((0.5, 0.5), rel=1e-9)
    assert factor.end_to_end == pytest.approx(0.5**4, rel=1e-12)
    assert factor.count == 4


def test_the_published_norms_of_a_net_with_two_hidden_layers():
    factor = delta_factor(np.array([0.0657, 0.3092]))
    assert 1 / factor.value == pytest.approx(4.7, abs=0.02)
    assert math.isnan(factor.low)


def test_norms_beyond_products_of_floats():
    factor = delta_factor(np.array([1e-300, 1e-150, 1.0]))
    assert factor.value == pytest.approx(1e-150, rel=1e-9)


def test_zeros_and_infinities_are_left_out():
    assert delta_factor(np.array([0.0, 0.25, 0.5])).value == pytest.approx(0.5)
    assert delta_factor(np.array([0.0, 0.0])).count == 0
    assert math.isnan(delta_factor(np.array([np.inf, 1.0])).value)
    assert delta_factor(np.array([])).count == 0


def test_the_interval_covers_the_factor_of_a_random_walk():
    """ln δ is a random walk over layers; Student's interval over its increments is exact for normal ones."""
    rng = np.random.default_rng(0)
    hits, trials = 0, 4000
    for _ in range(trials):
        walk = np.cumsum(math.log(0.8) + 0.3 * rng.standard_normal(15))
        factor = delta_factor(np.exp(walk)[::-1])
        hits += factor.low <= 0.8 <= factor.high
    assert 0.94 <= hits / trials <= 0.96


def _runs(**columns):
    length = max(len(values) for values in columns.values())
    base = {"run_id": [str(i) for i in range(length)], "job": range(length), "depth": [5] * length, "activation": ["tanh"] * length}
    return pd.DataFrame({**base, **columns})


def test_varying_axes_leave_out_seeds_and_constants():
    runs = _runs(depth=[2, 2, 5, 5], seed=[0, 1, 0, 1], lr=[0.1] * 4)
    assert varying(runs) == ["depth"]


def test_a_key_that_merely_comes_with_a_choice_is_no_axis():
    runs = _runs(clip=["none", "norm", "norm"], **{"clip.threshold": [np.nan, 1.0, 1.0]})
    assert varying(runs) == ["clip"]
    runs["clip.threshold"] = [np.nan, 1.0, 2.0]
    assert varying(runs) == ["clip", "clip.threshold"]


def test_groups_come_before_keys():
    runs = _runs(activation=["tanh", "relu"], depth=[1, 2], **{"init.scale": [1.0, 2.0]}, init=["he", "he"])
    assert varying(runs) == ["activation", "depth", "init.scale"]


def test_geometric_band_counts_what_has_no_logarithm():
    frame = pd.DataFrame({"layer": [1, 1, 1, 2], "value": [1.0, 100.0, 0.0, np.inf]})
    result = geometric_band(frame, ["layer"], "value").set_index("layer")
    assert result.loc[1, "mean"] == pytest.approx(10)
    assert (result.loc[1, "low"], result.loc[1, "high"]) == pytest.approx((1, 100))
    assert (result.loc[1, "n"], result.loc[1, "n_left_out"]) == (2, 1)
    assert (result.loc[2, "n"], result.loc[2, "n_left_out"]) == (0, 1)
    assert math.isnan(result.loc[2, "mean"])


def test_band_is_arithmetic():
    result = band(pd.DataFrame({"value": [1.0, 3.0, np.nan]}), [], "value").iloc[0]
    assert (result["mean"], result["low"], result["high"], result["n"], result["n_left_out"]) == (2, 1, 3, 2, 1)


def test_groups_over_seeds():
    runs = _runs(
        depth=[2, 2, 5], delta_factor=[0.5, 2.0, 1.0], delta_factor_theory=[1.0] * 3, final_loss=[1.0, 3.0, np.nan],
        final_accuracy=[0.5, 0.7, np.nan], test_accuracy=[0.5] * 3, status=["ok", "ok", "diverged"],
        verdict=["stable", "vanishing", "diverged"],
    )  # fmt: skip
    first, second = summarize_groups(runs, ["depth"]).to_dict("records")
    assert first["delta_factor"] == pytest.approx(1.0)
    assert (first["n_runs"], first["final_loss"], first["verdict"]) == (2, 2.0, "stable (1/2)")
    assert (second["n_diverged"], second["verdict"]) == (1, "diverged")
