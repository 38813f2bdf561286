"""Dropout in compiled loops: the masks of `bpcore.dropout`, drawn where they are needed and kept nowhere."""

import numpy as np

from bpcore.engine.kernels.language import ENTRIES, inner
from bpcore.engine.kernels.places import size_of, units_below
from bpcore.engine.kernels.pointers import load, vector

_GAMMA, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _32, _LOW = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32), np.uint64(0xFFFFFFFF)


@inner(ENTRIES)
def _number(state):
    """Return SplitMix64's number of a state."""
    state = (state ^ (state >> _30)) * _FIRST
    state = (state ^ (state >> _27)) * _SECOND
    return state ^ (state >> _31)


@inner(ENTRIES)
def _mask_both(x, other, start, threshold, value):
    """Make x ⊙ M and other ⊙ M in place, flat arrays of one length."""
    zero = x.dtype.type(0)
    half = x.size // 2
    for k in range(half):
        number = _number(start + np.uint64(k + 1) * _GAMMA)
        low, high = value if (number & _LOW) < threshold else zero, value if (number >> _32) < threshold else zero
        x[k] *= low
        x[half + k] *= high
        other[k] *= low
        other[half + k] *= high
    if 2 * half < x.size:
        last = value if (_number(start + np.uint64(half + 1) * _GAMMA) & _LOW) < threshold else zero
        x[2 * half] *= last
        other[2 * half] *= last


@inner(ENTRIES)
def _mask(x, start, threshold, value):
    """Make x ⊙ M in place, a flat array."""
    zero = x.dtype.type(0)
    half = x.size // 2
    for k in range(half):
        number = _number(start + np.uint64(k + 1) * _GAMMA)
        x[k] *= value if (number & _LOW) < threshold else zero
        x[half + k] *= value if (number >> _32) < threshold else zero
    if 2 * half < x.size:
        x[2 * half] *= value if (_number(start + np.uint64(half + 1) * _GAMMA) & _LOW) < threshold else zero


@inner(ENTRIES)
def _start(plan, r, l, step):
    """Return the state before the first number of a layer's mask."""
    at = np.uint64(step) * np.uint64(plan.mask_words) + np.uint64(units_below(plan, l) * plan.m)
    return np.uint64(load(plan.mask_keys, r, 0)) + at * _GAMMA


@inner(ENTRIES)
def drop(plan, T, r, l, step, address, at):
    """Multiply what stands for a layer's units by its mask, in place."""
    x = vector(address, at, size_of(plan, l) * plan.m, T)
    _mask(x, _start(plan, r, l, step), np.uint64(plan.mask_threshold), type(T)(plan.mask_value))


@inner(ENTRIES)
def drop_both(plan, T, r, l, step, a, slope):
    """Multiply a^l and φ′(h^l), at their places, by the layer's mask: what comes down meets both mask and slope."""
    size = size_of(plan, l) * plan.m
    x, other = vector(plan.a, a, size, T), vector(plan.slope, slope, size, T)
    _mask_both(x, other, _start(plan, r, l, step), np.uint64(plan.mask_threshold), type(T)(plan.mask_value))
