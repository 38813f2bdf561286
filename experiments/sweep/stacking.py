"""How many runs are stepped together: what a tile is for.

The engine trains one run after another with all of its arrays in the cache, so that a stack is no faster than its runs. A tile spares what
is done once for many: calls from Python, histograms and tables of whole stacks, a part file on disk. What bounds it is the memory of a
look, in which everything of a step stands for all of its runs at once.
"""

from itertools import pairwise

import numpy as np

LARGEST_TILE = 64
"""Above this, what is done once for a tile hardly counts any more, and a tile that is lost costs more."""

ROOM = 2**28
"""Bytes that a tile may take, so that workers fit beside each other."""


def tile_size(sizes: tuple[int, ...], batch: int, dtype: str) -> int:
    """Return how many runs to stack, 1 … 64.

    A look keeps z, h, ẑ, a and δ of every layer, (n_l, m) each, and the gradient; beside it stand the parameters, what an optimizer keeps
    of them, twice, and a copy of each from before the piece that is being trained.

    Args:
        sizes: (n_0, …, n_L).
        batch: examples in a batch, m.
        dtype: float64 or float32.
    """
    parameters = sum((below + 1) * n for below, n in pairwise(sizes))
    entries = (2 * sizes[0] + 5 * sum(sizes[1:])) * batch + 7 * parameters
    return int(np.clip(ROOM // (entries * np.dtype(dtype).itemsize), 1, LARGEST_TILE))
