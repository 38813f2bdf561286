"""A finding in one small drawing: the published number, theory's and the measured one with its interval, on one scale."""

import math
from dataclasses import dataclass
from typing import Any

from experiments.text.numbers import number

WIDTH, MARGIN = 150.0, 8.0
WIDE = 3.0
"""From this ratio of the largest to the smallest number on, the scale is logarithmic."""


@dataclass(frozen=True)
class Glyph:
    """Hold places on the horizontal axis, in pixels from the left, None for what there is not.

    Args:
        published: of the diamond.
        theory: of the dashed line.
        measured: of the dot.
        low: where the bar begins.
        high: where it ends.
        text: the same in words.
    """

    published: float | None
    theory: float | None
    measured: float | None
    low: float | None
    high: float | None
    text: str


def glyph(entry: dict[str, Any]) -> Glyph | None:
    """Place the numbers of a finding on one scale, logarithmic where they are positive and far apart.

    Args:
        entry: of verdicts.json.

    Returns:
        The places, or None where fewer than two numbers are known.
    """
    numbers = {name: entry[name] for name in ("published", "theory", "measured", "low", "high") if entry[name] is not None}
    if len(numbers) < 2 or "measured" not in numbers:
        return None
    log = min(numbers.values()) > 0 and max(numbers.values()) / min(numbers.values()) > WIDE
    scaled = {name: math.log(value) if log else value for name, value in numbers.items()}
    low, high = min(scaled.values()), max(scaled.values())
    room = (high - low) or 1.0
    places = {
        name: round(MARGIN + (WIDTH - 2 * MARGIN) * ((value - low) / room if high > low else 0.5), 1) for name, value in scaled.items()
    }
    words = [f"{name} {number(numbers[name])}" for name in ("published", "theory", "measured") if name in numbers]
    if "low" in numbers and "high" in numbers:
        words.append(f"interval {number(numbers['low'])} to {number(numbers['high'])}")
    names = ("published", "theory", "measured", "low", "high")
    return Glyph(**{name: places.get(name) for name in names}, text=", ".join(words) + (", logarithmic scale" if log else ""))
