"""The parts of the findings' figures: what is drawn is what stands in the table."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm

from experiments.figures.style.panels import around, heatmap, legend, measured, panels, published, theory
from experiments.figures.style.render import render


def artist(axes, gid):
    found = [item for item in [*axes.lines, *axes.collections] if item.get_gid() == gid]
    assert len(found) == 1, gid
    return found[0]


def test_lines_bands_and_points_show_the_tables_numbers():
    table = pd.DataFrame(
        {"x": [3, 1, 2], "measured": [3.0, 1.0, 2.0], "low": 0.5, "high": 4.0, "theory": [3.3, 1.1, np.nan], "published": 2.0}
    )
    drawing, (axes,) = panels()
    measured(axes, table, "x")
    theory(axes, table, "x")
    published(axes, table, "x")
    legend(drawing, band="95 %", theory="theory", published="published")
    assert artist(axes, "measured").get_xydata().tolist() == [[1, 1], [2, 2], [3, 3]]
    np.testing.assert_array_equal(artist(axes, "theory").get_ydata(), [1.1, np.nan, 3.3])
    assert set(artist(axes, "published").get_ydata()) == {2.0}
    assert artist(axes, "band").get_paths()[0].get_extents().y1 == 4.0
    assert [text.get_text() for text in drawing.legends[0].get_texts()] == ["measured", "95 %", "theory", "published"]


@pytest.mark.parametrize("log", [False, True])
def test_a_heatmaps_cells_contain_their_places_and_missing_ones_stay_empty(log):
    table = pd.DataFrame([{"depth": d, "lr": lr, "value": d * lr, "bad": d == 3} for d in (1, 2, 10) for lr in (0.01, 0.1, 1.0)])
    table.loc[4, "value"] = np.nan
    contour = pd.DataFrame({"lr": [0.01, 1.0], "depth": [1.0, 10.0]})
    _, (axes,) = panels()
    norm = LogNorm(0.01, 10)
    mesh = heatmap(axes, table, "lr", "depth", "value", label="v", norm=norm, log_x=log, log_y=log, marked="bad", contour=contour)
    cells = np.ma.asarray(mesh.get_array()).reshape(3, 3)
    expected = table.pivot_table("value", "depth", "lr", dropna=False).to_numpy()
    np.testing.assert_array_equal(cells.filled(np.nan), expected)
    assert cells.mask.sum() == 1
    corners = mesh.get_coordinates()
    for i, depth in enumerate((1, 2, 10)):
        assert corners[i, 0, 1] < depth < corners[i + 1, 0, 1]
    for j, lr in enumerate((0.01, 0.1, 1.0)):
        assert corners[0, j, 0] < lr < corners[0, j + 1, 0]
    assert artist(axes, "contour").get_xydata().tolist() == [[0.01, 1.0], [1.0, 10.0]]
    assert axes.get_xscale() == ("log" if log else "linear")


def test_a_single_row_of_cells_can_be_drawn():
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 3.0], "value": [0.5, 1.5]})
    _, (axes,) = panels()
    heatmap(axes, table, "x", "y", "value", label="v", norm=around(table["value"], 1.0))
    low, high = axes.get_ylim()
    assert low < 3 < high


def test_colors_are_neutral_at_the_center():
    norm = around([0.5, 1.2, np.inf, np.nan], 1.0)
    assert (norm.vmin, norm(1.0), norm.vmax) == (0.5, 0.5, 1.5)


def test_a_figure_is_drawn_once_for_all_formats():
    calls = []

    def make():
        calls.append(1)
        drawing, (axes,) = panels()
        axes.plot([1, 2], [3, 4])
        return drawing

    images = render(make, ("png", "svg", "pdf"))
    assert (list(images), len(calls)) == (["png", "svg", "pdf"], 1)
