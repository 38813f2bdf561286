"""The norms of one step, of every layer and run: squares gathered as the step goes, finished together."""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.norms import floor, scaled_norms

DELTA, WEIGHT_GRADIENT, BIAS_GRADIENT, WEIGHT, UPDATE, GAMMA_GRADIENT, BETA_GRADIENT = range(7)
"""What has a norm; of layer 0, δ and its sum over the batch, which stands under BIAS_GRADIENT."""

GRADIENTS = [WEIGHT_GRADIENT, BIAS_GRADIENT, GAMMA_GRADIENT, BETA_GRADIENT]


class Norms:
    """Gather squared norms without a temporary, and mend those that leave the safe range of the dtype.

    Args:
        runs: R.
        layers: L.
        dtype: of the measured arrays.
    """

    def __init__(self, runs: int, layers: int, dtype: str) -> None:
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
        """Return the norms of what was measured, (L+1, 7, R); those of gradients are of sums over m examples, and divided by m."""
        norms: FloatArray = np.sqrt(self._squares, dtype=np.float64)
        for (layer, quantity), (runs, values) in self._mended.items():
            norms[layer, quantity, runs] = values
        norms[:, GRADIENTS] /= m
        norms[-1, GAMMA_GRADIENT:] = 0  # the output layer has neither γ nor β
        return norms


def total(parts: FloatArray) -> FloatArray:
    """Return √(Σ n²) over the first axes of (..., R), scaled by the largest n: NaN where one is NaN, inf where one is infinite."""
    stacked = np.ascontiguousarray(parts.reshape(-1, parts.shape[-1]).T)  # runs first, or else the order of the sum depends on R
    peak = np.maximum.reduce(stacked, axis=1)
    scale = np.where((peak > 0) & np.isfinite(peak), peak, 1.0)
    stacked /= scale[:, None]
    stacked *= stacked
    result: FloatArray = np.where(np.isfinite(peak), scale * np.sqrt(np.add.reduce(stacked, axis=1)), peak)
    return result
