"""What frameworks do unless they are told otherwise."""

import math
from dataclasses import replace

from bpcore.initializer import Initializer, scheme
from bpcore.ranges import nonnegative


def pytorch(scale: float = 1.0, bias_std: float | None = None, mean: float = 0.0, bias_distribution: str = "uniform") -> Initializer:
    """Return the default of torch.nn.Linear: W and b both U(±scale/√fan_in), Var = scale²/(3 fan_in).

    It comes out of kaiming_uniform_ with a = √5, whose bound is √(6/((1 + a²) fan_in)).

    Args:
        scale: factor on the half-widths of both intervals, ≥ 0.
        bias_std: σ_b ≥ 0 instead of scale/√(3 fan_in); None for that.
        mean: of a weight.
        bias_distribution: uniform, normal or truncated_normal.

    Raises:
        ValueError: an argument is out of range.

    Source: torch.nn.Linear.reset_parameters; PyTorch issue 57109 for the a.
    """
    factor = nonnegative("scale", scale)
    made = scheme("pytorch", lambda fan_in, _: factor * factor / (3 * fan_in), "uniform", bias_std or 0.0, mean, bias_distribution)
    return made if bias_std is not None else replace(made, bias_by_fan_in=lambda fan_in: factor / math.sqrt(3 * fan_in))


def keras(scale: float = 1.0, bias_std: float = 0.0, mean: float = 0.0, bias_distribution: str = "normal") -> Initializer:
    """Return the default of Keras's Dense: W ~ U(±scale·√(6/(fan_in + fan_out))), b = 0.

    Args:
        scale: factor on the half-width of the interval, ≥ 0.
        bias_std: σ_b ≥ 0.
        mean: of a weight.
        bias_distribution: normal, uniform or truncated_normal.

    Raises:
        ValueError: an argument is out of range.

    Source: keras.layers.Dense, whose kernel_initializer is glorot_uniform; Glorot & Bengio 2010, eq. 16.
    """
    factor = nonnegative("scale", scale)
    return scheme("keras", lambda fan_in, fan_out: 2 * factor * factor / (fan_in + fan_out), "uniform", bias_std, mean, bias_distribution)
