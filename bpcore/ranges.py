"""Ranges of a factory's arguments: a value goes in and comes out as its type, or is refused in one line that names it."""

import math


def finite(name: str, value: float) -> float:
    """Return a finite number.

    Raises:
        ValueError: it is none.
    """
    return _where(name, value, math.isfinite(value), "a finite number")


def nonnegative(name: str, value: float) -> float:
    """Return a finite number ≥ 0.

    Raises:
        ValueError: it is none.
    """
    return _where(name, value, math.isfinite(value) and value >= 0, "a finite number ≥ 0")


def positive(name: str, value: float) -> float:
    """Return a finite number > 0.

    Raises:
        ValueError: it is none.
    """
    return _where(name, value, math.isfinite(value) and value > 0, "a finite number > 0")


def at_least(name: str, value: int, least: int) -> int:
    """Return an integer that is no less than another.

    Raises:
        ValueError: it is less.
    """
    return int(_where(name, value, value >= least, f"an integer ≥ {least}"))


def fraction(name: str, value: float) -> float:
    """Return a number in [0, 1).

    Raises:
        ValueError: it is none.
    """
    if not 0 <= value < 1:
        raise ValueError(f"`{name}` must lie in [0, 1), got {value}")
    return float(value)


def _where(name: str, value: float, holds: bool, what: str) -> float:
    if not holds:
        raise ValueError(f"`{name}` must be {what}, got {value}")
    return float(value)
