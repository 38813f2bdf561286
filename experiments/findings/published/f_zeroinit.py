"""Training of nets of a hundred ReLU blocks: plain, with skips, and with branches that begin at zero, are scaled or normalized."""

from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import best_reached, groups, layers_at, present, reached
from experiments.store.tables import Results

NETS = {
    "plain": "no skips",
    "identity": "plain skips",
    "scaled": "scaled by 1/√L",
    "zero_last": "last matrix 0",
    "rezero": "learned α = 0",
    "batch": "batch normalization",
    "layer": "LayerNorm",
}
"""Names of the nets, by what is particular to them."""

LOST = ("plain", "identity")
ZERO = ("zero_last", "rezero")
SHOWN = "zero_last"
"""The net whose accuracy the summary shows."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the accuracies that the nets reach, and δ over the layers of those whose branches begin at 0.

    Args:
        results: of the sweeps `plain`, `branches`, `scaled` and `normalized`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are the accuracy of SHOWN.
    """
    runs = pd.concat([_named(tables.runs, sweep) for sweep, tables in results.items()])
    best = reached(runs).groupby(["net", "seed"])["accuracy"].max()
    numbers = _numbers(reached(runs))
    spreads = pd.concat([_spreads(tables, sweep) for sweep, tables in results.items()])
    conditions = [
        *(bounded(f"{NETS[net]}: accuracy", best[best.index.get_level_values("net") == net], most=finding.threshold("lost_below"))
          for net in LOST),
        *(bounded(f"{label}: accuracy", best[best.index.get_level_values("net") == net], least=finding.threshold("trained_from"))
          for net, label in NETS.items() if net not in LOST),
        every("before training ‖δ‖ is the same in all layers where branches begin at 0", spreads == 0, "nets"),
        present(results),
    ]  # fmt: skip
    shown = numbers[numbers["net"] == NETS[SHOWN]].iloc[0]
    says = ", ".join(f"{row['net']} {row['measured']:.2f}" for row in numbers.to_dict("records"))
    return Estimate(
        finding.verdict(conditions),
        f"Training accuracy after a short training: {says}.",
        quantity="training accuracy of 100 ReLU blocks whose last matrices begin at 0",
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, bootstrap of the median; the best learning rate of each",
        n=len(runs),
        tables={"numbers": numbers},
    )


def _named(runs: pd.DataFrame, sweep: str) -> pd.DataFrame:
    """Return the runs with a column `net`."""
    if sweep == "normalized":
        return runs.assign(net=runs["normalization"])
    return runs.assign(net=runs["skip.init"].replace("plain", "identity") if sweep == "branches" else sweep)


def _numbers(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a net, in the order of NETS: the median over seeds of the best accuracy, its interval, and its learning rate."""
    rows = {}
    for (net,), cell in groups(runs, ["net"]):
        rows[net] = {"net": NETS[net], **best_reached(cell).row(), "best_lr": cell.groupby("lr")["accuracy"].median().idxmax()}
    return pd.DataFrame([rows[net] for net in NETS if net in rows])


def _spreads(tables: Results, sweep: str) -> "pd.Series[float]":
    """Return by how much ‖δ‖ differs between hidden layers before training, one number a run whose branches begin at 0."""
    runs = _named(tables.runs, sweep)
    rows = layers_at(tables, 0, [])
    norms = rows[rows["run_id"].isin(runs.loc[runs["net"].isin(ZERO), "run_id"])].groupby("run_id")["delta_norm"]
    return norms.max() - norms.min()
