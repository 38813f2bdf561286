"""Random streams: a run draws from its own seed by purpose, never from its place in a sweep."""

import numpy as np

_PURPOSES = {"weights": 0, "biases": 1, "batches": 2, "bootstrap": 3}


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
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(_PURPOSES[purpose], index))))
