"""The tables behind the figures, and the choice of what an axis is shown as."""

import math

import numpy as np
import pandas as pd
import pytest

from experiments.figures.data.cutting import thin
from experiments.figures.data.roles import Roles, assign, independent, inert, levels
from experiments.report.headline import opening
from experiments.statistics.groups import linear_band, log_band, varying
from experiments.store.tables import Results
from experiments.text.numbers import label


def grid(**axes: list[object]) -> pd.DataFrame:
    return pd.MultiIndex.from_product(list(axes.values()), names=list(axes)).to_frame(index=False)


def test_log_band_counts_what_has_no_logarithm() -> None:
    frame = pd.DataFrame({"g": list("aaaab"), "v": [1.0, 100.0, 0.0, math.inf, math.nan]})
    table = log_band(frame, ["g"], "v").set_index("g")
    assert table.loc["a"].to_dict() == {
        "mean": pytest.approx(10.0),
        "low": 1.0,
        "high": pytest.approx(100.0),
        "n": 2,
        "n_zero": 1,
        "n_not_finite": 1,
    }
    assert math.isnan(table.loc["b", "mean"])
    assert table.loc["b", "n_not_finite"] == 1


def test_log_band_of_extreme_values_neither_overflows_nor_underflows() -> None:
    frame = pd.DataFrame({"v": [1e-300, 1e-320, 1e300]})
    assert log_band(frame, [], "v")["mean"].iloc[0] == pytest.approx(10 ** (-320 / 3), rel=1e-2)


def test_linear_band_uses_zeros() -> None:
    table = linear_band(pd.DataFrame({"v": [0.0, 1.0, math.nan]}), [], "v").iloc[0]
    assert (table["mean"], table["n"], table["n_zero"], table["n_not_finite"]) == (0.5, 2, 0, 1)


def test_most_settings_in_the_fewest_panels() -> None:
    roles, shown = assign(grid(scale=[0.5, 1.0, 2.0, 3.0], activation=["tanh", "relu"]), ["activation", "scale"])
    assert roles == Roles("scale", ("activation",))
    assert len(shown) == 8


def test_words_take_the_colour_where_panels_are_as_many() -> None:
    roles, _ = assign(grid(depth=[2, 5], activation=["tanh", "relu"]), ["activation", "depth"])
    assert roles == Roles("activation", ("depth",))


def test_more_words_than_colours_become_panels() -> None:
    roles, _ = assign(grid(activation=[f"a{i}" for i in range(10)], depth=[2, 5]), ["activation", "depth"])
    assert roles == Roles("depth", ("activation",))


def test_levels_are_left_out_of_numbers_first_and_said_so() -> None:
    settings = grid(depth=list(range(1, 21)), activation=["tanh", "relu"], norm=["none", "batch"])
    roles, shown = assign(settings, ["activation", "norm", "depth"], use_color=False)
    assert len(shown) <= 12
    assert set(shown["activation"]) == {"tanh", "relu"}
    assert {1, 20} <= set(shown["depth"])
    assert "depth 1, 11, 20 of 1, 2, 3" in roles.notes[0]


def test_among_words_the_extremes_stay() -> None:
    settings = grid(activation=[f"a{i}" for i in range(30)])
    settings["_rank"] = [(7 * i) % 30 for i in range(30)]
    _, shown = assign(settings, ["activation"], rank="_rank")
    ranks = settings.set_index("activation")["_rank"]
    assert len(shown) == 12
    assert {0, 29} <= set(ranks[shown["activation"]])


def test_an_axis_without_effect_is_found_and_one_with_effect_is_not() -> None:
    frame = grid(lr=[0.1, 1.0], activation=["tanh", "relu"], seed=[0, 1], layer=[1, 2])
    frame["v"] = frame["activation"].map({"tanh": 1.0, "relu": 2.0}) + frame["seed"]
    assert inert(frame, ["activation", "lr"], ["seed", "layer"], "v") == ["lr"]
    frame.loc[0, "v"] = np.nextafter(frame.loc[0, "v"], 9)
    assert inert(frame, ["activation", "lr"], ["seed", "layer"], "v") == []


def test_axes_that_advance_together_count_once_and_the_folder_stays() -> None:
    runs = pd.DataFrame(
        {"lr": [0.1, 1.0, 0.1, 1.0], "clip.threshold": [1.0, 10.0, 1.0, 10.0], "folder": list("aabb"), "init": list("xxyy")}
    )
    assert independent(runs, ["init", "lr", "folder", "clip.threshold"]) == (["lr", "folder"], {"clip.threshold": "lr", "init": "folder"})
    assert independent(grid(a=[1, 2], b=[1, 2]), ["a", "b"]) == (["a", "b"], {})


def test_levels_and_their_names() -> None:
    assert levels(pd.Series(["tanh", "relu", "tanh"])) == ["tanh", "relu"]
    assert levels(pd.Series([3.0, 1.0]))[0] == 1.0
    assert math.isnan(levels(pd.Series([1.0, math.nan]))[1])
    assert [label(x) for x in (1e6, 0.1, 20, "relu", None, True, 1e-7)] == ["1e6", "0.1", "20", "relu", "–", "true", "1e-7"]


def test_thinning_keeps_both_ends() -> None:
    assert thin(list(range(101)), 5) == [0, 25, 50, 75, 100]
    assert thin([1, 2], 5) == [1, 2]


def test_the_opening_names_the_extremes(samples: dict[str, Results]) -> None:
    results = samples["two_axes"]
    text = " ".join(opening(results, varying(results.runs)))
    factors = results.runs.groupby(["activation", "depth"])["delta_factor"].agg(lambda x: np.exp(np.log(x).mean()))
    activation, depth = factors.idxmin()
    assert f"between {factors.min():.3g} (activation={activation}, depth={depth})" in text
    assert f"and {factors.max():.3g} (" in text


def test_the_opening_says_what_diverged(samples: dict[str, Results]) -> None:
    results = samples["diverged"]
    assert "the first at step 1 (init.scale 10)" in " ".join(opening(results, varying(results.runs)))
