"""The norms of one step, of every layer and run: squares gathered as the step goes, finished together."""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.norms import floor, scaled_norms

DELTA, WEIGHT_GRADIENT, BIAS_GRADIENT, WEIGHT, UPDATE, GAMMA_GRADIENT, BETA_GRADIENT = range(7)
"""What has a norm; of layer 0, δ and its sum over the batch, which stands under BIAS_GRADIENT."""

_SAFE = (1e-270, 1e300)
"""Sums of squares between these have lost nothing to underflow or overflow."""


class Norms:
    """Gather squared norms without a temporary, and mend those that leave the safe range of the dtype.

    Args:
        runs: R.
        layers: L.
        dtype: of the measured arrays.
        normalized: whether there are γ and β.
    """

    def __init__(self, runs: int, layers: int, dtype: str, normalized: bool) -> None:
        self._normalized = normalized
        self._dtype = np.dtype(dtype)
        self._squares = np.ones((layers + 1, 7, runs), dtype=dtype)
        self._floors = np.zeros(layers + 1)
        self._mended: dict[tuple[int, int], tuple[Array, FloatArray]] = {}

    def start(self) -> None:
        """Forget the last step."""
        self._mended.clear()

    def measure(self, layer: int, arrays: dict[int, Array]) -> None:
        """Measure arrays of a layer.

        Args:
            layer: 0…L.
            arrays: quantity -> (R, k), rows contiguous.
        """
        block = self._squares[layer]
        for quantity, x in arrays.items():
            np.vecdot(x, x, out=block[quantity])
        if not self._floors[layer]:
            self._floors[layer] = max(floor(x.shape[1], self._dtype) for x in arrays.values())
        # One look at all of them; a run outside the safe range is found and mended by itself.
        if not (np.minimum.reduce(block, axis=None) > self._floors[layer] and np.maximum.reduce(block, axis=None) < np.inf):
            for quantity, x in arrays.items():
                self._mend(layer, quantity, x)

    def _mend(self, layer: int, quantity: int, x: Array) -> None:
        squares = self._squares[layer, quantity]
        unsafe = np.flatnonzero(~((squares > floor(x.shape[1], self._dtype)) & np.isfinite(squares)))
        if unsafe.size:
            self._mended[layer, quantity] = unsafe, scaled_norms(x[unsafe])
            squares[unsafe] = 1

    def finish(self, m: int) -> FloatArray:
        """Return the norms of what was measured, (7, R, L+1), those of gradients, which are sums over m examples, divided by m."""
        norms: FloatArray = np.sqrt(self._squares.transpose(1, 2, 0), dtype=np.float64, order="C")
        for (layer, quantity), (runs, values) in self._mended.items():
            norms[quantity, runs, layer] = values
        norms[WEIGHT_GRADIENT : BIAS_GRADIENT + 1] /= m
        if self._normalized:
            norms[GAMMA_GRADIENT:] /= m
            norms[GAMMA_GRADIENT:, :, -1] = 0  # the output layer has neither γ nor β
        return norms


def total(parts: list[FloatArray]) -> FloatArray:
    """Return √(Σ n²) per run over several (kinds, R, k): NaN where one is NaN, inf where one is infinite."""
    squares = [np.vecdot(part, part) for part in parts]  # along the last axis, so that the order of a sum depends on k alone
    sums = _added(squares)
    result: FloatArray = np.sqrt(sums)
    if np.minimum.reduce(sums) > _SAFE[0] and np.maximum.reduce(sums) < _SAFE[1]:
        return result
    unsafe = np.flatnonzero(~((sums > _SAFE[0]) & (sums < _SAFE[1])))
    rows = np.concatenate([part[:, unsafe].transpose(1, 0, 2).reshape(unsafe.size, -1) for part in parts], axis=1)
    result[unsafe] = scaled_norms(rows)
    return result


def _added(squares: list[FloatArray]) -> FloatArray:
    """Return the sum over kinds, one after the other: the order of a reduction would depend on R."""
    kinds = [kind for square in squares for kind in square]
    result: FloatArray = kinds[0].copy()
    for kind in kinds[1:]:
        result += kind
    return result
