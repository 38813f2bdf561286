"""Measurements as tables: with ratios, and what they are to be."""

import math
from typing import Any

from experiments.bench.measuring import PEERS, Row, ratio
from experiments.bench.repair import table as repair
from experiments.bench.shapes import (
    AT_LEAST_TIMES_JAX,
    AT_LEAST_TIMES_TORCH,
    AT_MOST_FULL_OVER_LIGHT,
    AT_MOST_TIMES_GEMMS,
    AT_MOST_TIMES_PLAIN,
    SIZES,
    VARIANTS,
)
from experiments.text.numbers import missing, number
from experiments.text.tables import TextTable

COMMAND = "gradstab bench"
SHAPE = ["width, batch, depth", "dtype"]
PARTS = ("products", "φ and φ′", "transposes", "BP2", "norms", "update", "loss", "rest")
"""Columns of the breakdown, see `experiments.bench.parts`, which is compiled code and so not imported here."""

Judged = dict[str, tuple[float, float, bool]]
"""Name of a ratio -> its value, its bar, whether it is met; NaN where there is none."""


def judged(row: Row) -> Judged:
    """Return of a row each ratio to the products and the peers with its bar and whether it is met."""
    size = (row["width"], row["batch"], row["depth"])
    engine, light = row.get("engine"), row["dtype"] == "float32"
    times = {peer: ratio(row.get(peer), engine) for peer in PEERS}
    return {
        "over products": _at_most(ratio(engine, row.get("gemms")), AT_MOST_TIMES_GEMMS.get(size, math.nan)),
        "× JAX": _at_least(times["jax"], AT_LEAST_TIMES_JAX.get(size, math.nan)),
        "× torch eager": _at_least(times["torch"], AT_LEAST_TIMES_TORCH.get(size, math.nan) if light else math.nan),
        "× torch stacked": _at_least(times["torch-stacked"], math.nan),
        "× torch compiled": _at_least(times["torch-compiled"], math.nan),
        "full/light": _at_most(ratio(row.get("full"), engine), AT_MOST_FULL_OVER_LIGHT),
    }


def judged_variants(row: Row) -> Judged:
    """Return of a row what each variant takes of the plain step, with its bar and whether it is met."""
    bar = AT_MOST_TIMES_PLAIN.get(row["width"], math.nan)
    return {name: _at_most(ratio(row.get(variant), row.get("engine")), bar) for variant, name in VARIANTS.items()}


def _at_most(value: float, bar: float) -> tuple[float, float, bool]:
    return value, bar, value <= bar


def _at_least(value: float, bar: float) -> tuple[float, float, bool]:
    return value, bar, value >= bar


def _verdict(value: float, bar: float, met: bool) -> str:
    if missing(value) or missing(bar):
        return number(value)
    return f"{number(value)} ({'met' if met else 'missed'}: {number(bar)})"


def _shape(row: Row) -> list[str]:
    return [f"{row['width']}, {row['batch']}, {row['depth']}", row["dtype"]]


_EMPTY: Row = {**dict(zip(("width", "batch", "depth"), SIZES[0], strict=True)), "dtype": "float32"}


def shapes_table(rows: list[Row]) -> list[list[str]]:
    """Return a table of µs per run and step, with ratios; the first row is the head."""
    times = {"engine": "engine", "gemms": "products", "jax": "JAX", "torch": "torch eager"}
    times |= {"torch-stacked": "torch stacked", "torch-compiled": "torch compiled"}
    table = [[*SHAPE, *times.values(), *judged(_EMPTY)]]
    for row in rows:
        table.append([*_shape(row), *(number(row.get(name)) for name in times), *(_verdict(*entry) for entry in judged(row).values())])
    return table


def variants_table(rows: list[Row]) -> list[list[str]]:
    """Return a table of the kinds of step beside the plain one; the first row is the head."""
    names = list(VARIANTS.values())
    table = [[*SHAPE, "plain step", *names, *(f"{name}/plain" for name in names)]]
    for row in rows:
        if row["width"] in AT_MOST_TIMES_PLAIN:
            times = [row.get("engine"), *(row.get(variant) for variant in VARIANTS)]
            table.append([*_shape(row), *map(number, times), *(_verdict(*entry) for entry in judged_variants(row).values())])
    return table


def breakdown_table(rows: list[Row]) -> list[list[str]]:
    """Return a table of where a step's time goes; the first row is the head."""
    table = [[*SHAPE, "step", *PARTS, "step/products"]]
    for row in rows:
        over = ratio(row.get("step"), row.get("products"))
        table.append([*_shape(row), *(number(row.get(name)) for name in ("step", *PARTS)), number(over)])
    return table


def commands_table(rows: list[Row]) -> list[list[str]]:
    """Return a table of whole commands; the first row is the head."""
    table = [["command", "seconds", "bar", "processor s", "peak MB", "bar, MB", "verdict"]]
    for row in rows:
        bars = (row["bar_s"], row["bar_mb"])
        cells = [number(value) for value in (row["seconds"], bars[0], row["cpu_s"], row["peak_mb"], bars[1])]
        within = all(bar is None or row[name] <= bar for name, bar in zip(("seconds", "peak_mb"), bars, strict=True))
        verdict = f"failed with {row['exit']}" if row["exit"] else number(None) if bars == (None, None) else "met" if within else "missed"
        table.append([row["name"], *cells, verdict])
    return table


def markdown(table: list[list[str]]) -> str:
    """Return a table in Markdown."""
    head, *body = table
    return TextTable(head, body).markdown()


def document(result: dict[str, Any]) -> str:
    """Return everything measured as a page in Markdown."""
    machine = result["machine"]
    repair_alone = set(result) & {"shapes", "breakdown", "end_to_end", "repair"} == {"repair"}
    parts = [
        "# Repair" if repair_alone else "# Performance",
        f"Written by `{COMMAND} {' '.join(result['arguments'])}`".rstrip() + f" on {machine['cpu']} ({machine['cores']} cores, "
        f"{machine['l2_kib']} KiB second-level cache a core), Python {machine['python']}, numpy {machine['numpy']}, {machine['blas']}, "
        f"numba {machine['numba']}." + ("" if repair_alone else " A ratio or a time that has a bar stands with it, met or missed."),
    ]
    rows = result.get("shapes", [])
    if rows:
        parts += [
            "## Engine and peers",
            "Microseconds per run and step, on one core, the best of alternating measurements. Every step records the norms of every "
            "layer (`record=light`, every step). The engine is timed over short stretches of steps of one run; the first call of each "
            "kind of step, in which its code is compiled or loaded from disk and its memory laid out, is left out. The products are those "
            "of the same step and nothing else, in stretches as long, by contiguous `np.matmul(…, out=)` at the stack size that is best "
            "for them. Of the peers that stack, the best stack counts, and neither compilation nor the first call does.",
            markdown(shapes_table(rows)),
        ]
        notes = sorted({note for row in rows for note in row["notes"]})
        parts += ["\n".join(f"- {note}" for note in notes)] if notes else []
        variants = variants_table(rows)
        if len(variants) > 1 and any("adam" in row for row in rows):
            parts += ["## Kinds of step", "The plain step, and each of these in its place, timed likewise.", markdown(variants)]
    if result.get("breakdown"):
        parts += [
            "## Where a step goes",
            "Microseconds per run and step: each kind of work made alone, for all layers, many times in one compiled call, by the engine's "
            "own functions in its own memory. BP2 includes the sums of BP3; the loss includes BP1 and the accuracy; ‖ΔW‖ of plain gradient "
            "descent is that of ∂J/∂W. The rest is what the whole step takes besides: what is counted and written of it, and what the "
            "caches no longer hold once all is done in turn. It is negative where a part alone was measured at a worse moment.",
            markdown(breakdown_table(result["breakdown"])),
        ]
    if result.get("end_to_end"):
        parts += [
            "## Commands",
            "From the command line to the tables, start-up included, on all cores. Each command ran once before, in another folder, so "
            "that nothing is compiled or read from a cold disk; the longest ones in a smaller size. Sweeps are `gradstab run -m` (width "
            "30, batch 32; depth 4 unless told otherwise). Processor seconds are those of all cores together. The peak is that of the "
            "largest process; 100,000 runs may take a tenth more of it than 10,000.",
            markdown(commands_table(result["end_to_end"])),
        ]
    if result.get("repair"):
        parts += repair.document(result["repair"])
    return "\n\n".join(parts) + "\n"
