"""How much ln of δ's size varies over nets with a bottleneck, in all and layer by layer."""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from bpcore.arrays import FloatArray
from bpcore.theory import relu_walk
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, layers_at
from experiments.statistics.factors import CONFIDENCE
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the variances with the exact law.

    Args:
        results: of the sweeps `nets` and `dropped`.
        finding: with its threshold and the published variances.

    Returns:
        The estimate; its numbers are the variance of the whole.
    """
    tables, dropped = results["nets"], results["dropped"]
    logarithms, widths = _logarithms(tables)
    masked, masked_widths = _logarithms(dropped)
    walk = sum(relu_walk(width, keep=1 - float(dropped.runs["dropout.rate"].iloc[0]))[1] for width in masked_widths)
    exact = np.array([relu_walk(width)[1] for width in widths])
    narrow = int(np.argmin(widths))
    total, wide = logarithms.sum(axis=1), np.delete(logarithms, narrow, axis=1)
    numbers = pd.DataFrame([
        {"what": "all layers", "published": finding.values["total"], "theory": exact.sum(), **_variance(total[:, None])},
        {"what": "bottleneck", "published": finding.values["bottleneck"], "theory": exact[narrow], **_variance(logarithms[:, [narrow]])},
        {"what": "another layer", "published": np.nan, "theory": np.delete(exact, narrow).mean(), **_variance(wide)},
        {"what": "with dropout", "published": finding.values["dropped"], "theory": walk, **_variance(masked.sum(axis=1)[:, None])},
    ])  # fmt: skip
    leading = float(finding.values["leading"])
    off = (numbers["measured"] / numbers["theory"] - 1).abs()
    conditions = [
        bounded("variances as the exact law has them, relatively", off, most=finding.threshold("variance_within")),
        bounded("lower end of the whole's, above the leading order", numbers["low"].iloc[0], above=leading),
        finite(results),
    ]
    shown = numbers.iloc[0]
    by_layer = pd.DataFrame([
        {"layer": l + 1, "theory": exact[l], "leading": 5 / widths[l], **_variance(logarithms[:, [l]])} for l in range(len(widths))
    ])  # fmt: skip
    return Estimate(
        finding.verdict(conditions),
        f"Variance {shown['measured']:.4g} (exact {shown['theory']:.4g}, leading order {leading:.4g}); of the bottleneck alone "
        f"{numbers['measured'].iloc[1]:.3g} ({exact[narrow]:.3g}); with dropout {numbers['measured'].iloc[3]:.4g} ({walk:.4g}). "
        f"{len(tables.runs) - len(total)} of {len(tables.runs)} nets had a dead layer.",
        quantity="variance of ln(‖δ^1‖²/‖δ^12‖²) through 60⁵, 10, 60⁵",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 %, χ² over {shown['n']:.0f} seeds",
        n=len(tables.runs) + len(dropped.runs),
        tables={"numbers": numbers, "layers": by_layer},
    )


def _logarithms(tables: Results) -> tuple[FloatArray, list[int]]:
    """Return ln(‖δ^l‖²/‖δ^(l+1)‖²), one row a net without dead layers, one column a hidden layer but the last; and their widths."""
    norms = layers_at(tables, 0, ["depth"]).pivot_table("delta_norm", "run_id", "layer", dropna=False)
    alive = norms[(norms > 0).all(axis=1)].to_numpy(dtype=float)
    widths, depth = json.loads(str(tables.runs["width"].iloc[0])), alive.shape[1]
    widths = widths if isinstance(widths, list) else [widths] * depth
    return 2 * -np.diff(np.log(alive), axis=1), [int(width) for width in widths[:-1]]


def _variance(columns: FloatArray) -> dict[str, float]:
    """Return the mean variance of independent columns, with the interval of a χ² law."""
    n = len(columns)
    measured, free = float(columns.var(axis=0, ddof=1).mean()), (n - 1) * columns.shape[1]
    low, high = (free * measured / stats.chi2.ppf(p, free) for p in ((1 + CONFIDENCE) / 2, (1 - CONFIDENCE) / 2))
    return {"measured": measured, "low": float(low), "high": float(high), "n": n}
