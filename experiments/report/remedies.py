"""How remedies are shown: a table in the terminal, Markdown, CSV, a figure and an offline page."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.diagnosis.effects import Conclusions
from experiments.figures.style.look import GREY, OKABE_ITO, figure, log_axis
from experiments.figures.style.render import render
from experiments.report import pages
from experiments.store.files import write_bytes, write_text
from experiments.text.numbers import interval, number
from experiments.text.tables import from_records

MOST_ROWS = 24
"""Of the terminal's table and of the figure; the CSV holds all."""

COLORS = {"works": OKABE_ITO[2], "helps": OKABE_ITO[5], "uncertain": OKABE_ITO[3], "no effect": GREY, "worse": OKABE_ITO[1]}


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return all single remedies and the unchanged configuration, filled up with the best pairs, in the table's order."""
    singles = table[table["n_changes"] < 2]
    pairs = table[table["n_changes"] == 2].head(max(0, MOST_ROWS - len(singles)))
    return table.loc[sorted([*singles.index, *pairs.index])]


def _interval(row: dict[Any, Any], name: str, most: float = math.inf) -> str:
    return interval(max(row[f"{name}_lo"], -most), min(row[f"{name}_hi"], most))


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the table's rows as they are printed."""
    return [
        {
            "change": row["change"],
            "outcome": row["outcome"],
            "factor": number(row["delta_factor"]),
            "95 %": _interval(row, "delta_factor"),
            "theory": number(row["delta_factor_theory"]),
            "verdict": row["verdict"],
            "loss": number(row["loss"]),
            "÷ before": number(row["effect_loss"]),
            "95 % ": _interval(row, "effect_loss"),
            "accuracy": number(row["accuracy"]),
            "gain": number(row["effect_accuracy"]),
            " 95 %": _interval(row, "effect_accuracy", 1.0),
            "lost": int(row["n_diverged"] + row["n_failed"]),
            "ranks": f"{row['rank_factor']}/{row['rank_loss']}/{row['rank_accuracy']}",
        }
        for row in table.to_dict("records")
    ]


_ONLY_ON_PAPER = ("÷ before", "95 % ")

LEGEND = (
    "factor: of δ per layer toward the input at step 0; loss ÷ before, gain of accuracy: against the unchanged net, paired over seeds; "
    "lost: runs diverged or failed, which count with accuracy 0; ranks: by factor (1 is nearest to a steady δ), by loss, by accuracy"
)


def as_text(table: pd.DataFrame, conclusions: Conclusions) -> str:
    """Return what the terminal shows."""
    part = shown(table)
    left_out = len(table) - len(part)
    more = [f"… and {left_out} more pairs; the CSV and --json hold them all"] if left_out else []
    rows = [{name: cell for name, cell in row.items() if name not in _ONLY_ON_PAPER} for row in rows_of(part)]
    return "\n".join([from_records(rows).terminal(), *more, LEGEND, "", *conclusions.lines()])


def as_markdown(table: pd.DataFrame, conclusions: Conclusions) -> str:
    """Return the conclusions and all rows as Markdown."""
    lines = [f"- {line}" for line in conclusions.lines()]
    return "\n".join([*lines, "", from_records(rows_of(table)).markdown(), "", LEGEND, ""])


def draw(table: pd.DataFrame) -> Figure:
    """Draw factor and accuracy of the candidates with their intervals, best on top.

    Args:
        table: as `remedy_effects.effects` returns it.

    Returns:
        The figure; without accuracies the loss stands on the right.
    """
    part = shown(table).iloc[::-1].reset_index(drop=True)
    base = part[part["n_changes"] == 0].iloc[0]
    picture = figure(1.0 + 0.24 * len(part))
    left, right = picture.subplots(1, 2, sharey=True)
    second = "accuracy" if part["accuracy"].notna().any() else "loss"
    y = np.arange(len(part))
    for axes, name in ((left, "delta_factor"), (right, second)):
        value, low, high = (part[column].to_numpy(dtype=np.float64) for column in (name, f"{name}_lo", f"{name}_hi"))
        for outcome, color in COLORS.items():
            these = np.flatnonzero((part["outcome"] == outcome) & np.isfinite(value))
            axes.hlines(y[these], low[these], high[these], color=color, lw=1.6)
            axes.plot(value[these], y[these], "o", color=color, ms=5, label=outcome)
        axes.axvline(base[name], color=GREY, lw=0.9, ls="--", zorder=0)
        for place in y[~np.isfinite(value)]:
            axes.text(0.02, place, "no finite value", transform=axes.get_yaxis_transform(), va="center", color=GREY, fontsize=7.5)
        if name != "accuracy":
            log_axis(axes.xaxis, np.append(np.concatenate([value, low, high]), 1.0 if name == "delta_factor" else value))
    left.axvline(1, color="#333333", lw=0.9, zorder=0)
    left.set_yticks(y, part["change"])
    left.set_ylim(-0.7, len(part) - 0.3)
    left.set_xlabel("factor of δ per layer toward the input, at step 0")
    right.set_xlabel("accuracy after training" if second == "accuracy" else "loss after training")
    if second == "accuracy":
        right.set_xlim(-0.02, 1.02)
    used = [outcome for outcome in COLORS if (part["outcome"] == outcome).any()]
    handles = [left.plot([], [], "o-", color=COLORS[outcome], label=outcome)[0] for outcome in used]
    picture.legend(handles=handles, loc="outside upper right", ncols=len(used))
    return picture


def write(folder: Path, table: pd.DataFrame, conclusions: Conclusions, command: str, config: list[tuple[str, str]]) -> Path:
    """Write remedies.csv, remedies.md, remedies.svg, remedies.png and remedies.html into a results folder.

    Args:
        folder: of the results.
        table: as `remedy_effects.effects` returns it.
        conclusions: in words.
        command: that made it.
        config: (key, value) of the unchanged configuration.

    Returns:
        The page's path.
    """
    images = render(lambda: draw(table), ("png", "svg"))
    for kind, content in images.items():
        write_bytes(folder / f"remedies.{kind}", content)
    write_text(folder / "remedies.csv", table.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "remedies.md", as_markdown(table, conclusions))
    page = (
        pages.environment()
        .get_template("remedies.html.j2")
        .render(
            command=command,
            conclusions=conclusions.lines(),
            figure=pages.data_uri(images),
            rows=rows_of(table),
            reasons=[
                (row["change"], row["advice"], row["reason"])
                for row in table[table["n_changes"] == 1].sort_values("cost").to_dict("records")
            ],
            legend=LEGEND,
            config=config,
        )
    )
    write_text(folder / "remedies.html", page)
    return folder / "remedies.html"
