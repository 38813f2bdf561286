"""How a number is written, wherever a reader meets it: terminal, page, figure, Markdown."""

import math
from typing import Any

import numpy as np

MISSING = "–"
"""Stands where there is no number."""

_WRITTEN_OUT = 5
"""Below 10 to this power an integer part is written out: 4381, not 4.38e3."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def missing(value: Any) -> bool:
    """Return whether a value is none: None, NaN, or what pandas puts in their place."""
    if isinstance(value, (float, np.floating)):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")  # pandas itself is not imported here


def number(value: Any, digits: int = 3, typeset: bool = False) -> str:
    """Write a number: 0.231, 20, 4381, 5.93e5, 3.5e-7, ∞; – where there is none.

    Args:
        value: a number, or none.
        digits: significant digits of what is no integer.
        typeset: whether powers of ten are set as in print, 3.5·10⁻⁷.

    Returns:
        The text; a zero has no sign.
    """
    if missing(value):
        return MISSING
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    mantissa, _, exponent = f"{value + 0.0:.{digits}g}".partition("e")
    if not exponent:
        return "0" if mantissa == "-0" else mantissa
    if digits <= int(exponent) < _WRITTEN_OUT:
        return f"{value:.0f}"
    if not typeset:
        return f"{mantissa}e{int(exponent)}"
    return power_of_ten(int(exponent)) if mantissa == "1" else f"{mantissa}·{power_of_ten(int(exponent))}"


def label(value: Any) -> str:
    """Write a setting as a user would type it: 0.1, 20, 1e-5, relu, true; – where the key does not exist or is null."""
    if missing(value):
        return MISSING
    return number(value, 6) if isinstance(value, (bool, np.bool_, int, float, np.number)) else str(value)


def tick(value: float, _: int | None = None) -> str:
    """Write a tick of a logarithmic axis: 0.01, 1, 50, 10⁻⁷; nothing for what has no place on one."""
    if value <= 0 or not math.isfinite(value):
        return ""
    exponent = math.floor(math.log10(value) + 1e-9)
    if -3 <= exponent <= 3:
        return f"{value:.4g}"
    mantissa = value / 10.0**exponent if exponent > -308 else 1.0
    lead = "" if abs(mantissa - 1) < 1e-6 else f"{mantissa:.3g}·"
    return f"{lead}{power_of_ten(exponent)}"


def power_of_ten(exponent: int) -> str:
    """Write 10 to an integer power as in print: 10⁻⁷."""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def from_log(log: float) -> str:
    """Write a positive number given by its natural logarithm, also beyond floats: 4.88, 5.93e5, 10^400."""
    return number(math.exp(log)) if abs(log) < 700 else f"10^{log / math.log(10):.0f}"


def interval(low: Any, high: Any, digits: int = 3) -> str:
    """Write an interval: 0.218–0.239, -0.2 to 0.1; – where there is none."""
    if missing(low) or missing(high):
        return MISSING
    between = " to " if low < 0 else "–"  # a dash would read as a second minus
    return f"{number(low, digits)}{between}{number(high, digits)}"


def percent(share: Any, decimals: int = 0) -> str:
    """Write a share of one in percent: 62 %; – where there is none."""
    return MISSING if missing(share) else f"{100 * share:.{decimals}f} %"


def grouped(value: int) -> str:
    """Write an integer in groups of three digits: 10 000."""
    return f"{int(value):,}".replace(",", " ")


def count(value: int, noun: str) -> str:
    """Write a count with its noun, in the plural where it is due: 1 run, 10 000 finished runs, 2 products of Jacobians."""
    first, of, rest = noun.partition(" of ")
    return f"{grouped(value)} {first}{'' if value == 1 else 's'}{of}{rest}"
