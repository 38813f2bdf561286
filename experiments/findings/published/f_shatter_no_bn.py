"""Whether gradients shatter like 2^(−L) without batch normalization: a popular claim."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore.activations import relu
from bpcore.theory import correlation_slope, correlations
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.statistics.intervals import mean_interval
from experiments.store.tables import Results

SIGMA_W2 = 2.0
"""He initialization."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the mean cosine at the first hidden layer with 2^(−L), and with mean-field theory.

    Args:
        results: of the sweep `independent`.
        finding: with its thresholds and `values.exponent`.

    Returns:
        The estimate; its numbers are those of depth 16 where it was measured, else of the greatest depth.
    """
    tables = results["independent"]
    layers = layers_at(tables, 0, ["depth"])
    rows = []
    for (depth,), group in groups(layers[layers["layer"] == 1], ["depth"]):
        cosine = mean_interval(group["gradient_cosine"].to_numpy())
        rows.append({
            "depth": int(depth), "published": 2.0 ** (finding.values["exponent"] * depth), "theory": predicted(int(depth)),
            **cosine.row(),
        })  # fmt: skip
    numbers = pd.DataFrame(rows)
    within = float(finding.threshold("law_within"))
    law = bounded("cosine ÷ 2^(−L), at every depth", numbers["measured"] / numbers["published"], least=1 / within, most=within)
    deepest = numbers.iloc[-1]
    much = finding.threshold("lost_above") * deepest["published"]
    lost = bounded("cosine at the greatest depth: lower end", deepest["low"], above=much)
    at = numbers[numbers["depth"] == 16].iloc[0] if (numbers["depth"] == 16).any() else deepest
    power = float(np.polyfit(np.log(numbers["depth"]), np.log(numbers["measured"]), 1)[0])
    return Estimate(
        finding.verdict([law, finite(results)], against=[lost]),
        f"At {deepest['depth']:.0f} layers the cosine is {deepest['measured']:.2g}, {deepest['measured'] / deepest['published']:.2g} times "
        f"2^(−L) (mean-field theory {deepest['theory']:.2g}); over these depths it falls like L^{power:.1f}".replace("^-", "^−")
        + ", a power of the depth.",
        quantity=f"mean cosine of the gradients at two independent inputs, L = {at['depth']:.0f}",
        published=float(at["published"]),
        theory=float(at["theory"]),
        measured=float(at["measured"]),
        low=float(at["low"]),
        high=float(at["high"]),
        interval=f"95 % over {at['n']:.0f} seeds, of the arithmetic mean",
        n=len(tables.runs),
        tables={"numbers": numbers},
    )


def predicted(depth: int) -> float:
    """Return the cosine at the first of L hidden ReLU layers for two independent inputs, in wide nets.

    Π_(l=1)^L χ(c^l)/χ(1): the share of a layer's active units that are active for both inputs; c¹ = 0, and c grows toward 1.

    Args:
        depth: L.
    """
    path = correlations(relu(), 1.0, 0.0, SIGMA_W2, 0.0, depth - 1)
    shares = [correlation_slope(relu(), 1.0, float(c), SIGMA_W2) for c in path]
    return float(np.prod(shares) / correlation_slope(relu(), 1.0, 1.0, SIGMA_W2) ** depth)
