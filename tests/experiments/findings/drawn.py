"""What a figure shows, point by point, against the tables that it was drawn from."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, QuadMesh
from matplotlib.figure import Figure

Point = tuple[float, float]
CLOSE = 1e-9
"""Relative: an error bar's end is a value minus a difference."""


def points(drawing: Figure) -> Iterator[tuple[str, Point]]:
    """Iterate over what stands at places of the panels: lines, marks, corners of bands, ends of bars; but for lines across a panel."""
    for axes in panels(drawing):
        for line in axes.lines:
            if line.get_transform() == axes.transData:
                yield from (
                    (str(line.get_gid() or "line"), (float(x), float(y))) for x, y in line.get_xydata() if np.isfinite([x, y]).all()
                )
        for drawn in axes.collections:
            if not isinstance(drawn, QuadMesh):
                yield from ((str(drawn.get_gid() or "band"), point) for point in _corners(drawn))


def _corners(drawn: Collection) -> Iterator[Point]:
    vertices = drawn.get_segments() if isinstance(drawn, LineCollection) else [path.vertices for path in drawn.get_paths()]
    for corners in vertices:
        yield from ((float(x), float(y)) for x, y in np.asarray(corners) if np.isfinite([x, y]).all())


def panels(drawing: Figure) -> list[Axes]:
    """Return the panels, without colour bars."""
    return [axes for axes in drawing.axes if axes.get_label() != "<colorbar>"]


def levels(drawing: Figure) -> set[float]:
    """Return where lines and bands go across a whole panel: their places on the one axis on which they have one."""
    found: set[float] = set()
    for axes in panels(drawing):
        for line in axes.lines:
            if line.get_transform() == axes.get_yaxis_transform():
                found |= {float(y) for y in line.get_ydata()}
            if line.get_transform() == axes.get_xaxis_transform():
                found |= {float(x) for x in line.get_xdata()}
        for patch in axes.patches:
            if patch.get_data_transform() == axes.get_xaxis_transform():
                found |= {float(patch.get_x()), float(patch.get_x() + patch.get_width())}
            if patch.get_data_transform() == axes.get_yaxis_transform():
                found |= {float(patch.get_y()), float(patch.get_y() + patch.get_height())}
    return found


def cells(drawing: Figure) -> list[float]:
    """Return the values of the maps' cells."""
    meshes = [drawn for axes in panels(drawing) for drawn in axes.collections if isinstance(drawn, QuadMesh)]
    return [float(value) for mesh in meshes for value in np.ma.compressed(np.ma.asarray(mesh.get_array()))]


class Rows:
    """Look up numbers and pairs of them in the rows of tables."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self._frames = [frame.select_dtypes("number").astype("float64").to_numpy() for frame in tables.values()]
        self._pairs = {pair for frame in self._frames for row in frame.tolist() for pair in itertools.product(row, row)}

    def have(self, x: float) -> bool:
        """Return whether a number stands somewhere."""
        return any(bool(_close(frame, x).any()) for frame in self._frames)

    def have_both(self, x: float, y: float) -> bool:
        """Return whether two numbers stand in one row."""
        if (x, y) in self._pairs:
            return True
        return any(bool((_close(frame, x).any(axis=1) & _close(frame, y).any(axis=1)).any()) for frame in self._frames)


def _close(values: Any, number: float) -> Any:
    return np.isclose(values, number, rtol=CLOSE, atol=0.0)


def misfits(drawing: Figure, tables: Mapping[str, pd.DataFrame], placed: str = "") -> list[tuple[str, Point]]:
    """Return the points of a figure that stand in no row of its tables.

    Args:
        drawing: the figure.
        tables: of the estimate.
        placed: the axis whose places are words: "y", or "" for none.
    """
    rows = Rows(tables)
    return [
        (gid, (x, y)) for gid, (x, y) in dict.fromkeys(points(drawing)) if not (rows.have(x) if placed == "y" else rows.have_both(x, y))
    ]


def missing(drawing: Figure, tables: Mapping[str, pd.DataFrame]) -> dict[str, list[float]]:
    """Return, by table, the measured numbers that the figure does not show."""
    shown = np.array([number for _, point in points(drawing) for number in point] + cells(drawing))
    lost = {}
    for name, frame in tables.items():
        numbers = frame["measured"].astype("float64").to_numpy() if "measured" in frame else np.array([])
        lost[name] = [float(number) for number in np.unique(numbers[np.isfinite(numbers)]) if not _close(shown, number).any()]
    return {name: numbers for name, numbers in lost.items() if numbers}
