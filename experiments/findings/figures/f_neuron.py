"""The factor of one sigmoid neuron over its input, and the width of the window in which it is at least 1."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import INK, OKABE_ITO, SEQUENTIAL, Colors
from experiments.figures.style.panels import legend, note, panels, theory
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw factor against input at the left, width against weight at the right."""
    curves, numbers = tables["curves"], tables["numbers"]
    drawing, (left, right) = panels(2, 3.9)
    colors = Colors(curves["weight"], SEQUENTIAL)
    for weight, rows in curves.groupby("weight"):
        left.plot(rows["input"], rows["factor"], "-", color=colors(weight), gid="measured")
        top = rows["factor"].max()
        note(left, 0.0, float(top), f"w = {weight:g}", ha="center", va="center")
    left.axhline(1, color=INK, lw=1)
    left.set(xlabel="input a of the neuron", ylabel="factor of |δ|, |w·σ′(wa)|", ylim=(0, None))
    right.plot(numbers["weight"], numbers["measured"], "o", color=OKABE_ITO[0], ms=5, gid="measured")
    theory(right, tables["formula"], "weight")
    least = float(finding.values["least_weight"])
    right.axvline(least, color=INK, lw=0.8, ls=":", gid="least")
    note(right, least + 0.1, 0.02, f"|w| = {least:g}")
    right.set(xlabel="weight w", ylabel="width of the window, factor ≥ 1", ylim=(-0.01, None))
    legend(drawing, theory="formula")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Left: factor by which |δ| changes across one sigmoid neuron, over its input, one line per weight (bias 0, which only shifts the "
        "input). Above the line at 1 the gradient grows. Right: width of that window of inputs; a chain escapes vanishing only if every "
        "neuron's input stays within it. Nothing is random: a point is one setting."
    )
