"""What an initializer is: how W and b are drawn, and what is declared of the draw."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.ranges import finite, nonnegative

Generator = np.random.Generator

Adapt = Callable[[dict[int, Array], Array, Callable[[int, Array], Array], Callable[[int, Array], Array]], None]
"""(W by layer, x, (l, a^(l−1)) -> z^l, (l, z^l) -> a^l) -> nothing; W is changed in place, and the functions see it."""

DISTRIBUTIONS = ("normal", "uniform", "truncated_normal")


@dataclass(frozen=True)
class Initializer:
    """Bundle a way to draw weights with the variance that it declares.

    Args:
        name: what tables and figures call it.
        draw: (generator, fan_out, fan_in) -> W of shape (fan_out, fan_in), float64.
        variance: (fan_in, fan_out) -> Var(W), the expected square of an entry about its mean.
        mean: expected value of an entry.
        bias_std: σ_b, the standard deviation of the biases.
        independent: whether the entries of W are independent of each other.
        bias_mean: expected value of a bias; 0 for all but `constant`.
        bias_distribution: of DISTRIBUTIONS.
        bias_by_fan_in: fan_in -> σ_b, where it is not the same in all layers; `bias_std` then means nothing.
        adapt: what is done to the weights once they are drawn, where they are fitted to examples; None where they are not. `variance`
            is that before, and theory has no value.
    """

    name: str
    draw: Callable[[Generator, int, int], FloatArray]
    variance: Callable[[int, int], float]
    mean: float = 0.0
    bias_std: float = 0.0
    independent: bool = True
    bias_mean: float = 0.0
    bias_distribution: str = "normal"
    bias_by_fan_in: Callable[[int], float] | None = None
    adapt: Adapt | None = None

    def bias_std_at(self, fan_in: int) -> float:
        """Return σ_b of a layer."""
        return self.bias_std if self.bias_by_fan_in is None else self.bias_by_fan_in(fan_in)

    def draw_bias(self, generator: Generator, fan_out: int, fan_in: int) -> FloatArray:
        """Draw b of mean bias_mean and standard deviation σ_b, shape (fan_out, 1)."""
        biases = self.bias_std_at(fan_in) * standard(self.bias_distribution)(generator, (fan_out, 1))
        return biases + self.bias_mean if self.bias_mean else biases  # adding 0 would change the sign of −0


def standard(distribution: str, key: str = "distribution") -> Callable[[Generator, tuple[int, int]], FloatArray]:
    """Return a sampler of zero mean and unit variance.

    Args:
        distribution: of DISTRIBUTIONS; a truncated normal ends at two of its own standard deviations before the cut.
        key: the argument that says so.

    Raises:
        ValueError: it is none of them.
    """
    if distribution == "normal":
        return lambda generator, shape: generator.standard_normal(shape)
    if distribution == "uniform":
        return lambda generator, shape: generator.uniform(-math.sqrt(3), math.sqrt(3), shape)
    if distribution == "truncated_normal":
        return lambda generator, shape: cut_normal(generator, shape) / math.sqrt(KEPT)
    raise ValueError(f"`{key}` must be {', '.join(DISTRIBUTIONS[:-1])} or {DISTRIBUTIONS[-1]}, got {distribution!r}")


CUT = 2.0
"""Where a truncated normal ends, in standard deviations of the normal that is cut."""

KEPT = 1 - 2 * CUT * (math.exp(-CUT * CUT / 2) / math.sqrt(2 * math.pi)) / math.erf(CUT / math.sqrt(2))
"""Its variance, of a standard normal that is cut: 1 − 4ϕ(2)/(2Φ(2) − 1)."""


def cut_normal(generator: Generator, shape: tuple[int, int]) -> FloatArray:
    """Return Z given |Z| < 2, Z standard normal: Φ⁻¹ of one uniform number an entry, so that none is drawn again.

    Source: Johnson, Kotz & Balakrishnan 1994, §13.10.1.
    """
    from scipy import special  # costly to import, and most runs do without

    low, high = (float(special.ndtr(end)) for end in (-CUT, CUT))
    return np.asarray(special.ndtri(generator.uniform(low, high, shape)))


def scheme(
    name: str,
    variance: Callable[[int, int], float],
    distribution: str,
    bias_std: float,
    mean: float = 0.0,
    bias_distribution: str = "normal",
) -> Initializer:
    """Return independent weights of a variance that the fans decide.

    Args:
        name: of the scheme.
        variance: (fan_in, fan_out) -> Var(W).
        distribution: of DISTRIBUTIONS.
        bias_std: σ_b ≥ 0.
        mean: of a weight.
        bias_distribution: of DISTRIBUTIONS.

    Raises:
        ValueError: an argument is out of range.
    """
    sample = standard(distribution)

    def draw(generator: Generator, fan_out: int, fan_in: int) -> FloatArray:
        W = math.sqrt(variance(fan_in, fan_out)) * sample(generator, (fan_out, fan_in))
        return W + mean if mean else W

    said = finite("mean", mean), nonnegative("bias_std", bias_std)
    return Initializer(name, draw, variance, *said, bias_distribution=of_biases(bias_distribution))


def of_biases(distribution: str) -> str:
    """Return a distribution of biases.

    Raises:
        ValueError: it is none.
    """
    standard(distribution, "bias_distribution")
    return distribution
