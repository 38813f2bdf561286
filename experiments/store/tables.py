"""The tables of a sweep: column names, units, dtypes; written atomically, read back as pandas frames.

A results folder holds runs, layers, steps and histograms as Parquet files, and provenance.json. The runs table is
written last and is what counts: rows of the other tables belong to a run only if the run is listed there.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.errors import UserError
from experiments.store.files import Staging
from experiments.store.files import atomically as atomically
from experiments.store.files import write_bytes as write_bytes
from experiments.store.files import write_text as write_text

KEYS = {"run_id": "identity of the run", "job": "place in the sweep, from 0"}

RUN_RESULTS = {
    "status": "ok, diverged or failed",
    "diverged_at_step": "first step whose loss or gradients are not finite; empty where none",
    "error": "what failed, with its traceback; empty where nothing did",
    "final_loss": "J over all training examples after the last update; that of the last row where the run diverged",
    "final_accuracy": "on all training examples, in [0, 1]; empty for regressions",
    "test_accuracy": "on the test examples, in evaluation mode, in [0, 1]; empty where there are none",
    "delta_factor": "geometric mean over hidden layers of delta_norm^l / delta_norm^(l+1) at step 0",
    "delta_factor_lo": "lower end of its 95 % interval, from the increments of ln delta_norm",
    "delta_factor_hi": "upper end of its 95 % interval",
    "delta_factor_theory": "the prediction of delta_factor for infinite width; empty where there is no theory",
    "verdict": "vanishing, stable, exploding, saturated, dead, underflowed or diverged",
}

LAYERS = {
    "step": "number of updates made before this row",
    "layer": "1…L, the output being L; 0 is the input",
    "delta_norm": "√(mean_i ‖δ_i‖²)",
    "delta_mean_norm": "‖mean_i δ_i‖ = ‖∂J/∂b‖; empty under batch normalization, where it is zero by construction",
    "delta_rms": "delta_norm / √n_l",
    "weight_grad_norm": "‖∂J/∂W‖ before clipping, λ term included",
    "bias_grad_norm": "‖∂J/∂b‖ before clipping",
    "weight_norm": "‖W‖ before the update",
    "update_ratio": "‖ΔW‖/‖W‖ of the update made from this row, ΔW before it is rounded into W; empty in the last",
    "z_mean": "mean of z over units and examples",
    "z_var": "variance of z over units and examples",
    "a_mean": "mean of a over units and examples",
    "a_var": "variance of a over units and examples",
    "saturated": "fraction of entries whose |φ′| is below 5 % of its maximum",
    "dead": "fraction of units that are 0 on every example",
    "zero": "fraction of entries of δ that are exactly 0",
    "finite": "whether every entry of δ is finite",
    "delta_norm_theory": "predicted delta_norm at step 0, from architecture, weights' variance, loss and data; empty elsewhere",
    "log10_delta_norm": "log10 of delta_norm; with record.extended=true also where that under- or overflowed",
    "gradient_cosine": "mean cosine between ∂f/∂z (∂f/∂x in layer 0) at pairs of different inputs, f = Σ_k a_k^L, batch statistics "
    "held fixed; empty unless record.gradient_cosine=true",
    "a_rank": "effective rank (Σs²)²/Σs⁴ of a from its singular values s; empty unless record.a_rank=true",
}

STEPS = {
    "step": "number of updates made before this row",
    "loss": "J of the step's batch, λ term included",
    "accuracy": "fraction right on the step's batch; empty for regressions",
    "grad_norm": "norm of all gradients together, before clipping",
    "grad_norm_clipped": "the same after clipping",
    "clipped": "whether clipping changed a gradient",
    "sharpness": "largest eigenvalue of the Hessian of J, where recorded",
    **{
        f"mode_{number}": f"strength uᵀWv of mode {number} of Σ^yx in a linear net's W = W^L⋯W^1; empty unless record.modes=true"
        for number in (1, 2, 3, 4)
    },
    "singular_value_max": "largest singular value of that W",
    "singular_value_min": "smallest singular value of that W",
}

HISTOGRAMS = {
    "step": "first or last recorded step",
    "layer": "1…L",
    "quantity": "z, a or log10_abs_delta",
    "bin_low": "lower edge; −inf below the fixed bins, empty for the count of NaN",
    "bin_high": "upper edge; inf above the fixed bins, empty for the count of NaN",
    "count": "entries in the bin; empty bins have no row",
}

TABLES = {"layers": KEYS | LAYERS, "steps": KEYS | STEPS, "histograms": KEYS | HISTOGRAMS}
SORT = {
    "runs": ["job"],
    "layers": ["job", "step", "layer"],
    "steps": ["job", "step"],
    "histograms": ["job", "step", "layer", "quantity", "bin_low"],
}
WRITE_ORDER = ("histograms", "layers", "steps", "runs")

PARTS, MANIFEST, LOCK = "parts", "sweep.json", ".lock"
"""What a sweep under way has in its folder beside the tables: its finished tiles with their manifest, and its lock."""

_TYPES = {
    **dict.fromkeys(("job", "step", "layer", "count"), pa.int64()),
    **dict.fromkeys(("finite", "clipped"), pa.bool_()),
    **dict.fromkeys(("run_id", "quantity"), pa.string()),
}
SCHEMAS = {name: pa.schema([(column, _TYPES.get(column, pa.float64())) for column in columns]) for name, columns in TABLES.items()}
"""The Arrow types of the three long tables; what is not listed above is a float."""

ROW_GROUP = 2**17
"""Rows that are written together: their number follows from nothing but the table, so that its bytes do too."""


@dataclass
class Tables:
    """Hold the frames of a sweep.

    Args:
        runs: one row a run: identity, every config key, what came out.
        layers: one row a run, step and layer.
        steps: one row a run and step.
        histograms: one row a run, step, layer, quantity and occupied bin.
    """

    runs: pd.DataFrame
    layers: pd.DataFrame
    steps: pd.DataFrame
    histograms: pd.DataFrame

    def items(self) -> list[tuple[str, pd.DataFrame]]:
        """Return (table name, frame), in the order of writing."""
        return [(name, getattr(self, name)) for name in WRITE_ORDER]


@dataclass
class Results(Tables):
    """Hold the tables of a results folder, and where they came from.

    Args:
        path: the folder.
        provenance: what made it.
    """

    path: Path = Path()
    provenance: dict[str, Any] = field(default_factory=dict)


class Finished(Tables):
    """Hold the tables of a folder that was just written; the long ones are read when they are asked for.

    Args:
        folder: of the results.
        runs: its runs table.
    """

    def __init__(self, folder: Path, runs: pd.DataFrame) -> None:
        self._folder, self.runs = folder, runs

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name not in TABLES:
            raise AttributeError(name)
        frame = read_table(self._folder, name)
        setattr(self, name, frame)
        return frame


def _sorted(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(SORT[name], kind="stable", ignore_index=True)


def collect(parts: list[Tables]) -> Tables:
    """Concatenate tables, sorted by job, step and layer.

    Args:
        parts: at least one.

    Returns:
        The tables of all parts together.
    """

    def join(name: str) -> pd.DataFrame:
        frames = [frame for part in parts if not (frame := getattr(part, name)).empty]
        return _sorted(name, pd.concat(frames, ignore_index=True) if frames else getattr(parts[0], name))

    runs = runs_frame([row for part in parts for row in part.runs.to_dict("records")])
    return Tables(runs, join("layers"), join("steps"), join("histograms"))


def runs_frame(rows: list[dict[Any, Any]]) -> pd.DataFrame:
    """Build the runs table from one dict a run, sorted by job, its dtypes read off all rows together.

    Args:
        rows: identity, dotted config columns and results; keys that a run lacks are left empty.

    Returns:
        The frame: identity, then config (a group's keys behind the group), then results.
    """
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in RUN_RESULTS]
    tops = list(dict.fromkeys(name.partition(".")[0] for name in names))
    ordered = [*sorted(names, key=lambda name: (tops.index(name.partition(".")[0]), name)), *RUN_RESULTS]
    frame = pd.DataFrame({name: _column(name, [row.get(name) for row in rows]) for name in ordered})
    return _sorted("runs", frame)


_RESULT_DTYPES = dict.fromkeys(RUN_RESULTS, "float64") | {
    "status": "str",
    "diverged_at_step": "Int64",
    "error": "str",
    "verdict": "str",
    "batch_size": "Int64",
    "record.snapshot": "Int64",
}


def _column(name: str, values: list[Any]) -> "pd.Series[Any]":
    values = [None if value is None or value is pd.NA or value != value else value for value in values]
    kinds = {type(value) for value in values if value is not None}
    dtype = _RESULT_DTYPES.get(name)
    if dtype is None:
        if kinds <= {bool}:
            dtype = "boolean" if kinds else "object"
        elif kinds <= {int}:
            dtype = "Int64" if None in values else "int64"
        else:
            dtype = "str" if str in kinds else "float64"
    if dtype == "str":
        values = [None if value is None else str(value) for value in values]
    return pd.Series(values, dtype=dtype)


def write_runs(path: Path, frame: pd.DataFrame) -> None:
    """Write the runs table, whose columns differ from sweep to sweep."""
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, compression="zstd", write_page_checksum=True)


def write_pieces(path: Path, name: str, pieces: Iterable[pa.Table]) -> None:
    """Write one of the long tables from pieces in the order of its rows; the bytes do not depend on where they were cut.

    Args:
        path: of the file.
        name: of the table.
        pieces: with the table's schema.
    """
    schema = SCHEMAS[name]
    words = [field.name for field in schema if not pa.types.is_floating(field.type)]
    pending: list[pa.Table] = [schema.empty_table()]
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=words, write_page_checksum=True) as writer:
        for piece in pieces:
            pending.append(piece)
            if sum(part.num_rows for part in pending) >= ROW_GROUP:
                whole = pa.concat_tables(pending)
                cut = whole.num_rows - whole.num_rows % ROW_GROUP
                _write_groups(writer, whole.slice(0, cut))
                pending = [whole.slice(cut)]
        _write_groups(writer, pa.concat_tables(pending))


def _write_groups(writer: pq.ParquetWriter, table: pa.Table) -> None:
    for start in range(0, table.num_rows, ROW_GROUP):
        writer.write_table(table.slice(start, ROW_GROUP).combine_chunks(), row_group_size=ROW_GROUP)


def stage(staging: Staging, tables: Tables, provenance: dict[str, Any]) -> None:
    """Stage all tables of a sweep: provenance first, which says whose folder it is; runs last, which is what counts.

    Args:
        staging: of the results folder.
        tables: sorted as `collect` gives them.
        provenance: what made them.

    Raises:
        UserError: the disk is full or the folder cannot be written; the tables of before are then still there.
    """
    stage_provenance(staging, provenance)
    for name, frame in tables.items():
        if name == "runs":
            staging.add("runs.parquet", partial(write_runs, frame=frame))
        else:
            table = pa.Table.from_pandas(frame, schema=SCHEMAS[name], preserve_index=False).replace_schema_metadata()
            staging.add(f"{name}.parquet", partial(write_pieces, name=name, pieces=[table]))


def stage_provenance(staging: Staging, provenance: dict[str, Any]) -> None:
    """Stage provenance.json."""
    text = json.dumps(provenance, indent=2, ensure_ascii=False) + "\n"
    staging.add("provenance.json", methodcaller("write_text", text, encoding="utf-8"))


def write(folder: Path, tables: Tables, provenance: dict[str, Any]) -> None:
    """Write all tables of a sweep, together or not at all.

    Args:
        folder: exists.
        tables: sorted as `collect` gives them.
        provenance: what made them.

    Raises:
        UserError: the disk is full or the folder cannot be written; the tables of before are then still there.
    """
    staging = Staging(folder)
    stage(staging, tables, provenance)
    staging.commit()


def is_results(folder: Path) -> bool:
    """Return whether a folder holds the tables of a sweep."""
    return (folder / "runs.parquet").is_file()


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """Read one table of a results folder.

    Raises:
        UserError: it is missing or damaged.
    """
    path = folder / f"{name}.parquet"
    try:
        return pd.read_parquet(path, engine="pyarrow", page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        message = str(error).splitlines()[0]
        raise UserError(f"cannot read {path}: {message}; run the sweep again with --fresh") from error


def load(path: str | Path) -> Results:
    """Load a results folder.

    Args:
        path: the folder that a sweep wrote.

    Returns:
        `.runs`, `.layers`, `.steps`, `.histograms` as frames, `.provenance` and `.path`.

    Raises:
        UserError: the folder does not exist, is no results folder, or a table is damaged.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise UserError(f"{folder} does not exist; expected a results folder such as `gradstab run` writes")
    if not is_results(folder):
        raise UserError(f"{folder} is no results folder: it has no runs.parquet; `gradstab run` writes one")
    frames = {name: read_table(folder, name) for name in ("runs", *TABLES)}
    for name, columns in {"runs": KEYS | RUN_RESULTS, **TABLES}.items():
        missing = [column for column in columns if column not in frames[name].columns]
        if missing:
            raise UserError(f"{folder / name}.parquet lacks the column `{missing[0]}`; run the sweep again with --fresh")
        frames[name] = frames[name][frames[name]["run_id"].isin(frames["runs"]["run_id"])].reset_index(drop=True)
    return Results(**frames, path=folder, provenance=read_provenance(folder / "provenance.json"))


def read_provenance(path: Path) -> dict[str, Any]:
    """Read a provenance file.

    Args:
        path: of provenance.json.

    Returns:
        What made the results.

    Raises:
        UserError: the file is missing, damaged or of another kind.
    """
    try:
        provenance = json.loads(path.read_text(encoding="utf-8"))
        complete = all(isinstance(entry["run_id"], str) for entry in provenance["sweep"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"cannot read {path}: {error!r}; run the sweep again with --fresh") from error
    if not (complete and isinstance(provenance, dict)):
        raise UserError(f"{path} is no provenance of a sweep; run the sweep again with --fresh")
    return provenance
