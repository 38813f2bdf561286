"""The factor by which the norm of δ changes from layer to layer: its estimate, its interval, and whether it is one factor.

ln δ over the layers is a random walk: its increments ln δ^l − ln δ^(l+1) are independent, its values are not. So an
interval comes from the increments; the residuals of a straight line through ln δ are far too small (28 % coverage
instead of 95 %). The mean increment is over layers *and* fixed by the two ends, so that factor^(D−1) is the end-to-end ratio.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcore.arrays import FloatArray

CONFIDENCE = 0.95
_LN10 = math.log(10)


@dataclass(frozen=True)
class Factor:
    """Hold a per-layer factor of the norm of δ.

    Args:
        value: geometric mean of the factors; below 1 δ vanishes toward the input, above 1 it explodes.
        low: lower end of the 95 % interval, NaN with fewer than two factors.
        high: upper end.
        end_to_end: product of the factors: the first layer's norm over the last hidden layer's; 0 or inf out of range.
        count: number of factors.
        arithmetic: root mean square of the factors, ≥ value; what mean-field theory predicts where they scatter.
        log_end_to_end: ln of end_to_end, never out of range.
        log_variance: variance of ln of a factor about its drift over the layers; NaN with fewer than two factors.
    """

    value: float
    low: float
    high: float
    end_to_end: float
    count: int
    arithmetic: float = math.nan
    log_end_to_end: float = math.nan
    log_variance: float = math.nan


NO_FACTOR = Factor(math.nan, math.nan, math.nan, math.nan, 0)


def log_delta_norm(layers: Any) -> FloatArray:
    """Return ln of delta_norm, from log10_delta_norm where that column exists and is finite, which floats cannot hold.

    Args:
        layers: rows of the layers table, as a frame or as a mapping of arrays.

    Returns:
        One value a row; −inf where δ is 0, NaN where it is not a number.
    """
    with np.errstate(all="ignore"):
        logs = np.log(np.asarray(layers["delta_norm"], dtype=np.float64))
    if "log10_delta_norm" in layers:
        extended = np.asarray(layers["log10_delta_norm"], dtype=np.float64)
        logs = np.where(np.isfinite(extended), extended * _LN10, logs)
    return logs


def delta_factor(norms: FloatArray, span: int = 1) -> Factor:
    """Estimate the factor per layer from the norms of the hidden layers, first to last; see `log_factor`.

    Args:
        norms: delta_norm of hidden layers 1…D.
        span: layers of a block.

    Returns:
        The factor; all NaN where no pair of neighbors has positive finite norms.
    """
    with np.errstate(all="ignore"):
        return log_factor(np.log(np.asarray(norms, dtype=np.float64)), span)


def log_factor(logs: FloatArray, span: int = 1) -> Factor:
    """Estimate the factor per layer from ln δ of the hidden layers, first to last.

    exp(mean increment). With n increments x the interval is x̄ ± t·s/√n, where s² = Σ(x_(i+1) − x_i)²/(2(n−1)) is von Neumann's
    variance from successive differences and t Student's quantile at its 2(n−1)²/(3n−4) degrees of freedom. A factor that drifts
    along the depth, as on the way to a fixed point, does not widen it as it would widen the ordinary variance.
    Pairs with a logarithm that is not finite are left out. In a net of blocks of several layers the pairs are the sums that a block
    leads from and to; what is inside of one has another size, and the error does not pass through it alone.

    Args:
        logs: ln δ of hidden layers 1…D.
        span: layers of a block; an increment is then that over a block, divided by as many.

    Returns:
        The factor.

    Source: von Neumann et al. 1941, The mean square successive difference.
    """
    with np.errstate(all="ignore"):
        sums = logs[::span]
        increments = (sums[:-1] - sums[1:]) / span
        increments = increments[np.isfinite(increments)]
    count = len(increments)
    if count == 0:
        return NO_FACTOR
    mean = float(increments.sum()) / count
    total = span * float(increments.sum())
    top = float(increments.max())
    arithmetic = top + 0.5 * math.log(float(np.mean(np.exp(2 * (increments - top)))))
    variance = half = math.nan
    if count > 1:
        differences = increments[1:] - increments[:-1]
        variance = float(differences @ differences) / (2 * (count - 1))
        half = quantile(count) * math.sqrt(variance / count)
    return Factor(exp(mean), exp(mean - half), exp(mean + half), exp(total), count, exp(arithmetic), total, variance)


@functools.lru_cache(maxsize=4096)
def quantile(count: int) -> float:
    """Return Student's quantile at the degrees of freedom of von Neumann's variance of `count` ≥ 2 increments."""
    from scipy import special  # costly to import, and shallow nets do without

    return float(special.stdtrit(2 * (count - 1) ** 2 / (3 * count - 4), (1 + CONFIDENCE) / 2))


def exp(x: float) -> float:
    """Return e^x, inf where it is out of range."""
    return math.exp(x) if not x > 709.7 else math.inf


@dataclass(frozen=True)
class Decay:
    """Hold how ln δ runs over the layers: the regression's factor, its R², and whether one factor describes all layers.

    Args:
        factor: exp(−slope) of ln δ against the layer: per layer toward the input.
        r_squared: of that straight line, in [0, 1]; 1 where ln δ does not vary at all.
        p_geometric: probability of so clear a drift of the increments if they were of one distribution; NaN below 4.
        exponent: a of the power law δ^l ∝ l^a fitted to the increments; NaN where undefined.
        shape: geometric, or polynomial (drifting, and better described by the power law), or uneven (drifting otherwise).
    """

    factor: float
    r_squared: float
    p_geometric: float
    exponent: float
    shape: str


NOT_GEOMETRIC_BELOW = 0.01
"""The p-value under which a decay is called not geometric: sweeps hold many runs, of which 5 % would be called so by chance."""


def decay(logs: FloatArray) -> Decay:
    """Fit ln δ against the layer, and test whether the decay is geometric.

    A geometric decay has increments of one distribution whatever the layer; a power law δ^l ∝ l^a has the increments
    −a·ln((l+1)/l), which shrink with depth. So the test is that of the slope of the increments on ln((l+1)/l). Tanh at
    its critical point (σ_w = 1, σ_b = 0) is the classical case: q^l ~ 1/(2l), so a = ½.

    Args:
        logs: ln δ of hidden layers 1…D of one run, or their mean over seeds; rows that are not finite are left out.

    Returns:
        The decay; NaN and `geometric` where there are too few layers to tell.

    Source: Schoenholz et al. 2017 §3 (geometric off the critical line), Hayou et al. 2019 prop. 3 (polynomial on it).
    """
    layer = np.arange(1, len(logs) + 1, dtype=np.float64)
    used = np.isfinite(logs)
    if used.sum() < 2:
        return Decay(math.nan, math.nan, math.nan, math.nan, "geometric")
    slope, r_squared = _line(layer[used], np.asarray(logs)[used])
    with np.errstate(all="ignore"):
        increments = logs[:-1] - logs[1:]
    shape_of_power = np.log(layer[1:] / layer[:-1])
    kept = np.isfinite(increments)
    x, y = shape_of_power[kept], increments[kept]
    if len(y) < 4:
        return Decay(exp(-slope), r_squared, math.nan, math.nan, "geometric")
    scale = float(np.abs(y).max())
    if float(np.ptp(y)) <= 1e-9 * scale:  # exactly geometric, up to rounding: there is no noise to test against
        return Decay(exp(-slope), r_squared, 1.0, math.nan, "geometric")
    p = _chance(x, y)
    power = float(x @ y) / float(x @ x)
    if p >= NOT_GEOMETRIC_BELOW:
        return Decay(exp(-slope), r_squared, p, -power, "geometric")
    by_power, by_mean = y - power * x, y - y.mean()
    polynomial = float(by_power @ by_power) < float(by_mean @ by_mean)
    return Decay(exp(-slope), r_squared, p, -power, "polynomial" if polynomial else "uneven")


def _chance(x: FloatArray, y: FloatArray) -> float:
    """Return the probability of so clear a slope of the least-squares line where there is none; SciPy's takes long to import."""
    from scipy import special  # costly to import, and shallow nets do without

    of_x, of_both, _, of_y = np.cov(x, y, bias=True).flat
    size, freedom = math.sqrt(of_x * of_y), len(x) - 2
    r = min(max(of_both / size, -1.0), 1.0) if size > 0 else 0.0
    t = r * math.sqrt(freedom / ((1.0 - r + 1e-20) * (1.0 + r + 1e-20)))
    return float(2 * special.stdtr(freedom, -abs(t)))


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Return slope and R² of the least-squares line."""
    x, y = x - x.mean(), y - y.mean()
    slope = float(x @ y) / float(x @ x)
    total = float(y @ y)
    return slope, 1.0 if total == 0 else slope * float(x @ y) / total
