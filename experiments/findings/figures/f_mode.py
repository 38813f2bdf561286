"""How modes grow: one at a time against the formula, and four in one net."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import SEQUENTIAL, Colors
from experiments.figures.style.panels import legend, note, panels, published, theory
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw u(t) of single modes at the left, of four modes in one net at the right."""
    curves, together, numbers = tables["curves"], tables["together"], tables["numbers"]
    drawing, (left, right) = panels(2, 3.8, sharey=True)
    colors = Colors(pd.concat([curves["strength"], together["strength"]]), SEQUENTIAL)
    for strength, rows in curves.groupby("strength"):
        left.plot(rows["time"], rows["measured"], color=colors(strength), lw=3, alpha=0.6, gid="measured")
        theory(left, rows, "time")
    share = float(finding.values["share"])
    published(left, numbers.assign(level=share * numbers["strength"]), "published", y="level")
    for strength, rows in together.groupby("strength"):
        right.fill_between(rows["time"], rows["low"], rows["high"], color=colors(strength), alpha=0.22, lw=0, gid="band")
        right.plot(rows["time"], rows["measured"], color=colors(strength), lw=2, gid="measured")
        note(right, float(rows["time"].max()), float(rows["measured"].iloc[-1]) - 0.16, f"s = {strength:g}", ha="right", va="top")
    left.set(xlabel="time (steps × learning rate)", ylabel="strength learned, u", title="one mode of strength s, one net each")
    right.set(xlabel="time (steps × learning rate)", title="four modes in one net")
    when = f"formula, time to {share:g} s"
    legend(drawing, measured=False, band="smallest to largest over seeds", theory="formula, all the way", published=when)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    start, share = finding.values["start"], finding.values["share"]
    return (
        f"Left: strength u of the only mode of a net with one input, hidden unit and output, from u₀ = {start:g} (colored: measured; "
        f"dashed: the formula's curve; diamonds: its time to {share:g} s). Right: the four modes of one net of 16 hidden units from small "
        "orthogonal weights, mean over seeds; the stronger a mode, the sooner it is learned. No fit: the formula has no free constant."
    )
