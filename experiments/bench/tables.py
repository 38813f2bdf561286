"""Measurements as tables: with ratios, and what they are to be."""

import math
from typing import Any

from experiments.bench.breakdown import KINDS
from experiments.bench.measuring import Row, ratio
from experiments.bench.repair import table as repair
from experiments.bench.shapes import AT_LEAST_TIMES_JAX, AT_LEAST_TIMES_TORCH, AT_MOST_FULL_OVER_LIGHT, AT_MOST_TIMES_GEMMS
from experiments.text.numbers import missing, number
from experiments.text.tables import TextTable

COMMAND = "gradstab bench"


def judged(row: Row) -> dict[str, tuple[float, float, bool]]:
    """Return of a row each ratio with its target and whether it is met."""
    width = row["width"]
    engine, stacked = row.get("engine"), row.get("torch-stacked")
    over, times_torch = ratio(row.get("fastest"), row.get("gemms")), ratio(row.get("torch"), engine)
    times_jax, full = ratio(row.get("jax"), engine), ratio(row.get("full"), engine)
    return {
        "over GEMMs": (over, AT_MOST_TIMES_GEMMS[width], over <= AT_MOST_TIMES_GEMMS[width]),
        "× torch eager": (times_torch, AT_LEAST_TIMES_TORCH[width], times_torch >= AT_LEAST_TIMES_TORCH[width]),
        "× torch stacked": (ratio(stacked, engine), math.nan, True),
        "× JAX": (times_jax, AT_LEAST_TIMES_JAX[width], times_jax >= AT_LEAST_TIMES_JAX[width]),
        "full/light": (full, AT_MOST_FULL_OVER_LIGHT, full <= AT_MOST_FULL_OVER_LIGHT),
    }


def _verdict(value: float, target: float, met: bool) -> str:
    if missing(value) or missing(target):
        return number(value)
    return f"{number(value)} ({'met' if met else 'missed'}: {number(target)})"


def _shape(row: Row) -> list[str]:
    return [f"{row['width']}, {row['batch']}, {row['depth']}", row["dtype"]]


def shapes_table(rows: list[Row]) -> list[list[str]]:
    """Return a table of µs per run and step, with ratios; the first row is the head."""
    table = [["width, batch, depth", "dtype", "engine", "fastest step", "tile", "GEMMs", "torch", "torch stacked", "JAX", *judged(_EMPTY)]]
    for row in rows:
        times = [row.get(name) for name in ("torch", "torch-stacked", "jax")]
        cells = [
            *_shape(row),
            number(row.get("engine")),
            number(row.get("fastest")),
            number(row.get("runs")),
            number(row.get("gemms")),
        ]
        table.append([*cells, *map(number, times), *(_verdict(*entry) for entry in judged(row).values())])
    return table


_EMPTY: dict[str, Any] = {"width": 30}


def breakdown_table(rows: list[Row]) -> list[list[str]]:
    """Return a table of where a step's time goes; the first row is the head."""
    table = [["width, batch, depth", "dtype", "stack", "step", *KINDS, "rest", "over products"]]
    for row in rows:
        times = [row.get(name) for name in ("step", *KINDS, "rest")]
        over = ratio(row.get("step"), row.get("products"))
        table.append([*_shape(row), number(row.get("runs")), *map(number, times), number(over)])
    return table


def end_to_end_table(rows: list[Row]) -> list[list[str]]:
    """Return a table of whole sweeps; the first row is the head."""
    table = [["runs", "record", "seconds", "ms a run", "of it planning, ms a run", "peak MB"]]
    for row in rows:
        per_run = [1e3 * row[name] / row["runs"] for name in ("seconds", "planning")]
        seconds = number(row["seconds"]) if row["exit"] == 0 else f"failed with {row['exit']}"
        table.append([str(row["runs"]), row["record"], seconds, *map(number, per_run), number(row["peak_mb"])])
    return table


def markdown(table: list[list[str]]) -> str:
    """Return a table in Markdown."""
    head, *body = table
    return TextTable(head, body).markdown()


def document(result: dict[str, Any]) -> str:
    """Return everything measured as a page in Markdown."""
    machine = result["machine"]
    parts = [
        "# Repair" if set(result) & {"shapes", "breakdown", "end_to_end", "repair"} == {"repair"} else "# Performance",
        f"Written by `{COMMAND} {' '.join(result['arguments'])}`".rstrip() + f" on {machine['cpu']} ({machine['cores']} cores, "
        f"{machine['l2_kib']} KiB second-level cache a core), Python {machine['python']}, numpy {machine['numpy']}, {machine['blas']}.",
    ]
    if result.get("shapes"):
        parts += [
            "Microseconds per run and step, on one core, the best of alternating measurements. Every step records the norms of "
            "every layer (`record=light`, every step). GEMMs: contiguous `np.matmul(…, out=)` of the same shapes and nothing else, "
            "at the best stack size; over them stands the fastest single step, which is measured in the same way. Ratios stand with "
            "their targets.",
            markdown(shapes_table(result["shapes"])),
        ]
        notes = sorted({note for row in result["shapes"] for note in row["notes"]})
        parts += ["\n".join(f"- {note}" for note in notes)] if notes else []
    if result.get("breakdown"):
        parts += [
            "Where a step goes, in microseconds per run and step: each kind of work made alone, for all layers, on arrays of the "
            "engine's own layout. The rest is what the whole step takes besides: Python, the record, and what the caches no longer hold.",
            markdown(breakdown_table(result["breakdown"])),
        ]
    if result.get("end_to_end"):
        parts += [
            "Whole sweeps by `gradstab run -m` (depth 4, width 30, batch 32, 50 steps), start-up and tables included; planning is "
            "the time of `--dry-run`, Hydra's composition in it.",
            markdown(end_to_end_table(result["end_to_end"])),
        ]
    if result.get("repair"):
        parts += repair.document(result["repair"])
    return "\n\n".join(parts) + "\n"
