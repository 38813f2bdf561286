"""Whether too small a learning rate makes gradients vanish: a popular claim."""

from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import groups, layers_at
from experiments.findings.intervals import geometric_mean
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare δ of the first hidden layer before and after training, over learning rates.

    Args:
        results: of the sweep `rates`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are the change of ‖δ^1‖ over the training of tanh nets with the smallest lr.
    """
    tables = results["rates"]
    numbers = _numbers(tables)
    at_start = layers_at(tables, 0, ["activation", "lr", "seed"], hidden=False)
    alike = at_start.groupby(["activation", "seed", "layer"])["delta_norm"].nunique(dropna=False) == 1
    same = bool(alike.all())
    smallest = numbers[numbers["lr"] == numbers["lr"].min()]
    largest = numbers[numbers["lr"] == numbers["lr"].max()].set_index("activation")
    against = smallest.set_index("activation")["start"] / largest["start"]
    below = finding.threshold("vanished_below")
    vanishes = bounded("smallest share of δ^1 that is left", min(against.min(), smallest["measured"].min()), below=below)
    kept = bounded("change of δ^1 over training", (smallest["measured"] - 1).abs(), most=finding.threshold("kept_within"))
    stalled = bounded("share of the loss kept", smallest["loss_kept"], least=finding.threshold("loss_keeps"))
    contrary = [every("δ at step 0 is the same at every lr", alike, "places"), kept, stalled]
    shown = smallest[smallest["activation"] == "tanh"].iloc[0]
    words = "is the same number at every lr, to the bit" if same else "differs between learning rates"
    reason = (
        f"At step 0 δ {words}. With lr = {shown['lr']:g} the norm of δ^1 ends at {smallest['measured'].min():.4g} to "
        f"{smallest['measured'].max():.4g} of its start and the loss at {smallest['loss_kept'].min():.3g} to "
        f"{smallest['loss_kept'].max():.3g}: "
        + ("learning stalls, the gradient stays." if kept.holds and stalled.holds else "not what either side says.")
    )
    return Estimate(
        finding.verdict([vanishes], against=contrary),
        reason,
        quantity=f"‖δ^1‖ after training ÷ before, tanh, lr = {shown['lr']:g}",
        theory=1.0,
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the geometric mean",
        n=len(tables.runs),
        tables={"numbers": numbers},
    )


def _numbers(tables: Results) -> pd.DataFrame:
    """Return one row an activation and lr: ‖δ^1‖ at step 0 and at the end, their ratio with its interval, the share of the loss kept."""
    keys = ["run_id", "activation", "lr"]
    first = [layers_at(tables, step, ["activation", "lr"]).query("layer == 1").set_index(keys)["delta_norm"] for step in (0, "last")]
    start = tables.steps[tables.steps["step"] == 0].set_index("run_id")["loss"]
    runs = tables.runs.set_index("run_id")
    rows = []
    for (activation, lr), group in groups(runs, ["activation", "lr"]):
        before, after = (norms.xs((activation, lr), level=("activation", "lr")) for norms in first)
        ratio = geometric_mean(after / before)
        rows.append({
            "activation": activation, "lr": lr, "start": geometric_mean(before).value, "end": geometric_mean(after).value,
            "measured": ratio.value, "low": ratio.low, "high": ratio.high,
            "loss_kept": float((group["final_loss"] / start.reindex(group.index)).mean()), "n": ratio.n,
        })  # fmt: skip
    return pd.DataFrame(rows)
