"""Sums, products, quotients and powers: what Python's operators apply."""

from typing import Any

import numpy as np

from bpcore.graph.node import Array, Gate

SILENT: Any = {"divide": "ignore", "invalid": "ignore", "over": "ignore"}
"""NumPy's warnings where a vjp's own convention covers the case."""


add = Gate(
    "add",
    lambda x, y: x + y,
    (lambda g, out, x, y: g, lambda g, out, x, y: g),
    rule="∂(x+y)/∂x = 1, ∂(x+y)/∂y = 1",
    source="sum rule",
    operator="+",
    role="distribute",
)

subtract = Gate(
    "subtract",
    lambda x, y: x - y,
    (lambda g, out, x, y: g, lambda g, out, x, y: -g),
    rule="∂(x−y)/∂x = 1, ∂(x−y)/∂y = −1",
    source="sum rule",
    operator="-",
    symbol="−",
    role="distribute",
)

negate = Gate(
    "negate",
    lambda x: -x,
    (lambda g, out, x: -g,),
    rule="∂(−x)/∂x = −1",
    source="constant factor rule",
    operator="neg",
    symbol="×(−1)",
)

multiply = Gate(
    "multiply",
    lambda x, y: x * y,
    (lambda g, out, x, y: g * y, lambda g, out, x, y: g * x),
    rule="∂(xy)/∂x = y, ∂(xy)/∂y = x",
    source="product rule",
    operator="*",
    symbol="×",
    role="switch",
)

divide = Gate(
    "divide",
    lambda x, y: x / y,
    (lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y),
    rule="∂(x/y)/∂x = 1/y, ∂(x/y)/∂y = −x/y²",
    source="quotient rule",
    operator="/",
    symbol="÷",
    domain="a divisor other than 0",
)

reciprocal = Gate(
    "reciprocal",
    lambda x: 1 / x,
    (lambda g, out, x: -g * out * out,),
    rule="∂(1/x)/∂x = −1/x²",
    source="quotient rule",
    symbol="1/x",
    domain="x other than 0",
)


def _power_base(g: Array, out: Array, x: Array, p: Array) -> Array:
    with np.errstate(**SILENT):
        slope: Array = np.where(p == 0, 0, p * np.power(x, p - 1))
    return g * slope


def _power_exponent(g: Array, out: Array, x: Array, p: Array) -> Array:
    with np.errstate(**SILENT):
        slope: Array = np.where((x == 0) & (p.real > 0), 0, out * np.log(x))
        return g * slope


power = Gate(
    "power",
    np.power,
    (_power_base, _power_exponent),
    rule="∂(x^p)/∂x = p·x^(p−1), ∂(x^p)/∂p = x^p·ln x",
    source="power rule; DLMF §4.7",
    operator="**",
    symbol="^",
    convention="x^0 has slope 0 in x, at x = 0 too; 0^p has slope 0 in p > 0; where x < 0 there is no slope in p: NaN",
    domain="x > 0, or a whole exponent (not negative at x = 0)",
)
