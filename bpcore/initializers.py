"""Weight initializers: how W is drawn, and the variance that the draw declares.

Each scheme multiplies *standard* variates by its own standard deviation, so that the same generator gives the same
standard variates whatever the scale: comparisons between scales are paired. Theory reads `variance`; tests hold the
draws against it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import FloatArray
from bpcore.ranges import finite, nonnegative

Generator = np.random.Generator


@dataclass(frozen=True)
class Initializer:
    """Bundle a way to draw weights with the variance that it declares.

    Args:
        name: what tables and figures call it.
        draw: (generator, fan_out, fan_in) -> W of shape (fan_out, fan_in), float64.
        variance: (fan_in, fan_out) -> Var(W), the expected square of an entry about its mean.
        mean: expected value of an entry; 0 for all but `constant`.
        bias_std: σ_b, the standard deviation of the normal biases.
        independent: whether the entries of W are independent of each other.
        bias_mean: expected value of a bias; 0 for all but `constant`.
    """

    name: str
    draw: Callable[[Generator, int, int], FloatArray]
    variance: Callable[[int, int], float]
    mean: float = 0.0
    bias_std: float = 0.0
    independent: bool = True
    bias_mean: float = 0.0

    def draw_bias(self, generator: Generator, fan_out: int) -> FloatArray:
        """Draw b ~ N(bias_mean, σ_b²), shape (fan_out, 1)."""
        biases = self.bias_std * generator.standard_normal((fan_out, 1))
        return biases + self.bias_mean if self.bias_mean else biases  # adding 0 would change the sign of −0


def _standard(distribution: str) -> Callable[[Generator, tuple[int, int]], FloatArray]:
    """Return a sampler of zero mean and unit variance."""
    if distribution == "normal":
        return lambda generator, shape: generator.standard_normal(shape)
    if distribution == "uniform":
        return lambda generator, shape: generator.uniform(-math.sqrt(3), math.sqrt(3), shape)
    raise ValueError(f"`distribution` must be normal or uniform, got {distribution!r}")


def _scheme(name: str, variance: Callable[[int, int], float], distribution: str, bias_std: float) -> Initializer:
    sample = _standard(distribution)

    def draw(generator: Generator, fan_out: int, fan_in: int) -> FloatArray:
        return math.sqrt(variance(fan_in, fan_out)) * sample(generator, (fan_out, fan_in))

    return Initializer(name, draw, variance, bias_std=nonnegative("bias_std", bias_std))


def normal(scale: float = 1.0, bias_std: float = 0.0, distribution: str = "normal") -> Initializer:
    """Return weights of a fixed standard deviation: Var(W) = scale², whatever the fan-in.

    Args:
        scale: standard deviation of a weight, ≥ 0.
        bias_std: σ_b ≥ 0.
        distribution: normal or uniform.

    Raises:
        ValueError: an argument is out of range.
    """
    std = nonnegative("scale", scale)
    return _scheme("normal", lambda fan_in, fan_out: std * std, distribution, bias_std)


def uniform(scale: float = 0.05, bias_std: float = 0.0) -> Initializer:
    """Return weights uniform on an interval of fixed width: W ~ U(±scale), Var(W) = scale²/3, whatever the fan-in.

    Args:
        scale: half-width of the interval, ≥ 0.
        bias_std: σ_b ≥ 0.

    Raises:
        ValueError: an argument is out of range.
    """
    half_width = nonnegative("scale", scale)
    return _scheme("uniform", lambda fan_in, fan_out: half_width * half_width / 3, "uniform", bias_std)


_CUT = 2.0
"""Where the truncated normal ends, in standard deviations of the normal that is cut."""


def truncated_normal(scale: float = 0.05, bias_std: float = 0.0) -> Initializer:
    """Return normal weights without their tails: W = scale·Z given |Z| < 2, whatever the fan-in.

    Var(W) = scale²(1 − 4ϕ(2)/(2Φ(2) − 1)) = 0.774 scale², ϕ and Φ the normal density and distribution: scale is the standard
    deviation before the cut, as in Keras. Drawn by Φ⁻¹ of one uniform number an entry, so that none is drawn again.

    Args:
        scale: standard deviation of the normal that is cut, ≥ 0.
        bias_std: σ_b ≥ 0; biases are not cut.

    Raises:
        ValueError: an argument is out of range.

    Source: Johnson, Kotz & Balakrishnan 1994, §13.10.1.
    """
    from scipy import special  # costly to import, and most runs do without

    std = nonnegative("scale", scale)
    low, high = (float(special.ndtr(end)) for end in (-_CUT, _CUT))
    density = math.exp(-_CUT * _CUT / 2) / math.sqrt(2 * math.pi)
    kept = 1 - 2 * _CUT * density / math.erf(_CUT / math.sqrt(2))

    def draw(generator: Generator, fan_out: int, fan_in: int) -> FloatArray:
        return std * np.asarray(special.ndtri(generator.uniform(low, high, (fan_out, fan_in))))

    return Initializer("truncated_normal", draw, lambda fan_in, fan_out: std * std * kept, bias_std=nonnegative("bias_std", bias_std))


def fan_in(scale: float = 1.0, bias_std: float = 0.0, distribution: str = "normal") -> Initializer:
    """Return mean-field scaling: Var(W) = scale²/fan_in, so that scale is σ_w.

    Args:
        scale: σ_w ≥ 0.
        bias_std: σ_b ≥ 0.
        distribution: normal or uniform.

    Raises:
        ValueError: an argument is out of range.

    Source: LeCun et al. 1998 §4.6; Poole et al. 2016.
    """
    sigma_w = nonnegative("scale", scale)
    return _scheme("fan_in", lambda fan_in, fan_out: sigma_w * sigma_w / fan_in, distribution, bias_std)


def xavier(scale: float = 1.0, bias_std: float = 0.0, distribution: str = "normal") -> Initializer:
    """Return Glorot's normalized initialization: Var(W) = scale²·2/(fan_in + fan_out).

    Args:
        scale: factor on the scheme's standard deviation, ≥ 0.
        bias_std: σ_b ≥ 0.
        distribution: normal, or uniform on ±scale·√(6/(fan_in + fan_out)).

    Raises:
        ValueError: an argument is out of range.

    Source: Glorot & Bengio 2010, eq. 12 and 16.
    """
    factor = nonnegative("scale", scale)
    return _scheme("xavier", lambda fan_in, fan_out: 2 * factor * factor / (fan_in + fan_out), distribution, bias_std)


def he(scale: float = 1.0, bias_std: float = 0.0, distribution: str = "normal") -> Initializer:
    """Return He's initialization for rectifiers: Var(W) = scale²·2/fan_in.

    Args:
        scale: factor on the scheme's standard deviation, ≥ 0.
        bias_std: σ_b ≥ 0.
        distribution: normal or uniform.

    Raises:
        ValueError: an argument is out of range.

    Source: He et al. 2015, eq. 10.
    """
    factor = nonnegative("scale", scale)
    return _scheme("he", lambda fan_in, fan_out: 2 * factor * factor / fan_in, distribution, bias_std)


def glorot_standard(scale: float = 1.0, bias_std: float = 0.0) -> Initializer:
    """Return what was customary before 2010: W ~ U(±scale/√fan_in), Var(W) = scale²/(3 fan_in).

    Args:
        scale: factor on the half-width of the interval, ≥ 0.
        bias_std: σ_b ≥ 0.

    Raises:
        ValueError: an argument is out of range.

    Source: Glorot & Bengio 2010, eq. 1.
    """
    factor = nonnegative("scale", scale)
    return _scheme("glorot_standard", lambda fan_in, fan_out: factor * factor / (3 * fan_in), "uniform", bias_std)


def orthogonal(scale: float = 1.0, bias_std: float = 0.0) -> Initializer:
    """Return Haar-random (semi-)orthogonal weights times a gain: Var(W) = scale²/max(fan_in, fan_out).

    The longer side's QR factor of a standard normal matrix, its signs fixed by the diagonal of R; every nonzero
    singular value equals `scale`.

    Args:
        scale: gain ≥ 0.
        bias_std: σ_b ≥ 0.

    Raises:
        ValueError: an argument is out of range.

    Source: Saxe et al. 2013; Mezzadri 2007 for the signs.
    """
    gain = nonnegative("scale", scale)

    def draw(generator: Generator, fan_out: int, fan_in: int) -> FloatArray:
        normals = generator.standard_normal((fan_out, fan_in))
        q, r = np.linalg.qr(normals if fan_out >= fan_in else normals.T)
        q = q * np.sign(np.diagonal(r))
        return gain * np.ascontiguousarray(q if fan_out >= fan_in else q.T)

    return Initializer(
        "orthogonal",
        draw,
        lambda fan_in, fan_out: gain * gain / max(fan_in, fan_out),
        bias_std=nonnegative("bias_std", bias_std),
        independent=False,
    )


def constant(scale: float = 0.0, bias_std: float = 0.0, bias: float = 0.0) -> Initializer:
    """Return the symmetric start W = scale, Var(W) = 0: every unit of a layer learns the same.

    Args:
        scale: the value of every weight, finite.
        bias_std: σ_b ≥ 0.
        bias: mean of every bias, finite; with σ_b = 0 its value.

    Raises:
        ValueError: an argument is out of range.
    """
    value, center = finite("scale", scale), finite("bias", bias)
    return Initializer(
        "constant",
        lambda generator, fan_out, fan_in: np.full((fan_out, fan_in), value),
        lambda fan_in, fan_out: 0.0,
        mean=value,
        bias_std=nonnegative("bias_std", bias_std),
        bias_mean=center,
    )
