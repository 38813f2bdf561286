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
    def key(self) -> tuple[int, int, int]:
        """Return the sizes by which bars are looked up."""
        return self.width, self.batch, self.depth

    @property
    def label(self) -> str:
        """Return the shape in words."""
        return f"{self.width}, {self.batch}, {self.depth} {self.dtype}"

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

AT_MOST_TIMES_GEMMS = dict(zip(SIZES, (2.2, 1.8, 1.6, 1.4, 1.25), strict=True))
AT_LEAST_TIMES_JAX = dict(zip(SIZES, (1.6, 1.7, 1.35, 1.3, 1.05), strict=True))
AT_LEAST_TIMES_TORCH = dict(zip(SIZES, (40.0, 18.0, 8.0, 2.0, 1.1), strict=True))
"""PyTorch one run after another, in float32."""
AT_MOST_FULL_OVER_LIGHT = 1.5

VARIANTS = {"batchnorm": "batch normalization", "adam": "adam", "clip": "clip=norm"}
"""What a step is tried with besides, and what the tables call it."""
AT_MOST_TIMES_PLAIN = {30: 1.5, 100: 1.25}
"""width -> what a step with one of them may take of the plain step."""

PEER_STACKS = {30: (8, 64), 64: (4, 32), 100: (1, 8), 256: (1, 4)}
"""Stack sizes that are tried with the peers that stack; the best counts, and a quick measurement tries the largest alone."""


def chosen(quick: bool) -> list[Shape]:
    """Return the shapes to measure: all, or those of width 30 and 64 in float32."""
    return [Shape(*size, dtype) for dtype in DTYPES for size in SIZES if not quick or (dtype == "float32" and size[0] < 100)]
