import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.diagnosis.groups import summarize_groups, verdict_text
from experiments.statistics.factors import delta_factor
from experiments.statistics.groups import compare, log_band, varying
from tests.experiments.helpers import whole


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


def _runs(**columns):
    length = max(len(values) for values in columns.values())
    base = {"run_id": [str(i) for i in range(length)], "job": range(length), "depth": [5] * length, "activation": ["tanh"] * length}
    return whole(pd.DataFrame({**base, **columns}))


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


def test_a_logarithmic_band_counts_what_has_no_logarithm():
    frame = pd.DataFrame({"layer": [1, 1, 1, 2], "value": [1.0, 100.0, 0.0, np.inf]})
    result = log_band(frame, ["layer"], "value").set_index("layer")
    assert result.loc[1, "mean"] == pytest.approx(10)
    assert (result.loc[1, "low"], result.loc[1, "high"]) == pytest.approx((1, 100))
    assert result.loc[1, ["n", "n_zero", "n_not_finite"]].tolist() == [2, 1, 0]
    assert result.loc[2, ["n", "n_zero", "n_not_finite"]].tolist() == [0, 0, 1]
    assert math.isnan(result.loc[2, "mean"])


def test_groups_over_seeds():
    runs = _runs(
        depth=[2, 2, 5], delta_factor=[0.5, 2.0, 1.0], delta_factor_theory=[1.0] * 3, final_loss=[1.0, 3.0, np.nan],
        final_accuracy=[0.5, 0.7, np.nan], test_accuracy=[0.5] * 3, status=["ok", "ok", "diverged"],
        verdict=["stable", "vanishing", "diverged"],
    )  # fmt: skip
    first, second = summarize_groups(runs, ["depth"]).to_dict("records")
    assert first["delta_factor"] == pytest.approx(1.0)
    assert (first["n_runs"], first["final_loss"], first["verdict"], first["n_agree"]) == (2, 2.0, "stable", 1)
    assert verdict_text(first) == "stable (1/2)"
    assert (second["n_diverged"], second["verdict"], verdict_text(second)) == (1, "diverged", "diverged")


def test_a_setting_has_its_interval_over_seeds_and_both_means():
    logs = np.array([-0.1, 0.0, 0.1, 0.2])
    runs = _runs(
        depth=[5] * 4, delta_factor=np.exp(logs), delta_factor_lo=np.exp(logs - 9), delta_factor_hi=np.exp(logs + 9),
        delta_factor_theory=[np.nan] * 4, final_loss=[1.0] * 4, final_accuracy=[1.0] * 4, test_accuracy=[1.0] * 4,
        status=["ok"] * 4, verdict=["stable"] * 4,
    )  # fmt: skip
    (row,) = summarize_groups(runs, []).to_dict("records")
    assert row["delta_factor"] == pytest.approx(math.exp(logs.mean()))
    half = stats.t.ppf(0.975, 3) * logs.std(ddof=1) / 2
    assert (row["delta_factor_lo"], row["delta_factor_hi"]) == pytest.approx((math.exp(0.05 - half), math.exp(0.05 + half)))
    assert row["delta_factor_arithmetic"] == pytest.approx(np.mean(np.exp(2 * 4 * logs)) ** (1 / 8))
    (pair,) = summarize_groups(runs.iloc[:2], []).to_dict("records")
    assert math.log(pair["delta_factor_hi"] / pair["delta_factor"]) == pytest.approx(9 / math.sqrt(2))


def test_settings_are_compared_over_their_common_seeds():
    runs = _runs(depth=[1, 1, 1, 2, 2, 2], seed=[0, 1, 2, 2, 1, 0], final_loss=[1.0, 2, 3, 1.5, 1.0, 0.5])
    comparison = compare(runs, runs["depth"] == 1, runs["depth"] == 2, "final_loss", ratio=True)
    assert (comparison.effect.value, comparison.effect.n) == (pytest.approx(0.5), 3)
    with pytest.raises(ValueError, match="more than once"):
        compare(runs, runs["depth"] > 0, runs["depth"] == 2, "final_loss")
