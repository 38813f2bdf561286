"""Whether branches scaled by 1/√L keep the signal where they end in ReLU: a popular claim."""

import math
from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.findings.intervals import mean
from experiments.findings.residual import per_block, sums
from experiments.store.tables import Results

SIGMA_W2 = 2.0
"""He initialization."""

SETTLED_FROM = 10
"""Blocks with α = 1 after which the share of the mean has settled: those before it are left out."""

SHOWN = 50
"""The number of blocks whose total is reported, measured in every mode."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the growth of E a² with the claim's bound, and with the recursion of the mean.

    Args:
        results: of the sweeps `unscaled`, `scaled` and `z_scaled`.
        finding: with its thresholds, the claim's bound and the published limit.

    Returns:
        The estimate; its numbers are the total over SHOWN blocks.
    """
    numbers = _totals(results["scaled"], results["z_scaled"])
    factor = _settled(results["unscaled"], finding.values["limit"])
    after, before = (numbers[numbers["skip"] == skip] for skip in ("postactivation", "preactivation"))
    off = [(rows["measured"] / rows[column] - 1).abs() for rows, column in ((after, "theory"), (factor, "published"))]
    most, within = finding.threshold("bounded_by"), finding.threshold("recursion_within")
    shown = after[after["blocks"] == SHOWN].iloc[0]
    return Estimate(
        finding.verdict(
            [bounded("total of E a²", after["measured"], most=most), finite(results)],
            against=[
                bounded("total of E a² off the mean's recursion, relatively", off[0], most=within),
                bounded("factor per block with α = 1 off the limit, relatively", off[1], most=within),
                bounded("total of the sums before φ", before["measured"], most=most),
            ],
        ),
        f"With α = 1/√L E a² grows {', '.join(f'{total:.4g}' for total in after['measured'])} times over "
        f"{', '.join(f'{blocks:.0f}' for blocks in after['blocks'])} blocks that end in ReLU, and the sums before φ by "
        f"{', '.join(f'{total:.3g}' for total in before['measured'])}; with α = 1 a block that ends in ReLU multiplies it by "
        f"{factor['measured'].iloc[0]:.4g}.",
        quantity=f"total of E a² over {SHOWN} blocks that end in ReLU, α = 1/√L",
        published=float(finding.values["bound"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "factor": factor},
    )  # fmt: skip


def squares(blocks: int, alpha: float, share: float = 1 / math.pi) -> list[float]:
    """Return E a² before the first and behind every block that ends in ReLU, in wide nets with He initialization.

    s ← s + α²q/2 + 2αm√(q/2π), m ← m + α√(q/2π), q = σ_w²s: every unit's a is added to, and the mean of a ReLU is not 0.

    Args:
        blocks: L.
        alpha: α.
        share: m²/s at the start, 1/π behind a ReLU.

    Source: Brock, De & Smith 2021 (the mean's shift).
    """
    s, m, found = 1.0, share**0.5, [1.0]
    for _ in range(blocks):
        shift = alpha * (SIGMA_W2 * s / (2 * math.pi)) ** 0.5
        s, m = s + alpha**2 * SIGMA_W2 * s / 2 + 2 * m * shift, m + shift
        found.append(s)
    return found


def _squares(tables: Results) -> pd.DataFrame:
    """Return E a² of every layer of every run: columns run_id, layer, depth, a2."""
    rows = layers_at(tables, 0, ["depth"])
    return rows[["run_id", "layer", "depth"]].assign(a2=rows["a_var"] + rows["a_mean"] ** 2)


def _ratio(rows: pd.DataFrame, below: int) -> pd.DataFrame:
    """Return E a² of the last layer over that of a layer below, one row a run."""
    first, last = (rows[rows["layer"] == layer].set_index("run_id") for layer in (below, rows["depth"]))
    return last.assign(ratio=last["a2"] / first["a2"], blocks=last["depth"] - 1)


def _totals(scaled: Results, z_scaled: Results) -> pd.DataFrame:
    """Return one row a place of the skip and depth: the total of E a², of the sums where they are before φ."""
    found = []
    for (blocks,), group in groups(_ratio(_squares(scaled), 1), ["blocks"]):
        predicted = squares(int(blocks), int(blocks) ** -0.5)[-1]
        found.append({"skip": "postactivation", "blocks": int(blocks), "theory": predicted, **mean(group["ratio"]).row()})
    rows = sums(z_scaled, [])
    for (blocks,), group in groups(rows[rows["block"] == rows["blocks"]], ["blocks"]):
        predicted = (1 + SIGMA_W2 / (2 * int(blocks))) ** int(blocks)
        found.append({"skip": "preactivation", "blocks": int(blocks), "theory": predicted, **mean(group["stream"]).row()})
    return pd.DataFrame(found)


def _settled(tables: Results, limit: float) -> pd.DataFrame:
    """Return the factor of E a² per block with α = 1 from SETTLED_FROM blocks on, one row a depth."""
    found = []
    for (blocks,), group in groups(_ratio(_squares(tables), 1 + SETTLED_FROM), ["blocks"]):
        path, steps = squares(int(blocks), 1.0), int(blocks) - SETTLED_FROM
        predicted = (path[-1] / path[SETTLED_FROM]) ** (1 / steps)
        found.append({"blocks": int(blocks), "published": limit, "theory": predicted, **per_block(mean(group["ratio"]), steps).row()})
    return pd.DataFrame(found)
