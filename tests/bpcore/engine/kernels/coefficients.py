"""Compute the polynomials of `bpcore.engine.kernels.coefficients` anew: python -m tests.bpcore.engine.kernels.coefficients."""

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np

MOST = mp.mpf(10) ** -15
"""Below it, a quotient of differences is replaced by the first terms of its series."""


def exponential(r: Any) -> Any:
    return (mp.expm1(r) - r) / r**2 if abs(r) > MOST else mp.mpf(1) / 2 + r / 6


def logarithm(square: Any) -> Any:
    s = mp.sqrt(square)
    return 2 * (mp.atanh(s) - s) / (s * square) if square > MOST else mp.mpf(2) / 3 + 2 * square / 5


def tail(y: Any) -> Any:
    t = 4 * (1 + y) / (1 - y)
    return (1 + t) * mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2)


def interpolated(function: Callable[[Any], Any], low: Any, high: Any, count: int) -> list[Any]:
    """Return the polynomial of `count` coefficients, the highest power first, that is the function at the Chebyshev nodes."""
    nodes = [(low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]
    powers = mp.matrix([[node ** (count - 1 - j) for j in range(count)] for node in nodes])
    return list(mp.lu_solve(powers, mp.matrix([function(node) for node in nodes])))


def polynomials() -> dict[str, tuple[float, ...]]:
    """Return all of them by name, those of float32 rounded to it."""
    with mp.workdps(80):
        root = mp.sqrt(2)
        widest = ((root - 1) / (root + 1)) ** 2 * mp.mpf("1.001")
        ask: dict[str, tuple[Callable[[Any], Any], Any, Any, int]] = {
            "EXP": (exponential, -0.3475, 0.3475, 10),
            "EXP_32": (exponential, -0.3475, 0.3475, 5),
            "LOG": (logarithm, 0, widest, 7),
            "LOG_32": (logarithm, 0, widest, 3),
            "TAIL": (tail, -1, mp.mpf(40 - 4) / (40 + 4), 23),
            "TAIL_32": (tail, -1, mp.mpf(15 - 4) / (15 + 4), 11),
        }
        exact = {name: interpolated(function, mp.mpf(low), mp.mpf(high), count) for name, (function, low, high, count) in ask.items()}
    return {name: tuple(float(np.float32(v) if name.endswith("_32") else float(v)) for v in values) for name, values in exact.items()}


if __name__ == "__main__":
    for name, values in polynomials().items():
        print(name, "=", values)
