"""What every figure draws equals its table, and its table equals an independent expression of pandas."""

import functools
import pickle
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from experiments.config.files import catalogue
from experiments.figures import (
    activation_shapes,
    clip_rate,
    delta_by_layer,
    delta_by_layer_last,
    delta_distribution,
    delta_over_steps,
    factor_by_axis,
    factor_map,
    gradient_norm,
    loss,
)
from experiments.figures.data.table import FigureTable
from experiments.figures.style.look import STYLE
from experiments.report.page import draw as render
from experiments.report.page import figure_modules
from experiments.statistics.groups import varying
from experiments.store.tables import Results
from tests.experiments.conftest import SWEEPS

Samples = dict[str, Results]


MANY_PANELS = ("four_axes", "many_levels")


def table_of(module: ModuleType, results: Results) -> FigureTable:
    table = module.table(results, varying(results.runs))
    assert isinstance(table, FigureTable)
    return table


def drawn(module: ModuleType, table: FigureTable) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure: Figure = module.draw(table)
    return figure


@functools.cache
def panels(module: ModuleType, content: bytes) -> list[str]:
    """Draw a pickled table and return its panels, those of colour bars apart; the shapes of activations are most sweeps' table."""
    return [axes.get_label() for axes in drawn(module, pickle.loads(content)).axes if axes.get_label() != "<colorbar>"]


def lines(figure: Figure, gid: str) -> list[tuple[np.ndarray, np.ndarray]]:
    return [line.get_data() for axes in figure.axes for line in axes.lines if line.get_gid() == gid]


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in MANY_PANELS)) for name in SWEEPS])
def test_every_figure_applies_or_says_that_it_does_not(samples: Samples, name: str) -> None:
    results = samples[name]
    drawn_names, axes = set(), varying(results.runs)
    for module in figure_modules():
        table = module.table(results, axes)
        if table is None:
            continue
        assert len(table.frame), module.__name__
        assert len(module.caption(table)) > 30
        drawn_names.add(module.__name__.rpartition(".")[2])
        if name in ("two_axes", "inert_axis", "clip_or_not", "seeds_alone"):  # drawn by other tests
            continue
        most = 2 * len(catalogue("activation")) if module is activation_shapes else 20  # φ and φ′ of each
        assert 0 < len(panels(module, pickle.dumps(table))) <= most, module.__name__
    assert {"delta_by_layer", "activation_shapes", "delta_distribution"} <= drawn_names
    assert ("clip_rate" in drawn_names) == ("clip" in name)
    assert ("delta_over_steps" in drawn_names) == (name != "step_zero")
    assert ("accuracy" in drawn_names) == (name not in ("step_zero", "regression"))


def test_every_module_has_a_title_and_a_place() -> None:
    modules = figure_modules()
    assert len(modules) >= 12
    for module in modules:
        assert (module.__doc__ or "").splitlines()[0].endswith(".")
        assert isinstance(module.ORDER, int)
    assert len({module.ORDER for module in modules}) == len(modules)


def test_delta_by_layer_draws_its_table_and_its_table_is_the_geometric_mean(samples: Samples) -> None:
    results = samples["two_axes"]
    table = table_of(delta_by_layer, results)
    raw = results.layers.query("step == 0 and layer > 0").merge(results.runs[["run_id", "activation", "depth"]], on="run_id")
    expected = raw.groupby(["activation", "depth", "layer"])["delta_norm"].agg([lambda x: x.prod() ** (1 / len(x)), "min", "max"])
    got = table.frame.set_index(["activation", "depth", "layer"])[["mean", "low", "high"]].sort_index()
    np.testing.assert_allclose(got.to_numpy(), expected.sort_index().to_numpy(), rtol=1e-12)
    curves = lines(drawn(delta_by_layer, table), "mean")
    assert len(curves) == 6
    assert sorted(np.concatenate([y for _, y in curves])) == sorted(table.frame["mean"])
    theory = lines(drawn(delta_by_layer, table), "theory")
    np.testing.assert_array_equal(np.sort(np.concatenate([y for _, y in theory])), np.sort(table.frame["theory"]))


def test_bands_reach_from_the_smallest_to_the_largest_seed(samples: Samples) -> None:
    table = table_of(delta_by_layer, samples["seeds_alone"])
    (axes,) = drawn(delta_by_layer, table).axes
    vertices = axes.collections[0].get_paths()[0].vertices
    for row in table.frame.itertuples():
        assert {row.low, row.high} <= set(vertices[vertices[:, 0] == row.layer, 1])


def test_the_last_step_is_each_runs_own(samples: Samples) -> None:
    table = table_of(delta_by_layer_last, samples["diverged"])
    assert (table.frame.loc[table.frame["init.scale"] == 10, "n_not_finite"] == 1).all()
    crosses = lines(drawn(delta_by_layer_last, table), "not_finite")
    np.testing.assert_array_equal(crosses[0][0], np.arange(1, 52))
    assert "51 norms are not finite" in delta_by_layer_last.caption(table)


def test_exact_zeros_are_marked_and_counted(samples: Samples) -> None:
    results = samples["underflowed"]
    table = table_of(delta_by_layer, results)
    norms = results.layers.query("step == 0 and layer > 0")
    zero = norms.loc[norms["delta_norm"] == 0, "layer"]
    assert len(zero) > 5
    ((x, _),) = lines(drawn(delta_by_layer, table), "zero")
    np.testing.assert_array_equal(x, zero)
    assert f"{len(zero)} norms are exactly 0" in delta_by_layer.caption(table)


def test_an_axis_that_changes_nothing_is_drawn_once_and_named(samples: Samples) -> None:
    table = table_of(delta_by_layer, samples["inert_axis"])
    assert "lr" not in table.frame.columns
    assert "lr changes nothing here" in delta_by_layer.caption(table)
    assert len(lines(drawn(delta_by_layer, table), "mean")) == 2
    assert "lr" in table_of(loss, samples["inert_axis"]).frame.columns


def test_delta_over_steps_draws_one_line_a_layer(samples: Samples) -> None:
    results = samples["one_run"]
    table = table_of(delta_over_steps, results)
    curves = lines(drawn(delta_over_steps, table), "mean")
    assert len(curves) == 4
    for layer, (x, y) in enumerate(curves, start=1):
        expected = results.layers[results.layers["layer"] == layer]
        np.testing.assert_array_equal(x, expected["step"])
        np.testing.assert_allclose(y, expected["delta_norm"], rtol=1e-12)


def test_the_heatmap_shows_the_factor_and_writes_it(samples: Samples) -> None:
    results = samples["two_axes"]
    table = table_of(factor_map, results)
    axes = drawn(factor_map, table).axes[0]
    logs = np.log(results.runs["delta_factor"]).groupby([results.runs["activation"], results.runs["depth"]]).mean()
    expected = (logs / np.log(10)).unstack().loc[["sigmoid", "relu"]]
    np.testing.assert_allclose(axes.images[0].get_array().filled(np.nan), expected.to_numpy(), rtol=1e-12)
    assert {text.get_text() for text in axes.texts} == {f"{10**value:.3g}" for value in expected.to_numpy().ravel()}
    low, high = axes.images[0].get_clim()
    assert low == -high


def test_a_setting_with_diverged_runs_is_hatched(samples: Samples) -> None:
    table = table_of(factor_map, samples["many_levels"])
    table.frame.loc[table.frame.index[0], "n_diverged"] = 1
    table.frame.loc[table.frame.index[1], "mean"] = np.nan
    axes = drawn(factor_map, table).axes[0]
    assert sum(patch.get_hatch() is not None for patch in axes.patches) == 1
    assert "Hatched" in factor_map.caption(table)
    assert "no factor" in factor_map.caption(table)


def test_the_factor_over_an_axis_stands_over_its_levels(samples: Samples) -> None:
    results = samples["many_levels"]
    table = table_of(factor_by_axis, results)
    assert table.x == "init.scale"
    curves = lines(drawn(factor_by_axis, table), "mean")
    expected = results.runs.sort_values("init.scale").groupby("activation", sort=False)
    for (x, y), name in zip(curves, ["tanh", "relu"], strict=True):
        runs = expected.get_group(name)
        np.testing.assert_array_equal(x, runs["init.scale"])
        np.testing.assert_allclose(y, runs["delta_factor"], rtol=1e-12)


def test_words_on_an_axis_are_not_joined_by_lines(samples: Samples) -> None:
    figure = drawn(factor_by_axis, table_of(factor_by_axis, samples["one_axis"]))
    assert all(line.get_linestyle() == "None" for line in figure.axes[0].lines if line.get_gid() == "mean")
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["sigmoid", "tanh", "relu"]


def test_every_activation_stands_beside_its_derivative_with_its_range(samples: Samples) -> None:
    table = table_of(activation_shapes, samples["one_run"])
    figure = drawn(activation_shapes, table)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[0] == "φ  tanh  (in this sweep)"
    assert titles[1] == "φ′ ∈ (0, 1]"
    assert titles[titles.index("φ  sigmoid") + 1] == "φ′ ∈ (0, ¼]"
    for axes, name in zip(figure.axes[1::2], table.frame["activation"].unique(), strict=True):
        shape = table.frame[table.frame["activation"] == name]
        ((_, y),) = [line.get_data() for line in axes.lines if line.get_gid() == "prime"]
        inside = y[np.isfinite(y)]
        assert (inside >= shape["low"].iloc[0] - 1e-12).all()
        assert (inside <= shape["high"].iloc[0] + 1e-12).all()


def swept(*settings: dict[str, Any]) -> Results:
    runs = pd.DataFrame([{"run_id": f"run{i}", "job": i, "seed": 0, **setting} for i, setting in enumerate(settings)])
    return Results(runs, pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), path=Path("nowhere"))


def test_an_activation_is_drawn_with_the_parameters_that_it_had_in_the_sweep() -> None:
    results = swept(
        *({"activation": name, "activation.alpha": alpha} for name in ("leaky_relu", "elu") for alpha in (0.5, 0.02, 0.5)),
        {"activation": "tanh", "activation.alpha": None},
    )
    table = activation_shapes.table(results, ["activation", "activation.alpha"])
    assert table is not None
    names = list(table.frame["activation"].unique())
    assert names[:5] == ["elu alpha=0.02", "elu alpha=0.5", "leaky_relu alpha=0.02", "leaky_relu alpha=0.5", "tanh"]
    assert not {"leaky_relu alpha=0.1", "elu alpha=1", "leaky_relu", "elu"} & set(names), "no shape that no run had"
    assert set(table.frame.groupby("activation")["used"].first()[lambda used: used].index) == set(names[:5])
    figure = drawn(activation_shapes, table)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[:4:2] == ["φ  elu alpha=0.02\n(in this sweep)", "φ  elu alpha=0.5\n(in this sweep)"]
    assert titles[10] == "φ  exponential"
    for place, alpha in ((4, 0.02), (6, 0.5)):
        ((z, value),) = [line.get_data() for line in figure.axes[place].lines if line.get_gid() == "value"]
        np.testing.assert_allclose(value, np.where(z > 0, z, alpha * z), rtol=1e-12)
    for place, alpha in ((0, 0.02), (2, 0.5)):
        ((z, value),) = [line.get_data() for line in figure.axes[place].lines if line.get_gid() == "value"]
        np.testing.assert_allclose(value, np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))), rtol=1e-12)
    assert "Left out" not in activation_shapes.caption(table)


def test_of_many_parameters_some_activations_are_left_out_and_named() -> None:
    table = activation_shapes.table(swept(*({"activation": "elu", "activation.alpha": i / 10} for i in range(1, 31))), ["activation.alpha"])
    assert table is not None
    used = list(table.frame.loc[table.frame["used"], "activation"].unique())
    assert (len(used), used[0], used[-1]) == (12, "elu alpha=0.1", "elu alpha=3")
    assert len(table.left_out) == 18
    assert f"Left out for want of room: {', '.join(table.left_out)}." in activation_shapes.caption(table)


def test_the_activations_of_a_list_are_those_of_its_layers() -> None:
    table = activation_shapes.table(swept({"activation": "[tanh, relu]"}), ["activation"])
    assert set(table.frame.loc[table.frame["used"], "activation"]) == {"tanh", "relu"}
    assert table.frame["activation"].nunique() == len(catalogue("activation"))


def test_an_activation_of_a_users_own_has_no_shape_in_the_catalogue() -> None:
    table = activation_shapes.table(swept({"activation": "mine"}, {"activation": "relu"}), ["activation"])
    assert table is not None
    assert table.frame["activation"].iloc[0] == "relu"
    assert "mine" not in set(table.frame["activation"])


def test_shares_of_a_layer_sum_to_one_and_are_what_is_drawn(samples: Samples) -> None:
    results = samples["two_axes"]
    table = table_of(delta_distribution, results)
    sums = table.frame.groupby([*table.roles.facets, "when", "layer"])["share"].sum()
    np.testing.assert_allclose(sums, 1.0, rtol=1e-12)
    figure = drawn(delta_distribution, table)
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(images) == 12
    for image in images:
        np.testing.assert_allclose(image.sum(axis=0) - 0, image.sum(axis=0))
        assert image.shape[1] in (3, 5, 7)


def test_the_clip_rate_is_the_share_of_clipped_steps(samples: Samples) -> None:
    results = samples["clipped"]
    table = table_of(clip_rate, results)
    raw = results.steps.merge(results.runs[["run_id", "clip.threshold"]], on="run_id")
    raw["window"] = raw["step"] // table.window
    expected = raw.groupby(["clip.threshold", "window"])["clipped"].mean()
    np.testing.assert_allclose(table.frame["mean"], expected, rtol=1e-12)
    curves = lines(drawn(clip_rate, table), "mean")
    np.testing.assert_allclose(np.concatenate([y for _, y in curves]), table.frame["mean"])


def test_the_clipped_gradient_is_drawn_beneath_the_whole(samples: Samples) -> None:
    table = table_of(gradient_norm, samples["clipped"])
    assert (table.frame["clipped_mean"] <= table.frame["mean"] * (1 + 1e-12)).all()
    figure = drawn(gradient_norm, table)
    np.testing.assert_array_equal(np.concatenate([y for _, y in lines(figure, "clipped_mean")]), table.frame["clipped_mean"])


def test_a_sweep_over_losses_has_a_figure_of_the_loss(samples: Samples) -> None:
    """The axis `loss` and the measured column `loss` are two things."""
    results = samples["seeds_alone"]
    results = replace(results, runs=results.runs.assign(loss=["mse", "softmax_cross_entropy", "mse"]))
    table = loss.table(results, ["loss"])
    assert table is not None
    steps = results.steps.merge(results.runs[["run_id", "loss"]], on="run_id", suffixes=("", "_axis"))
    expected = np.log(steps["loss"]).groupby([steps["loss_axis"], steps["step"]]).mean()
    got = table.frame.set_index(["loss", "step"])["mean"]
    np.testing.assert_allclose(got.reindex(expected.index), np.exp(expected), rtol=1e-12)


def test_settings_without_clipping_are_left_out_of_the_clip_figures(samples: Samples) -> None:
    assert set(table_of(clip_rate, samples["clip_or_not"]).frame["clip"]) == {"value", "norm"}


def test_values_beyond_the_axis_are_marked_and_counted(samples: Samples) -> None:
    table = table_of(loss, samples["one_axis"])
    table.frame["mean"] = np.where((table.frame["step"] == 3) & (table.frame["activation"] == "relu"), 1e200, table.frame["mean"])
    figure = drawn(loss, table)
    ((x, _),) = [data for data in lines(figure, "beyond") if len(data[0])]
    np.testing.assert_array_equal(x, [3])
    assert figure.axes[0].get_ylim()[1] < 1e6
    assert "1 value, up to 10²⁰⁰, lies beyond" in loss.caption(table)


@pytest.mark.parametrize("module", [delta_by_layer, factor_map, delta_distribution], ids=lambda module: module.__name__)
def test_the_same_table_gives_the_same_bytes(samples: Samples, module: ModuleType) -> None:
    table = table_of(module, samples["two_axes"])
    once, again = (render(module, table, ("png", "svg")) for _ in range(2))
    assert once == again
    assert b"<dc:date>" not in once["svg"]
