"""NPZ: two arrays, x and y, examples in rows; columns are x0, x1 and so on, and y, or y0, y1 and so on."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bpcore.arrays import Array
from experiments.datasets.formats.source import Columns
from experiments.errors import UserError

_FIX = "write it with numpy.savez(path, x=x, y=y), examples in rows"


class Npz:
    """Offer the columns of a pair of arrays.

    Args:
        path: of the file.

    Raises:
        UserError: it is no NPZ file, lacks an array, or shapes or types do not fit.
    """

    decimal_comma = False

    def __init__(self, path: Path) -> None:
        self.path, self.notes = path, list[str]()
        try:
            headers = _headers(path)
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            raise UserError(f"cannot read {path}: {error}; {_FIX}") from error
        if missing := [name for name in ("x", "y") if name not in headers]:
            raise UserError(f"{path} has no array {missing[0]!r}; it has {', '.join(headers) or 'none'}; {_FIX}")
        self._shapes = {name: headers[name][0] for name in ("x", "y")}
        for name in ("x", "y"):
            if (dtype := headers[name][1]).kind not in "biufUS":
                raise UserError(f"{path}: {name} must hold numbers or words, got dtype {dtype}; convert it before numpy.savez")
        (x, y) = self._shapes["x"], self._shapes["y"]
        if not (1 <= len(x) <= 2 and 1 <= len(y) <= 2 and x[0] == y[0]):
            raise UserError(f"{path}: expected x of shape (m, n) and y of shape (m,) or (m, k), got {x} and {y}; {_FIX}")
        if 0 in (*x, *y):
            raise UserError(f"{path} is empty: x has shape {x}, y {y}; expected at least one example")
        self._places = {**_columns("x", x, always=True), **_columns("y", y, always=False)}
        self.names = list(self._places)

    @property
    def targets(self) -> list[str]:
        """Return the names of the columns of y."""
        return [name for name in self.names if name.startswith("y")]

    def rows(self) -> int:
        """Return the number of examples."""
        return int(self._shapes["x"][0])

    exact_rows = rows

    def read(self, columns: Sequence[str], chosen: Array | None) -> Columns:
        """Return columns, whole or at the chosen rows."""
        import pyarrow as pa

        with np.load(self.path, allow_pickle=False) as file:
            arrays = {name: file[name] if chosen is None else file[name][chosen] for name in ("x", "y")}
        found = {name: arrays[array] if at is None else arrays[array][:, at] for name, (array, at) in self._at(columns).items()}
        return {name: pa.chunked_array([_arrow(values)]) for name, values in found.items()}

    def _at(self, columns: Sequence[str]) -> dict[str, tuple[str, int | None]]:
        return {name: self._places[name] for name in columns}

    def place(self, row: int) -> str:
        """Return an example's number, and its index."""
        return f"row {row + 1} (x[{row}])"


def _headers(path: Path) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return shape and dtype of each array, without reading it."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.namelist():
            with archive.open(entry) as file:
                version = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)
                found[entry.removesuffix(".npy")] = (shape, dtype)
    return found


def _columns(array: str, shape: tuple[int, ...], always: bool) -> dict[str, tuple[str, int | None]]:
    if len(shape) == 1:
        return {f"{array}0" if always else array: (array, None)}
    if shape[1] == 1 and not always:
        return {array: (array, 0)}
    return {f"{array}{i}": (array, i) for i in range(shape[1])}


def _arrow(values: Array) -> Any:
    import pyarrow as pa

    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    return pa.array(values.tolist() if values.dtype.kind == "U" else np.ascontiguousarray(values))
