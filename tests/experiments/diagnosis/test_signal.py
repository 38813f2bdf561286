from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.diagnosis.rule import by_factor, factor_of, group_factor
from experiments.diagnosis.signal import PLAIN, Nature, judge, signal_factor
from experiments.diagnosis.verdict import judge_group
from experiments.statistics.factors import NO_FACTOR, delta_factor, log_delta_norm, log_factor
from tests.experiments.helpers import sweep


def step0(norms, dead=0.0, saturated=0.0, z_var=1.0, zero=0.0):
    """Layers 0…L at step 0, of which the last is the output."""
    length = len(norms)
    return pd.DataFrame({
        "layer": range(length), "delta_norm": norms, "dead": np.full(length, dead), "saturated": np.full(length, saturated),
        "z_var": np.full(length, z_var), "z_mean": np.zeros(length), "zero": np.full(length, zero),
    })  # fmt: skip


def verdict(norms, diverged=False, nature=PLAIN, **columns):
    frame = step0([1.0, *norms, 1.0], **columns)
    return judge(frame, delta_factor(np.array(norms)), diverged, nature=nature)


@pytest.mark.parametrize(
    ("norms", "name"),
    [
        (4.88 ** -np.arange(5.0, 0, -1), "vanishing"),
        ([0.0657, 0.3092], "vanishing"),
        ([0.0118, 0.0600, 0.2831], "vanishing"),
        ([0.00298, 0.0171, 0.0695, 0.2851], "vanishing"),
        (100.0 ** np.arange(5, 0, -1), "exploding"),
        (np.ones(10), "stable"),
        (0.97 ** np.arange(10, 0, -1.0), "stable"),
        (1.21 ** np.arange(20, 0, -1.0), "exploding"),
        ([0.0, 0.0, 1e-40, 1e-20], "underflowed"),
        ([1.0], "none"),
    ],
)
def test_by_the_factor_and_the_depth(norms, name):
    assert verdict(norms).name == name


def test_a_walk_without_drift_is_stable():
    walk = np.exp(np.cumsum(np.array([0.9, -1.0, 1.1, -0.8, 1.0, -1.1, 0.9, -0.9])))
    assert verdict(walk).name == "stable"


def test_nan_is_diverged_and_never_vanishing():
    assert verdict([np.nan, np.nan, 0.1], diverged=True).name == "diverged"


def test_a_dead_layer_is_dead_and_not_vanishing():
    assert verdict([0.0, 0.0, 0.0], dead=1.0).name == "dead"


def test_saturation_needs_large_preactivations():
    shrinking = 5.0 ** -np.arange(5.0, 0, -1)
    assert verdict(shrinking, saturated=0.9, z_var=100.0).name == "saturated"
    assert verdict(shrinking, saturated=0.9, z_var=0.5).name == "vanishing"
    assert verdict(shrinking, saturated=0.9, z_var=100.0, nature=Nature(flat=False)).name == "vanishing"  # a rectifier


def test_the_reason_states_rate_interval_theory_and_consequence():
    logs = np.cumsum(np.array([0.0, 1.50, 1.62, 1.55, 1.67]))
    factor = log_factor(logs)
    reason = judge(step0([1.0, *np.exp(logs), 1.0]), factor, theory=1 / 4.88).reason
    low, high = 1 / factor.high, 1 / factor.low
    assert reason == (
        f"δ shrinks {1 / factor.value:.3g}× per layer toward the input (95 % {low:.3g}–{high:.3g}, theory 4.88): "
        f"layer 1 gets an error {np.exp(logs[-1]):.3g}× smaller than layer 5"
    )
    assert low < 4.88 < high


@pytest.mark.parametrize(("depth", "name"), [(3, "stable"), (10, "stable"), (14, "exploding"), (40, "exploding")])
def test_the_depth_decides_whether_a_rate_matters(depth, name):
    """1.21× a layer, as ReLU under batch normalization: tenfold from 14 hidden layers on."""
    found = verdict(1.2111 ** np.arange(depth, 0, -1.0))
    assert found.name == name
    assert "1.21× per layer" in found.reason
    if name == "stable":
        assert "tenfold from 14 on" in found.reason


@pytest.mark.parametrize(("width", "depth"), [(64, 20), (100, 50), (64, 100), (256, 100)])
def test_he_and_relu_is_stable_within_its_finite_width_spread(width, depth):
    """ln of the squared factors ~ ln of (2/n)·χ²-like sums with variance 5/n each and E‖δ‖² preserved."""
    rng = np.random.default_rng(0)
    names = []
    for _ in range(300):
        v = 5 / (4 * width)
        logs = np.append(0.0, -np.cumsum(-v + np.sqrt(v) * rng.standard_normal(depth - 1)))
        names.append(by_factor(log_factor(logs), depth).name)
    assert names.count("stable") >= 0.93 * len(names)


def test_a_net_just_below_critical_is_not_excused_by_its_width():
    """The control: σ_w² = 1.4 in place of 2 at the same spread."""
    rng = np.random.default_rng(0)
    v = 5 / (4 * 64)
    walks = [np.append(0.0, -np.cumsum(0.5 * np.log(0.7) - v + np.sqrt(v) * rng.standard_normal(49))) for _ in range(100)]
    assert sum(by_factor(log_factor(walk), 50).name == "vanishing" for walk in walks) >= 99


@pytest.mark.parametrize(
    ("norms", "name"),
    [
        ([1e-95, 0.9, 1.0, 1.1, 1.0], "vanishing"),  # all in one step: no interval could exclude 1
        ([1e95, 0.9, 1.0, 1.1, 1.0], "exploding"),
        (np.exp(np.linspace(-1500, 0, 4)), "underflowed"),
    ],
)
def test_an_enormous_ratio_is_not_stable_however_uneven(norms, name):
    assert verdict(norms).name == name


def test_extended_range_tells_how_far_it_underflowed():
    frame = step0([0.0, 0.0, 1e-200, 1.0, 1.0]).assign(log10_delta_norm=[-600.0, -400.0, -200.0, 0.0, 0.0])
    found = judge(frame, log_factor(log_delta_norm(frame)[1:-1]))
    assert found.name == "underflowed"
    assert "10^-400 in layer 1" in found.reason


def test_a_layer_whose_z_underflows_is_not_dead():
    dead = np.array([0.0, 0.0, 1.0, 1.0, 0.0])
    frame = step0([0.0, 0.0, 0.0, 0.0, 1.0]).assign(
        dead=dead, z_mean=[np.nan, 1e-30, 0, 0, 0], z_var=[np.nan, 1e-60, 0, 0, 0], weight_norm=1.0
    )
    assert judge(frame, NO_FACTOR).name == "underflowed"
    assert judge(frame.assign(z_mean=-1.0), NO_FACTOR).name == "dead"
    assert judge(frame.assign(weight_norm=0.0), NO_FACTOR).name == "zero_weights"


def test_a_frame_and_arrays_are_judged_alike():
    frame = step0([1.0, 0.001, 0.02, 0.3, 1.0])
    arrays = {name: frame[name].to_numpy() for name in frame}
    factor = log_factor(log_delta_norm(arrays)[1:-1])
    assert judge(frame, factor) == judge(arrays, factor)


def group(logs, depth=21, verdict="stable", status="ok", theory=np.nan):
    n = len(logs)
    names = [verdict] * n if isinstance(verdict, str) else verdict
    states = ["diverged" if name == "diverged" else "failed" if name is None else status for name in names]
    return pd.DataFrame({
        "delta_factor": np.exp(logs), "delta_factor_lo": np.exp(np.array(logs) - 0.05), "delta_factor_hi": np.exp(np.array(logs) + 0.05),
        "delta_factor_theory": theory, "depth": depth, "verdict": names, "status": states,
    })  # fmt: skip


def test_a_group_never_contradicts_most_of_its_runs():
    """Each run's own interval holds 1; five seeds together do not, which is said, and is not the verdict."""
    runs = group([-0.13, -0.125, -0.12, -0.128, -0.122])
    found = judge_group(runs)
    assert found.name == "stable"
    assert found.reason.startswith("5 of 5 runs are stable (95 % 57–100 % of all seeds); over all of them δ shrinks 1.13× per layer")
    assert judge_group(group([-0.13] * 5, verdict=["vanishing"] * 3 + ["stable"] * 2)).name == "vanishing"
    assert judge_group(group([-0.001] * 5, verdict=["saturated"] * 3 + ["stable"] * 2)).name == "saturated"


def test_where_no_name_holds_in_most_runs_the_interval_over_seeds_decides():
    even = ["stable", "stable", "vanishing", "vanishing"]
    found = judge_group(group([-0.13, -0.125, -0.12, -0.128], verdict=even))
    assert found.name == "vanishing"
    assert "over 4 seeds" in found.reason
    assert judge_group(group([-0.8, 0.5, -0.6, 0.4], verdict=even)).name == "stable"


def test_a_group_without_a_factor_tells_of_its_lost_runs():
    found = judge_group(group([np.nan] * 40, depth=1, verdict=["none"] * 32 + ["dead"] * 8))
    assert found.name == "none"
    assert "8 of 40 runs dead" in found.reason


def test_under_a_normalization_the_unit_of_z_means_nothing():
    frame = step0([1.0, 0.5, 0.7, 0.6, 1.0], z_var=4.0)
    in_another_unit = frame.assign(delta_norm=[1.0, 0.5 / 1e5, 0.7, 0.6, 1.0], z_var=[4.0, 4.0 * 1e10, 4.0, 4.0, 4.0])
    normalized = Nature(normalized=True)
    one, other = (judge(rows, signal_factor(rows, normalized), nature=normalized) for rows in (frame, in_another_unit))
    assert one == other
    assert "δ·sd(z)" in one.reason
    plain = [judge(rows, signal_factor(rows)).name for rows in (frame, in_another_unit)]
    assert plain == ["stable", "vanishing"]  # without one, z has its own unit


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ([0.001, 0.01], "its weights learn 10× slower (‖ΔW‖/‖W‖ 0.001 against 0.01)"),
        ([0.01, 0.011], "its weights learn about as fast (‖ΔW‖/‖W‖ 0.01 against 0.011)"),
        ([0.01, 0.001], "its weights move 10× faster (‖ΔW‖/‖W‖ 0.01 against 0.001)"),
    ],
)
def test_how_fast_weights_learn_is_said_of_weights(ratios, words):
    logs = np.cumsum(np.full(5, 1.6))
    frame = step0([1.0, *np.exp(logs), 1.0]).assign(update_ratio=[np.nan, ratios[0], 0.5, 0.5, 0.5, ratios[1], 0.5])
    assert judge(frame, signal_factor(frame)).reason.endswith(f"smaller than layer 5; {words}")


def test_an_output_that_is_switched_off_is_dead():
    frame = step0([0.0, 0.0, 0.0, 0.0]).assign(dead=[np.nan, 0, 0, 1.0], z_mean=-1.0, weight_norm=1.0)
    assert judge(frame, NO_FACTOR, nature=Nature(output_dies=True)).name == "dead"
    assert judge(frame, NO_FACTOR).name == "underflowed"


def test_two_seeds_take_the_interval_within_the_runs():
    factor = group_factor(group([-0.13, -0.12]))
    assert np.log(factor.high / factor.value) == pytest.approx(0.05 / np.sqrt(2))
    alone = group_factor(group([-0.13]))
    assert np.log(alone.high / alone.value) == pytest.approx(0.05)


def test_the_arithmetic_factor_of_a_group_is_that_of_the_mean_square():
    logs = np.array([-0.1, 0.0, 0.12])
    assert group_factor(group(logs)).arithmetic == pytest.approx(np.mean(np.exp(2 * 20 * logs)) ** (1 / 40))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["diverged", "diverged", "stable"], "diverged"),
        (["diverged", "stable", "stable"], "stable"),
        (["dead", "dead", "dead"], "dead"),
        (["underflowed", "dead", "dead", "vanishing"], "dead"),
        ([None, None, "stable"], "failed"),
    ],
)
def test_a_state_must_hold_in_half_of_the_runs(names, expected):
    found = judge_group(group([0.001, 0.002, -0.001, 0.0][: len(names)], verdict=names))
    assert found.name == expected
    if "diverged" in names:
        assert f"{names.count('diverged')} of {len(names)} runs" in found.reason


def test_a_factor_is_restored_from_its_columns():
    factor = delta_factor(np.exp(np.cumsum([0.3, 1.2, 0.8, 1.1, 0.9])))
    again = factor_of(factor.value, factor.low, factor.high, 5)
    assert (again.log_variance, again.log_end_to_end) == pytest.approx((factor.log_variance, factor.log_end_to_end), rel=1e-9)
    assert factor_of(np.nan, np.nan, np.nan, 5).count == 0


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        (["activation=sigmoid", "depth=10"], "vanishing"),
        (["activation=relu", "init=he", "init.scale=3", "depth=10"], "exploding"),
        (["activation=identity", "init=orthogonal", "depth=10"], "stable"),
        (["activation=relu", "init=constant", "init.scale=-1", "data.standardize=false"], "dead"),
        (["activation=tanh", "init=constant", "init.scale=-1", "depth=10"], "saturated"),
        (["activation=identity", "depth=10"], "stable"),
        (["activation=relu", "init=he", "depth=20"], "stable"),
        (["activation=relu", "init.scale=1e-20", "dtype=float32", "depth=8"], "underflowed"),
        (["activation=sigmoid", "dtype=float32", "depth=90"], "underflowed"),
        (["activation=relu", "init.scale=1e200", "depth=5"], "diverged"),
        (["activation=tanh", "init.scale=1", "depth=1"], "none"),
    ],
    ids=str,
)
def test_real_runs(overrides, name, tmp_path):
    results = sweep(tmp_path, *overrides, "width=32", "steps=0", multirun=False)
    assert results.runs["verdict"].tolist() == [name]


def test_an_error_goes_past_branches_that_are_zero_or_dead():
    frame = step0([1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0]).assign(weight_norm=[0.0, 1, 1, 0, 1, 0, 1])
    blocks = Nature(span=2, joined=frozenset({3, 5}), bypassed=frozenset({2, 4}))
    assert judge(frame, signal_factor(frame, blocks), nature=blocks).name == "stable"
    assert judge(frame, signal_factor(frame), nature=PLAIN).name == "zero_weights"
    dead = step0(np.ones(6)).assign(dead=[0, 0, 1.0, 0, 1.0, 0])
    assert judge(dead, signal_factor(dead), nature=replace(blocks, span=1)).name == "stable"
    assert judge(dead, signal_factor(dead), nature=PLAIN).name == "dead"


def test_the_factor_of_blocks_is_that_from_sum_to_sum():
    norms = np.array([8.0, 100.0, 4.0, 50.0, 2.0])
    factor = delta_factor(norms, span=2)
    assert (factor.value, factor.end_to_end, factor.count) == (pytest.approx(2**0.5), pytest.approx(4), 2)
