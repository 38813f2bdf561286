"""Learning times of deep linear nets against depth, and the course of learning."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import INK, OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, measured, panels
from experiments.findings.finding import Finding

NAMES = {"orthogonal": "orthogonal", "fan_in": "Gaussian"}


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw the times at the left, what is left to learn at the right."""
    numbers, curves = tables["numbers"], tables["curves"]
    drawing, (left, right) = panels(2, 3.8)
    handles = []
    shallow, last = curves["depth"].min(), int(curves["step"].max())
    for color, name in zip(OKABE_ITO, NAMES, strict=False):
        rows = numbers[numbers["init"] == name]
        measured(left, rows.dropna(subset=["measured"]), "depth", color, f"{NAMES[name]} weights")
        handles.append(left.lines[-1])
        never = rows[rows["learned"] == 0]
        left.plot(never["depth"], [last] * len(never), "^", mfc="white", color=color, ms=7, gid="never", clip_on=False)
        for depth, curve in curves[curves["init"] == name].groupby("depth"):
            style = "-" if depth == shallow else ":"
            right.plot(curve["step"], curve["measured"], style, color=color, gid="curve")
    log_axis(left.xaxis, numbers["depth"])
    left.set_xticks(sorted(numbers["depth"].unique()), labels=[str(depth) for depth in sorted(numbers["depth"].unique())])
    log_axis(left.yaxis, [*numbers["low"], *numbers["high"], *numbers["measured"], last])
    left.set(xlabel="hidden layers", ylabel=f"updates until {100 * (1 - finding.threshold('learned_to')):g} % is learned")
    right.set(xlabel="updates", ylabel="share of the task's square left to learn", ylim=(-0.03, 1.3))
    deep = curves["depth"].max()
    handles += [
        Line2D([], [], color=INK, marker="^", mfc="white", ls="none", ms=7, label=f"not within {last} updates"),
        Line2D([], [], color=INK, label=f"right: {shallow} layers"),
        Line2D([], [], color=INK, ls=":", label=f"right: {deep} layers"),
    ]
    legend(drawing, measured=False, extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    left = 100 * finding.threshold("learned_to")
    return (
        f"Deep linear nets on a task of four modes. Left: updates until {left:g} % of the task's square is left, at each net's best "
        "learning rate, mean over the seeds that got there; bands: 95 %. Triangles: no seed got there. Right: the first seed's course at "
        "its best learning rate, which differs from net to net; values above the panel are cut off."
    )
