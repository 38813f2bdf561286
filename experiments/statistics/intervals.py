"""Intervals and comparisons over repetitions: means, proportions, paired differences. 95 % unless said otherwise."""

import functools
import math
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import FloatArray
from bpcore.streams import stream
from experiments.statistics.factors import CONFIDENCE

BOOTSTRAP_FROM = 10
"""Repetitions from which the bootstrap is used: with fewer its resamples are too few and too narrow, and Student's t holds."""

BOOTSTRAP_TO = 300
"""Repetitions up to which it is used: the mean of more is normal, and resampling thousands of runs takes seconds."""

RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """Hold a mean with its 95 % interval.

    Args:
        value: the estimate.
        low: lower end; NaN where there are too few repetitions.
        high: upper end.
        n: repetitions used.
        method: student, bootstrap, wilson or none.
    """

    value: float
    low: float
    high: float
    n: int
    method: str

    @property
    def known(self) -> bool:
        """Return whether there is an interval."""
        return not math.isnan(self.low)

    def row(self) -> dict[str, float]:
        """Return the interval as the columns of a numbers table: measured, low, high, n."""
        return {"measured": self.value, "low": self.low, "high": self.high, "n": self.n}


def mean_interval(values: FloatArray, method: str = "auto") -> Interval:
    """Return the mean of independent repetitions, with its interval.

    student: x̄ ± t·s/√n. bootstrap: percentiles of resampled means, at the expanded level 2Φ(−√(n/(n−1))·t), without which they
    are too narrow by the factor √((n−1)/n)·z/t. auto: bootstrap from BOOTSTRAP_FROM to BOOTSTRAP_TO
    repetitions, else student.

    Args:
        values: one a repetition; what is not finite is left out.
        method: auto, student or bootstrap.

    Returns:
        The mean; NaN ends with fewer than two repetitions.

    Source: Efron & Tibshirani 1993 ch. 13; Hesterberg 2015, eq. 7 (expanded percentiles).
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values)]
    n = len(values)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0, "none")
    mean = float(values.mean())
    if n == 1:
        return Interval(mean, math.nan, math.nan, 1, "none")
    from scipy import special  # costly to import, and single runs do without

    quantile = float(special.stdtrit(n - 1, (1 + CONFIDENCE) / 2))
    spread = float(values.std(ddof=1))
    if spread == 0:
        return Interval(mean, mean, mean, n, "student")
    if method == "student" or (method == "auto" and not BOOTSTRAP_FROM <= n <= BOOTSTRAP_TO):
        half = quantile * spread / math.sqrt(n)
        return Interval(mean, mean - half, mean + half, n, "student")
    level = 1 - 2 * float(special.ndtr(-math.sqrt(n / (n - 1)) * quantile))
    return Interval(mean, *_bootstrap(tuple(values.tolist()), level), n, "bootstrap")


@functools.lru_cache(maxsize=16384)
def _bootstrap(values: tuple[float, ...], level: float) -> tuple[float, float]:
    """Return percentiles of resampled means, from a generator of its own: the same values have the same interval."""
    from scipy import stats  # costly to import, and runs do without

    found = stats.bootstrap(
        (np.array(values),), np.mean, n_resamples=RESAMPLES, confidence_level=level, method="percentile", rng=stream(0, "bootstrap")
    ).confidence_interval
    return float(found.low), float(found.high)


def geometric_interval(values: FloatArray, method: str = "auto") -> Interval:
    """Return the geometric mean of positive repetitions with its interval: `mean_interval` of the logarithms."""
    with np.errstate(all="ignore"):
        logs = mean_interval(np.log(np.asarray(values, dtype=np.float64)), method)
        value, low, high = (float(np.exp(end)) for end in (logs.value, logs.low, logs.high))
    return Interval(value, low, high, logs.n, logs.method)


def proportion(successes: int, trials: int) -> Interval:
    """Return a share p = k/n with Wilson's interval, which is never empty at 0 or 1.

    (2np + z² ± z√(z² + 4np(1−p))) / (2(n + z²)), z the normal quantile.

    Args:
        successes: 0…trials.
        trials: ≥ 0.

    Returns:
        The share; NaN throughout without trials.

    Source: Wilson 1927; Brown, Cai & DasGupta 2001.
    """
    if trials == 0:
        return Interval(math.nan, math.nan, math.nan, 0, "none")
    z, share = _normal_quantile(), successes / trials
    scale = 2 * (trials + z**2)
    center = (2 * trials * share + z**2) / scale
    half = z / scale * math.sqrt(4 * trials * share * (1 - share) + z**2)
    low, high = 0.0 if successes == 0 else center - half, 1.0 if successes == trials else center + half
    return Interval(share, low, high, trials, "wilson")


@functools.cache
def _normal_quantile() -> float:
    """Return the standard normal's quantile at the upper end of the interval."""
    from scipy import special  # costly to import; scipy.stats, which has Wilson's interval too, takes several times as long

    return float(special.ndtri(0.5 + 0.5 * CONFIDENCE))


@dataclass(frozen=True)
class Paired:
    """Hold a comparison of two settings over the same seeds.

    Args:
        effect: mean difference, after − before; or geometric mean ratio, after / before.
        p: of Student's paired test that there is no difference; NaN with fewer than two pairs.
        neutral: the effect's value where there is no difference: 0, or 1 for a ratio.
    """

    effect: Interval
    p: float
    neutral: float

    @property
    def direction(self) -> int:
        """Return 1 where the interval lies above no difference, −1 below, 0 where it holds it or there is none.

        Where all pairs differ by exactly the same, the interval is that difference alone.
        """
        if not self.effect.known:
            return 0
        return int(self.effect.low > self.neutral) - int(self.effect.high < self.neutral)


def paired(before: FloatArray, after: FloatArray, ratio: bool = False, method: str = "auto") -> Paired:
    """Compare two settings seed by seed: the same seed draws the same standard normals, which the difference cancels.

    Args:
        before: one value a seed.
        after: of the same seeds in the same order.
        ratio: compare logarithms, and state the effect as a ratio; values must be ≥ 0 then.
        method: of `mean_interval`.

    Returns:
        The comparison; pairs with a value that is not finite (or, for a ratio, not positive) are left out.
    """
    with np.errstate(all="ignore"):
        first, second = (np.asarray(values, dtype=np.float64) for values in (before, after))
        difference = np.log(second) - np.log(first) if ratio else second - first
    difference = difference[np.isfinite(difference)]
    interval = mean_interval(difference, method)
    p = math.nan
    if len(difference) > 1:
        from scipy import special  # costly to import, and single runs do without

        spread = float(difference.std(ddof=1))
        if spread > 0:
            p = float(2 * special.stdtr(len(difference) - 1, -abs(interval.value) * math.sqrt(len(difference)) / spread))
        else:
            p = 1.0 if interval.value == 0 else 0.0
    if ratio:
        with np.errstate(all="ignore"):
            value, low, high = (float(np.exp(end)) for end in (interval.value, interval.low, interval.high))
        interval = Interval(value, low, high, interval.n, interval.method)
    return Paired(interval, p, 1.0 if ratio else 0.0)
