"""Whether Adam trains deep sigmoid nets: a popular claim."""

from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import best_reached, finite, groups, reached
from experiments.store.tables import Results

SHOWN = (20, "with ε")
"""The depth and kind whose accuracy the summary shows; every variant of the sweeps has it."""

WORDS = {"depths": "with ε", "without_eps": "without ε"}


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the accuracies that Adam reaches, by depth.

    Args:
        results: of the sweeps `depths` and `without_eps`.
        finding: with its thresholds and published accuracies.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    runs = reached(pd.concat([tables.runs.assign(kind=WORDS[name]) for name, tables in results.items()], ignore_index=True))
    numbers = pd.DataFrame([
        {"depth": int(depth), "kind": kind, **best_reached(cell).row(), "highest": cell["accuracy"].max()}
        for (depth, kind), cell in groups(runs, ["depth", "kind"])
    ])  # fmt: skip
    deep, trained_from = numbers["depth"] >= finding.threshold("deep_from"), finding.threshold("trained_from")
    kinds = "; ".join(
        f"{kind} " + ", ".join(f"{row['measured']:.2f} at depth {row['depth']}" for row in rows.to_dict("records"))
        for (kind,), rows in groups(numbers, ["kind"])
    )
    conditions = [bounded("deep nets train", numbers.loc[deep, "measured"], least=trained_from), finite(results)]
    against = [
        bounded("deep nets, best accuracy of any", numbers.loc[deep, "highest"], most=finding.threshold("stalled_below")),
        bounded("shallower nets train", numbers.loc[~deep, "measured"], least=trained_from),
    ]
    shown = numbers[(numbers[["depth", "kind"]] == list(SHOWN)).all(axis=1)].iloc[0]
    return Estimate(
        finding.verdict(conditions, against),
        f"Median training accuracy with Adam, at the best learning rate: {kinds}.",
        quantity=f"training accuracy of {SHOWN[0]} sigmoid layers with Adam",
        published=float(finding.values["deep"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, bootstrap of the median; the best learning rate of each",
        n=len(runs),
        tables={"numbers": numbers},
    )
