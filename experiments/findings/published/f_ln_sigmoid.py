"""Training of deep sigmoid nets with LayerNorm before φ and behind it, beside none and batch normalization."""

from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import best_reached, finite, groups, reached
from experiments.store.tables import Results

SHOWN = ("layer before", 10)
"""The normalization and depth whose accuracy the summary shows; every variant of the sweeps has it."""

STALLED = ["none", "layer before", "rms before"]
TRAINED = ["layer behind", "batch"]


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the accuracies by normalization, at every depth.

    Args:
        results: of the sweeps `others`, `before` and `behind`.
        finding: with its thresholds and published accuracies.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    words = {"others": "", "before": " before", "behind": " behind"}
    runs = pd.concat(
        [tables.runs.assign(kind=tables.runs["normalization"].astype(str) + words[name]) for name, tables in results.items()],
        ignore_index=True,
    )
    numbers, trained_from = _numbers(runs), finding.threshold("trained_from")
    by_kind = numbers.set_index("kind")
    highest = by_kind.loc[by_kind.index.isin(STALLED), "highest"]
    claimed, cures = (by_kind.loc[by_kind.index.isin(kinds), "measured"] for kinds in (["layer before"], TRAINED))
    conditions = [bounded("nets with LayerNorm before φ train", claimed, least=trained_from), finite(results)]
    against = [
        bounded("none, LayerNorm and RMSNorm before φ: best accuracy of any net", highest, most=finding.threshold("stalled_below")),
        bounded("LayerNorm behind φ and batch normalization train", cures, least=trained_from),
    ]
    shown = numbers[(numbers[["kind", "depth"]] == list(SHOWN)).all(axis=1)].iloc[0]
    says = "; ".join(f"{kind} {', '.join(f'{value:.2f}' for value in rows['measured'])}" for (kind,), rows in groups(numbers, ["kind"]))
    depths = " and ".join(str(depth) for depth in sorted(set(numbers["depth"])))
    return Estimate(
        finding.verdict(conditions, against),
        f"Median training accuracy at depth {depths}, at the best learning rate: {says}.",
        quantity=f"training accuracy of {SHOWN[1]} sigmoid layers with LayerNorm before φ",
        published=float(finding.values["before"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, bootstrap of the median; the best learning rate of each",
        n=len(runs),
        tables={"numbers": numbers},
    )


def _numbers(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a normalization and depth: median and interval over seeds of the best accuracy, and the highest of any net."""
    return pd.DataFrame([
        {"kind": kind, "depth": int(depth), **best_reached(cell).row(), "highest": cell["accuracy"].max()}
        for (kind, depth), cell in groups(reached(runs), ["kind", "depth"])
    ])  # fmt: skip
