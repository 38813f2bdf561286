"""What LayerNorm does to δ in residual nets, in the branches and after the addition."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.findings.intervals import mean
from experiments.findings.residual import over_seeds, per_block, slope, sums
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare how ‖δ‖ of the last sum depends on the number of blocks with the theorem, and the factors per block with the published.

    Args:
        results: of the sweeps `pre`, `post` and `rates`.
        finding: with its thresholds and the published slopes and factors.

    Returns:
        The estimate; its numbers are the slope with LayerNorm in the branches.
    """
    last = pd.concat([_last(results[place]).assign(place=place) for place in ("pre", "post")])
    numbers = over_seeds(last, ["place", "activation", "blocks"])
    numbers["length"] = 1 + numbers["blocks"]
    slopes = _slopes(last, finding.values["slope"])
    rates = _rates(results["rates"], finding.values["rate"])
    shown = slopes[slopes["place"] == "pre"].iloc[0]
    after = slopes[slopes["place"] == "post"]["measured"]
    return Estimate(
        finding.verdict([
            bounded("slopes less the published", slopes["measured"] - slopes["published"], least=-finding.threshold("slope_within"),
                    most=finding.threshold("slope_within")),
            bounded("factors per block after the addition, relatively", (rates["measured"] / rates["published"] - 1).abs(),
                    most=finding.threshold("rate_within")),
            finite(results),
        ]),
        f"ln ‖δ‖ of the last sum goes with ln(1 + L) by {shown['measured']:.3f} in the branches, by {after.min():.3f} to "
        f"{after.max():.3f} after the addition, where ‖δ‖² has "
        f"{', '.join(f'{rate:.4g}' for rate in rates['measured'])} per block ({', '.join(rates['activation'])}).",
        quantity="slope of ln ‖δ‖ of the last sum in ln(1 + L), LayerNorm in the branches",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "slopes": slopes, "rates": rates},
    )  # fmt: skip


def _last(tables: Results) -> pd.DataFrame:
    """Return one row a run: ‖δ‖² of the last sum over the output's, and the same as predicted."""
    rows = layers_at(tables, 0, ["activation", "depth", "seed"], hidden=False).set_index("run_id")
    hidden, output = (rows[rows["layer"] == rows["depth"] + above] for above in (0, 1))
    squares = [(hidden[column] / output[column]) ** 2 for column in ("delta_norm", "delta_norm_theory")]
    return hidden[["activation", "seed"]].assign(blocks=hidden["depth"] - 1, delta=squares[0], theory=squares[1]).reset_index()


def _slopes(last: pd.DataFrame, published: Mapping[str, float]) -> pd.DataFrame:
    """Return one row a place and activation: the slope over depths, a mean over seeds."""
    found = []
    for (place, activation), group in groups(last, ["place", "activation"]):
        lengths = np.log1p(group.groupby("blocks")["blocks"].first())
        own = [slope(np.log1p(seed["blocks"]), 0.5 * np.log(seed["delta"])) for _, seed in group.groupby("seed")]
        predicted = slope(lengths, 0.5 * np.log(group.groupby("blocks")["theory"].mean()))
        found.append({
            "place": place, "activation": activation, "published": published.get(place, math.nan), "theory": predicted, **mean(own).row(),
        })  # fmt: skip
    return pd.DataFrame(found)


def _rates(tables: Results, published: Mapping[str, float]) -> pd.DataFrame:
    """Return one row an activation: the factor of ‖δ‖² per block from the second sum on, the first that is an addition."""
    rows = sums(tables, ["activation"])
    found = []
    for (activation,), group in groups(rows[rows["block"] == 1], ["activation"]):
        blocks = int(group["blocks"].iloc[0]) - 1
        found.append({
            "activation": activation, "published": published.get(activation, math.nan),
            "theory": group["theory"].mean() ** (1 / blocks), **per_block(mean(group["delta"]), blocks).row(),
        })  # fmt: skip
    return pd.DataFrame(found)
