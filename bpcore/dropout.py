"""Dropout of hidden units, and the masks that it draws: of each unit, example and step one.

Inverted: a^l ← a^l ⊙ M^l, M = 1/p with probability p, else 0, p = 1 − rate the share that is kept. It is the last thing that happens in a
hidden layer, after φ and after a normalization behind it. In training alone: an evaluation has no masks, and needs no factor.

A mask depends on the run's seed, the step, the layer, the unit and the example, and on nothing else. Entry k of a run's stream is
SplitMix64's, mix(key + (k+1)·γ), whose every entry is had without those before it: a kernel draws the same as numpy does here, in any
order.

Source: Srivastava et al. 2014; Steele, Lea & Flood 2014 for SplitMix64.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bpcore.arrays import Array
from bpcore.ranges import fraction
from bpcore.streams import key

_GAMMA, _FIRST, _SECOND = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
"""Of SplitMix64; the kernel has its own, since machine code is known by the engine's sources alone."""


@dataclass(frozen=True)
class Dropout:
    """State how much of a hidden layer is dropped.

    Args:
        rate: share of the units that are set to 0, in [0, 1).
    """

    name: ClassVar[str] = "inverted"
    """What conf calls it."""
    rate: float = 0.0

    @property
    def keep(self) -> float:
        """Return p = 1 − rate."""
        return 1 - self.rate

    @property
    def active(self) -> bool:
        """Return whether anything is dropped."""
        return self.rate > 0

    @property
    def threshold(self) -> int:
        """Return p·2³²: a unit is kept where 32 random bits are below it."""
        return round(self.keep * 2**32)


def inverted(rate: float = 0.0) -> Dropout:
    """Return dropout of hidden units whose activations are divided by the share that is kept.

    Args:
        rate: share of the units that are dropped, in [0, 1).

    Raises:
        ValueError: an argument is out of range, or so near 1 that no unit would ever be kept.

    Source: Srivastava et al. 2014, §10, where it is called another way to achieve the same effect.
    """
    made = Dropout(fraction("rate", rate))
    if not made.threshold:
        raise ValueError(f"`rate` must leave at least 2^-32 of the units, got {rate}")
    return made


class Masks:
    """Draw the masks of a stack.

    Of a layer of n units and m examples entry (i, j) is number k = im + j: with h = ⌊nm/2⌋, the first h entries have the low halves of
    h numbers of 64 bits and the next h their high halves; one that is left over has the low half of a number of its own.

    Args:
        dropout: of the hidden layers.
        sizes: (n_0, …, n_L).
        seeds: one a run.
        m: examples in a batch.
        dtype: of the runs.
    """

    def __init__(self, dropout: Dropout, sizes: tuple[int, ...], seeds: list[int], m: int, dtype: str) -> None:
        self._dropout, self._hidden, self._m = dropout, sizes[1:-1], m
        self.keys = np.array([key(seed, "dropout") if dropout.active else 0 for seed in seeds], dtype=np.uint64)
        """Where the stream of each run begins."""
        self.words = m * sum(self._hidden)
        """Numbers that are set apart for a step."""
        self._values = np.array([0.0, 1 / dropout.keep]).astype(dtype)

    def __call__(self, steps: Array) -> Mapping[int, Array]:
        """Return the masks of a step of each run, (R,) int: layer -> (R, n_l, m), nothing where nothing is dropped.

        A layer's are drawn when they are first asked for: the compiled engine draws its own, and few look at these.
        """
        return _Drawn(self, np.array(steps)) if self._dropout.active else {}

    @property
    def layers(self) -> range:
        """Return the layers whose units are dropped."""
        return range(1, len(self._hidden) + 1)

    def of_layer(self, l: int, steps: Array) -> Array:
        """Return the masks of a layer at a step of each run, (R, n_l, m)."""
        n, below = self._hidden[l - 1], self._m * sum(self._hidden[: l - 1])
        start = self.keys + (steps.astype(np.uint64) * np.uint64(self.words) + np.uint64(below)) * _GAMMA
        entries = n * self._m
        half = entries // 2
        numbers = _mixed(start[:, None] + np.arange(1, entries - half + 1, dtype=np.uint64) * _GAMMA)
        low, high = numbers & np.uint64(0xFFFFFFFF), numbers[:, :half] >> np.uint64(32)
        bits = np.concatenate([low[:, :half], high, low[:, half:]], axis=1)
        kept = bits < np.uint64(self._dropout.threshold)
        return self._values[kept.astype(np.intp)].reshape(len(start), n, self._m)


class _Drawn(Mapping[int, Array]):
    """Hold the masks of one step of each run by layer."""

    def __init__(self, masks: Masks, steps: Array) -> None:
        self._masks, self._steps = masks, steps
        self._known: dict[int, Array] = {}

    def __getitem__(self, l: int) -> Array:
        if l not in self._masks.layers:
            raise KeyError(l)
        if l not in self._known:
            self._known[l] = self._masks.of_layer(l, self._steps)
        return self._known[l]

    def __contains__(self, l: object) -> bool:
        return l in self._masks.layers

    def __iter__(self) -> Iterator[int]:
        return iter(self._masks.layers)

    def __len__(self) -> int:
        return len(self._masks.layers)


def _mixed(state: Array) -> Array:
    """Return SplitMix64's numbers of states."""
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    mixed: Array = state ^ (state >> np.uint64(31))
    return mixed
