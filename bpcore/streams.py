"""Random streams: a run draws from its own seed by purpose, never from its place in a sweep."""

import numpy as np

_PURPOSES = {"weights": 0, "biases": 1, "batches": 2, "bootstrap": 3, "dropout": 4}


def stream(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """Return the generator of one purpose of one run.

    The purpose and the index go into the spawn key, which unlike the entropy is not padded with zeros: no two
    streams coincide.

    Args:
        seed: the run's seed, ≥ 0.
        purpose: weights, biases, batches or bootstrap.
        index: layer (weights, biases) or epoch (batches), ≥ 0.

    Returns:
        A generator of its own; the global one is never touched.
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, purpose, index)))


def key(seed: int, purpose: str) -> int:
    """Return 64 bits that stand for one purpose of one run, where a generator of another kind draws (dropout).

    Args:
        seed: the run's seed, ≥ 0.
        purpose: as for `stream`.
    """
    return int(_sequence(seed, purpose, 0).generate_state(1, np.uint64)[0])


def _sequence(seed: int, purpose: str, index: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(_PURPOSES[purpose], index))
