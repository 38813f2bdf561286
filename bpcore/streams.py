"""Random streams: a run draws from its own seed by purpose, never from its place in a sweep."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from bpcore.arrays import Array

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


def streams(seeds: Sequence[int], purpose: str, indices: Sequence[int]) -> Iterator[list[np.random.Generator]]:
    """Yield the generators of many runs, index by index: those of `stream`, in a seventh of the time.

    Args:
        seeds: of the runs, 0 ≤ seed < 2^128.
        purpose: as for `stream`.
        indices: of the streams, 0 ≤ index < 2^32.
    """
    if len(seeds) * len(indices) < _FEW:
        yield from ([stream(seed, purpose, index) for seed in seeds] for index in indices)
        return
    for words in _words(seeds, _PURPOSES[purpose], indices):
        yield [np.random.Generator(np.random.PCG64(_Words(own))) for own in words]  # type: ignore[arg-type]  # stubs name SeedSequence alone


def of_runs(seeds: Sequence[int], purpose: str, index: int) -> list[np.random.Generator]:
    """Return the generators of runs for one index, as `streams` yields them."""
    if len(seeds) < _FEW:
        return [stream(seed, purpose, index) for seed in seeds]
    return next(streams(seeds, purpose, [index]))


class _Words(ISeedSequence):
    """Hand a generator what it is seeded with, (4,) uint64."""

    def __init__(self, words: Array) -> None:
        self._own = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Array:
        return self._own


_FEW = 16
"""Below so many generators, numpy itself seeds them sooner, one by one."""

_POOL = 4
_A, _TIMES_A, _B, _TIMES_B = 0x43B0D7E5, 0x931E8875, 0x8B51F9DD, 0x58F38DED
_LEFT, _RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_HALF = np.uint32(16)


def _words(seeds: Sequence[int], purpose: int, indices: Sequence[int]) -> Array:
    """Return what numpy's SeedSequence(seed, spawn_key=(purpose, index)) seeds PCG64 with, (I, R, 4) uint64.

    Source: O'Neill 2015, Developing a seed_seq alternative; numpy/random/bit_generator.pyx.
    """
    entropy = [np.array([[seed >> 32 * word & 0xFFFFFFFF for seed in seeds]], dtype=np.uint32) for word in range(_POOL)]
    entropy += [np.array([[purpose]], dtype=np.uint32), np.array(indices, dtype=np.uint32)[:, None]]
    hashed = _hashes(_A, _TIMES_A)
    pool = [next(hashed)(word) for word in entropy[:_POOL]]
    for source in range(_POOL):
        for target in range(_POOL):
            if source != target:
                pool[target] = _mix(pool[target], next(hashed)(pool[source]))
    for word in entropy[_POOL:]:
        pool = [_mix(own, next(hashed)(word)) for own in pool]
    out = _hashes(_B, _TIMES_B)
    state = np.stack([next(out)(pool[place % _POOL]) for place in range(2 * _POOL)], axis=-1)
    return np.ascontiguousarray(state.astype("<u4")).view("<u8").astype(np.uint64)


def _hashes(constant: int, factor: int) -> Iterator[Callable[[Array], Array]]:
    """Yield the hash functions of uint32, each with the next constants."""
    while True:
        before, constant = np.uint32(constant), constant * factor & 0xFFFFFFFF
        yield functools.partial(_hash, before, np.uint32(constant))


def _hash(before: np.uint32, after: np.uint32, value: Array) -> Array:
    return _folded((value ^ before) * after)


def _mix(x: Array, y: Array) -> Array:
    return _folded(_LEFT * x - _RIGHT * y)


def _folded(value: Array) -> Array:
    folded: Array = value ^ value >> _HALF
    return folded


def key(seed: int, purpose: str) -> int:
    """Return 64 bits that stand for one purpose of one run, where a generator of another kind draws (dropout).

    Args:
        seed: the run's seed, ≥ 0.
        purpose: as for `stream`.
    """
    return int(_sequence(seed, purpose, 0).generate_state(1, np.uint64)[0])


def _sequence(seed: int, purpose: str, index: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(_PURPOSES[purpose], index))
