"""What is measured, and what is aimed at."""

import argparse
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Shape:
    """Name a sweep of equal nets: `width` inputs, `depth` hidden layers of `width`, 10 outputs.

    Args:
        width: of the inputs and hidden layers.
        batch: examples.
        depth: hidden layers.
        dtype: float32 or float64.
    """

    width: int
    batch: int
    depth: int
    dtype: str

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return (n_0, …, n_L)."""
        return (self.width,) * (self.depth + 1) + (10,)

    def options(self) -> list[str]:
        """Return the shape as command-line options."""
        return [part for field in fields(self) for part in (f"--{field.name}", str(getattr(self, field.name)))]


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options of a shape."""
    made = argparse.ArgumentParser(description=description)
    for field in fields(Shape):
        made.add_argument(f"--{field.name}", type=field.type, required=True)
    return made


SIZES = ((30, 32, 4), (30, 32, 20), (64, 64, 20), (100, 100, 50), (256, 128, 10))
DTYPES = ("float32", "float64")

AT_LEAST_TIMES_TORCH = {30: 15.0, 64: 3.5, 100: 2.0, 256: 1.3}
AT_LEAST_TIMES_JAX = {30: 1.2, 64: 1.0, 100: 1.0, 256: 1.0}
AT_MOST_TIMES_GEMMS = {30: 2.0, 64: 1.65, 100: 1.5, 256: 1.2}
AT_MOST_FULL_OVER_LIGHT = 3.0

PEER_STACKS = {30: (8, 64), 64: (4, 32), 100: (1, 8), 256: (1, 4)}
"""Stack sizes that are tried with the peers that stack; the best counts."""


def chosen(quick: bool) -> list[Shape]:
    """Return the shapes to measure: all, or those of width 30 and 64 in float32."""
    return [Shape(*size, dtype) for dtype in DTYPES for size in SIZES if not quick or (dtype == "float32" and size[0] < 100)]
