"""Cuts through the tables that findings share: groups, the layers at a step, profiles over layers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.findings.conditions import Condition, every
from experiments.findings.intervals import bootstrap, geometric_mean, mean
from experiments.statistics.intervals import Interval
from experiments.store.tables import Results


def groups(frame: pd.DataFrame, by: list[str]) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Iterate over the groups of a frame, sorted.

    Args:
        frame: any.
        by: at least one column.

    Yields:
        (values of `by`, rows).
    """
    for values, rows in frame.groupby(by, dropna=False, observed=True):
        yield tuple(values), rows


def layers_at(tables: Results, step: int | str, columns: list[str], hidden: bool = True) -> pd.DataFrame:
    """Return the layers table at one step, with columns of the runs table beside it.

    Args:
        tables: of a sweep.
        step: the step, or "last" for each run's last recorded one.
        columns: of the runs table, such as depth and seed.
        hidden: whether hidden layers alone are wanted; else all from 1 to the output.

    Returns:
        Rows of the layers table plus `columns`.
    """
    layers = tables.layers
    at = layers.groupby("run_id")["step"].transform("max") if step == "last" else step
    rows = layers[(layers["step"] == at) & (layers["layer"] >= 1)]
    wanted = list(dict.fromkeys(["depth", *columns]))
    rows = rows.merge(tables.runs[["run_id", *wanted]], on="run_id")
    if hidden:
        rows = rows[rows["layer"] <= rows["depth"]]
    return rows.drop(columns=[name for name in wanted if name not in columns]).reset_index(drop=True)


def steps_beside(tables: Results, columns: list[str]) -> pd.DataFrame:
    """Return the steps table with columns of the runs table beside it: `lr` is then that of the run, not the one in force at a step.

    Args:
        tables: of a sweep.
        columns: of the runs table, such as lr and seed.
    """
    own = tables.steps.drop(columns=[name for name in columns if name in tables.steps])
    return own.merge(tables.runs[["run_id", *columns]], on="run_id")


def end_to_end(tables: Results, by: list[str]) -> pd.DataFrame:
    """Return ‖δ^1‖/‖δ^D‖ of each run before training, D the last hidden layer, with the theory's.

    Args:
        tables: of a sweep.
        by: columns of the runs table that tell settings apart.

    Returns:
        Columns `by`, ratio and theory, by run_id.
    """
    hidden = layers_at(tables, 0, [*by, "depth"])
    first = hidden[hidden["layer"] == 1].set_index("run_id")
    last = hidden[hidden["layer"] == hidden["depth"]].set_index("run_id")
    return first[by].assign(ratio=first["delta_norm"] / last["delta_norm"], theory=first["delta_norm_theory"] / last["delta_norm_theory"])


def end_to_end_by(tables: Results, by: list[str]) -> pd.DataFrame:
    """Return `end_to_end` over seeds: columns `by`, theory, and the geometric mean with its interval."""
    return pd.DataFrame([
        {**dict(zip(by, values, strict=True)), "theory": group["theory"].mean(), **geometric_mean(group["ratio"]).row()}
        for values, group in groups(end_to_end(tables, by), by)
    ])  # fmt: skip


def squared_end_to_end(tables: Results, summary: Callable[["pd.Series[float]"], Interval]) -> pd.DataFrame:
    """Return the ratio of the mean squares of δ in the first and the last hidden layer: columns depth, theory, and the interval's.

    Args:
        tables: of a sweep over depths.
        summary: of the ratio over seeds.
    """
    return pd.DataFrame([
        {"depth": int(depth), "theory": float((runs["theory"] ** 2).mean()), **summary(runs["ratio"] ** 2).row()}
        for (depth,), runs in groups(end_to_end(tables, ["depth"]), ["depth"])
    ])  # fmt: skip


def norms_at_start(tables: Results) -> "pd.Series[float]":
    """Return ‖δ^l‖ of every run before training, by run_id and layer."""
    return tables.layers[tables.layers["step"] == 0].set_index(["run_id", "layer"])["delta_norm"]


def rate_of_squares(norms: "pd.Series[float]", run_ids: Iterable[str], first: int, last: int) -> Interval:
    """Return the factor of ‖δ‖² per layer, toward the input: the mean over runs of ‖δ^first‖²/‖δ^last‖², one root for each layer between.

    Args:
        norms: as `norms_at_start` returns them.
        run_ids: of one setting.
        first: the layer nearer the input.
        last: the layer nearer the output.
    """
    total = mean([(norms[run, first] / norms[run, last]) ** 2 for run in run_ids])
    value, low, high = (max(end, 0.0) ** (1 / (last - first)) if end == end else end for end in (total.value, total.low, total.high))
    return Interval(value, low, high, total.n, total.method)


def present(results: Mapping[str, Results]) -> Condition:
    """Return the condition that every sweep has nets; where one has none, nothing is decided."""
    empty = [name for name, tables in results.items() if not len(tables.runs)]
    return Condition("every sweep has nets", None if empty else True, f"none: {', '.join(empty)}" if empty else f"{len(results)} of them")


def finite(results: Mapping[str, Results]) -> Condition:
    """Return the condition that no net diverged, for claims of which divergence is no part: such a net has no numbers to compare.

    Args:
        results: of all sweeps; where one of them has no net at all, nothing is decided.
    """
    there = present(results)
    if there.holds is None:
        return there
    status = [status for tables in results.values() for status in tables.runs["status"]]
    return every("no net diverged", [word != "diverged" for word in status], "nets")


def reached(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs with a column `accuracy`, the training accuracy that they ended with; a diverged net has learned nothing: 0."""
    return runs.assign(accuracy=runs["final_accuracy"].where(runs["status"] == "ok").fillna(0.0))


def largest_rate(runs: pd.DataFrame, trained_from: float, most_of: float) -> float:
    """Return the largest learning rate at which a share of the seeds ends with an accuracy or better; NaN where there is none.

    Args:
        runs: rows as of `reached`, of one setting.
        trained_from: the accuracy.
        most_of: the share.
    """
    trained = (runs["accuracy"] >= trained_from).groupby(runs["lr"].astype(float)).mean()
    return float(trained.index[trained >= most_of].max())


def rates_with_warmup(results: Mapping[str, Results], published: Mapping[str, float], trained_from: float, most_of: float) -> pd.DataFrame:
    """Return one row a sweep: the largest learning rate without and with warm-up, their ratio, and the published one.

    Args:
        results: sweep -> tables of runs with and without warm-up.
        published: sweep -> ratio.
        trained_from: as of `largest_rate`.
        most_of: likewise.
    """
    rows = []
    for name, tables in results.items():
        runs = reached(tables.runs)
        warm = runs["schedule.warmup"].astype(int) > 0
        without, with_it = (largest_rate(runs[rows_of], trained_from, most_of) for rows_of in (~warm, warm))
        rows.append({
            "setting": name, "without": without, "with": with_it, "published": published[name],
            "measured": with_it / without, "n": len(runs),
        })  # fmt: skip
    return pd.DataFrame(rows)


def best_reached(cell: pd.DataFrame) -> Interval:
    """Return the median over seeds of the best accuracy over learning rates, with its bootstrap interval; rows as of `reached`."""
    return bootstrap(cell.groupby("seed")["accuracy"].max(), np.median)


def profile(layers: pd.DataFrame, by: list[str], value: str = "delta_norm", theory: str = "delta_norm_theory") -> pd.DataFrame:
    """Summarize a positive quantity over seeds, layer by layer.

    Args:
        layers: as `layers_at` returns it.
        by: columns that tell settings apart; `layer` is added.
        value: the quantity.
        theory: the column of its prediction; empty for none.

    Returns:
        Columns `by`, layer, measured (geometric mean), low and high (smallest and largest), theory, n. Zeros and values that are not
        finite have no logarithm and do not count.
    """
    rows = []
    for values, group in groups(layers, [*by, "layer"]):
        positive = group[value][group[value] > 0]
        rows.append({
            **dict(zip([*by, "layer"], values, strict=True)), "measured": geometric_mean(positive).value, "low": positive.min(),
            "high": positive.max(), "theory": group[theory].mean() if theory else float("nan"), "n": len(positive),
        })  # fmt: skip
    return pd.DataFrame(rows, columns=[*by, "layer", "measured", "low", "high", "theory", "n"])
