"""Weight initializers: how W is drawn, and the variance that the draw declares.

Each scheme multiplies *standard* variates by its own standard deviation, so that the same generator gives the same
standard variates whatever the scale: comparisons between scales are paired. Theory reads `variance`; tests hold the
draws against it. A mean of the weights is added to what is drawn.
"""

from dataclasses import replace

import numpy as np

from bpcore.arrays import FloatArray
from bpcore.initializer import KEPT, Generator, Initializer, cut_normal, of_biases, scheme
from bpcore.ranges import finite, nonnegative

__all__ = [
    "Initializer", "constant", "fan_in", "glorot_standard", "he", "lecun", "normal", "ones", "orthogonal", "truncated_normal", "uniform",
    "xavier",
]  # fmt: skip


def normal(
    scale: float = 1.0, bias_std: float = 0.0, distribution: str = "normal", mean: float = 0.0, bias_distribution: str = "normal"
) -> Initializer:
    """Return weights of a fixed standard deviation: Var(W) = scale², whatever the fan-in.

    Args:
        scale: standard deviation of a weight, ≥ 0.
        bias_std: σ_b ≥ 0.
        distribution: normal, uniform or truncated_normal.
        mean: of a weight.
        bias_distribution: likewise.

    Raises:
        ValueError: an argument is out of range.
    """
    std = nonnegative("scale", scale)
    return scheme("normal", lambda fan_in, fan_out: std * std, distribution, bias_std, mean, bias_distribution)


def uniform(scale: float = 0.05, bias_std: float = 0.0, mean: float = 0.0, bias_distribution: str = "normal") -> Initializer:
    """Return weights uniform on an interval of fixed width: W ~ U(±scale), Var(W) = scale²/3, whatever the fan-in.

    Args:
        scale: half-width of the interval, ≥ 0.
        bias_std: σ_b ≥ 0.
        mean: of a weight.
        bias_distribution: normal, uniform or truncated_normal.

    Raises:
        ValueError: an argument is out of range.
    """
    half_width = nonnegative("scale", scale)
    return scheme("uniform", lambda fan_in, fan_out: half_width * half_width / 3, "uniform", bias_std, mean, bias_distribution)


def truncated_normal(scale: float = 0.05, bias_std: float = 0.0, mean: float = 0.0, bias_distribution: str = "normal") -> Initializer:
    """Return normal weights without their tails: W = scale·Z given |Z| < 2, whatever the fan-in.

    Var(W) = scale²(1 − 4ϕ(2)/(2Φ(2) − 1)) = 0.774 scale², ϕ and Φ the normal density and distribution: scale is the standard
    deviation before the cut, as in Keras.

    Args:
        scale: standard deviation of the normal that is cut, ≥ 0.
        bias_std: σ_b ≥ 0; biases are not cut.
        mean: of a weight.
        bias_distribution: normal, uniform or truncated_normal.

    Raises:
        ValueError: an argument is out of range.

    Source: Johnson, Kotz & Balakrishnan 1994, §13.10.1.
    """
    std, center = nonnegative("scale", scale), finite("mean", mean)

    def draw(generator: Generator, fan_out: int, fan_in: int) -> FloatArray:
        W = std * cut_normal(generator, (fan_out, fan_in))
        return W + center if center else W

    said = center, nonnegative("bias_std", bias_std)
    return Initializer("truncated_normal", draw, lambda _, __: std * std * KEPT, *said, bias_distribution=of_biases(bias_distribution))


def fan_in(
    scale: float = 1.0, bias_std: float = 0.0, distribution: str = "normal", mean: float = 0.0, bias_distribution: str = "normal"
) -> Initializer:
    """Return mean-field scaling: Var(W) = scale²/fan_in, so that scale is σ_w.

    Args:
        scale: σ_w ≥ 0.
        bias_std: σ_b ≥ 0.
        distribution: normal, uniform or truncated_normal.
        mean: of a weight.
        bias_distribution: likewise.

    Raises:
        ValueError: an argument is out of range.

    Source: LeCun et al. 1998 §4.6; Poole et al. 2016.
    """
    sigma_w = nonnegative("scale", scale)
    return scheme("fan_in", lambda fan_in, fan_out: sigma_w * sigma_w / fan_in, distribution, bias_std, mean, bias_distribution)


def lecun(
    scale: float = 1.0, bias_std: float = 0.0, distribution: str = "normal", mean: float = 0.0, bias_distribution: str = "normal"
) -> Initializer:
    """Return LeCun's initialization: Var(W) = scale²/fan_in, that of `fan_in` under the name that it is known by.

    Keras's lecun_normal has distribution=truncated_normal.

    Args:
        scale: factor on the scheme's standard deviation, ≥ 0.
        bias_std: σ_b ≥ 0.
        distribution: normal, uniform or truncated_normal.
        mean: of a weight.
        bias_distribution: likewise.

    Raises:
        ValueError: an argument is out of range.

    Source: LeCun et al. 1998, §4.6, eq. 16.
    """
    factor = nonnegative("scale", scale)
    return scheme("lecun", lambda fan_in, fan_out: factor * factor / fan_in, distribution, bias_std, mean, bias_distribution)


def xavier(
    scale: float = 1.0, bias_std: float = 0.0, distribution: str = "normal", mean: float = 0.0, bias_distribution: str = "normal"
) -> Initializer:
    """Return Glorot's normalized initialization: Var(W) = scale²·2/(fan_in + fan_out).

    Args:
        scale: factor on the scheme's standard deviation, ≥ 0.
        bias_std: σ_b ≥ 0.
        distribution: normal, truncated_normal, or uniform on ±scale·√(6/(fan_in + fan_out)).
        mean: of a weight.
        bias_distribution: normal, uniform or truncated_normal.

    Raises:
        ValueError: an argument is out of range.

    Source: Glorot & Bengio 2010, eq. 12 and 16.
    """
    factor = nonnegative("scale", scale)
    return scheme(
        "xavier", lambda fan_in, fan_out: 2 * factor * factor / (fan_in + fan_out), distribution, bias_std, mean, bias_distribution
    )


def he(
    scale: float = 1.0,
    bias_std: float = 0.0,
    distribution: str = "normal",
    mode: str = "fan_in",
    mean: float = 0.0,
    bias_distribution: str = "normal",
) -> Initializer:
    """Return He's initialization for rectifiers: Var(W) = scale²·2/fan_in, or 2/fan_out, which keeps δ instead of z.

    Args:
        scale: factor on the scheme's standard deviation, ≥ 0.
        bias_std: σ_b ≥ 0.
        distribution: normal, uniform or truncated_normal.
        mode: fan_in or fan_out.
        mean: of a weight.
        bias_distribution: likewise.

    Raises:
        ValueError: an argument is out of range.

    Source: He et al. 2015, eq. 10; eq. 14 for fan_out.
    """
    factor = nonnegative("scale", scale)
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"`mode` must be fan_in or fan_out, got {mode!r}")

    def variance(fan_in: int, fan_out: int) -> float:
        return 2 * factor * factor / (fan_in if mode == "fan_in" else fan_out)

    return scheme("he", variance, distribution, bias_std, mean, bias_distribution)


def glorot_standard(scale: float = 1.0, bias_std: float = 0.0, mean: float = 0.0, bias_distribution: str = "normal") -> Initializer:
    """Return what was customary before 2010: W ~ U(±scale/√fan_in), Var(W) = scale²/(3 fan_in).

    Args:
        scale: factor on the half-width of the interval, ≥ 0.
        bias_std: σ_b ≥ 0.
        mean: of a weight.
        bias_distribution: normal, uniform or truncated_normal.

    Raises:
        ValueError: an argument is out of range.

    Source: Glorot & Bengio 2010, eq. 1.
    """
    factor = nonnegative("scale", scale)
    return scheme("glorot_standard", lambda fan_in, fan_out: factor * factor / (3 * fan_in), "uniform", bias_std, mean, bias_distribution)


def orthogonal(scale: float = 1.0, bias_std: float = 0.0, bias_distribution: str = "normal") -> Initializer:
    """Return Haar-random (semi-)orthogonal weights times a gain: Var(W) = scale²/max(fan_in, fan_out).

    The longer side's QR factor of a standard normal matrix, its signs fixed by the diagonal of R; every nonzero
    singular value equals `scale`.

    Args:
        scale: gain ≥ 0.
        bias_std: σ_b ≥ 0.
        bias_distribution: normal, uniform or truncated_normal.

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
        bias_distribution=of_biases(bias_distribution),
    )


def constant(scale: float = 0.0, bias_std: float = 0.0, bias: float = 0.0, bias_distribution: str = "normal") -> Initializer:
    """Return the symmetric start W = scale, Var(W) = 0: every unit of a layer learns the same.

    Args:
        scale: the value of every weight, finite.
        bias_std: σ_b ≥ 0.
        bias: mean of every bias, finite; with σ_b = 0 its value.
        bias_distribution: normal, uniform or truncated_normal.

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
        bias_distribution=of_biases(bias_distribution),
    )


def ones(scale: float = 1.0, bias_std: float = 0.0, bias_distribution: str = "normal") -> Initializer:
    """Return W = scale, `constant` as frameworks call it where scale is 1.

    Args:
        scale: the value of every weight, finite.
        bias_std: σ_b ≥ 0.
        bias_distribution: normal, uniform or truncated_normal.

    Raises:
        ValueError: an argument is out of range.

    Source: torch.nn.init.ones_ and Keras's Ones.
    """
    return replace(constant(scale, bias_std, bias_distribution=bias_distribution), name="ones")
