"""The memory of a stack of runs, laid out once: parameters, activations, errors and gradients.

Weights and bias of a layer stand in one array, P^l of shape (R, n_(l−1)+1, n_l): (W^l)ᵀ over one row b^l. Activations carry
a row of ones, ã^l of shape (R, n_l+1, m). Then z^l = (P^l)ᵀ ã^(l−1), and ã^(l−1) (δ^l)ᵀ holds the gradients of W^l and b^l.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array
from bpcore.layers import Layers
from bpcore.mlp import Network


class Parameters:
    """Hold the parameters of a stack, packed, and the views in which they are used.

    Args:
        layers: as `initialize` draws them.
    """

    def __init__(self, layers: Layers) -> None:
        self.P = {l: np.ascontiguousarray(np.concatenate([W.mT, layers.b[l].mT], axis=-2)) for l, W in layers.W.items()}
        self.gamma = {l: array.copy() for l, array in layers.gamma.items()}
        self.beta = {l: array.copy() for l, array in layers.beta.items()}
        self.transposed = {l: P.mT for l, P in self.P.items()}
        self.matrix = {l: P[:, :-1] for l, P in self.P.items()}
        self.flat = {l: flat(P) for l, P in self.P.items()}
        self.weights = {l: blocks(P)[0] for l, P in self.P.items()}

    def layers(self, runs: slice = slice(None)) -> Layers:
        """Return views of the parameters by kind and layer."""
        return unpack({l: P[runs] for l, P in self.P.items()}, self.gamma, self.beta, runs)

    def own(self, layer: int) -> dict[str, Array]:
        """Return γ and β of a normalized layer by kind."""
        return {"gamma": self.gamma[layer], "beta": self.beta[layer]}

    def items(self) -> Iterator[tuple[tuple[str, int], Array]]:
        """Yield ((P, gamma or beta, layer), array), runs first."""
        for kind in ("P", "gamma", "beta"):
            for l, array in getattr(self, kind).items():
                yield (kind, l), array


def unpack(P: dict[int, Array], gamma: dict[int, Array], beta: dict[int, Array], runs: slice = slice(None)) -> Layers:
    """Return views of packed arrays by kind and layer: W (R, n_l, n_(l−1)), b, γ and β (R, n_l, 1)."""
    return Layers(
        {l: array[:, :-1].mT for l, array in P.items()},
        {l: array[:, -1:].mT for l, array in P.items()},
        {l: array[runs] for l, array in gamma.items()},
        {l: array[runs] for l, array in beta.items()},
    )


def flat(array: Array) -> Array:
    """Return an array as (R, entries of a run), a view."""
    return array.reshape(array.shape[0], -1)


def blocks(packed: Array) -> tuple[Array, Array]:
    """Return weights and bias of a packed array as (R, k) each, views."""
    whole, border = flat(packed), (packed.shape[1] - 1) * packed.shape[2]
    return whole[:, :border], whole[:, border:]


@dataclass(frozen=True)
class Gradient:
    """Hold one array for the gradient of P^l, summed over the batch, and its views.

    Args:
        packed: (R, n_(l−1)+1, n_l).
        flat: the same as (R, k).
        weights: its part for W^l, (R, n_(l−1)·n_l).
        bias: its part for b^l, (R, n_l).
    """

    packed: Array
    flat: Array
    weights: Array
    bias: Array


class Workspace:
    """Hold the buffers of one step.

    Where δ and gradients of all layers are wanted at once they have an array each, made when first asked for; otherwise
    δ alternates between two buffers and the gradients share one, which stay in the cache.

    Args:
        network: the architecture.
        runs: R.
        m: examples in a batch.
        dtype: float64 or float32.
    """

    def __init__(self, network: Network, runs: int, m: int, dtype: str) -> None:
        self._runs, self._m, self._dtype, self._sizes = runs, m, np.dtype(dtype), network.sizes
        L, widest = network.L, max(network.sizes)
        self.z = {l: self._new(network.sizes[l]) for l in range(1, L + 1)}
        self.ones_below = {l: self._with_ones(network.sizes[l]) for l in range(1, L + 1)}
        self.a = {l: array[:, :-1] for l, array in self.ones_below.items()}
        normalized = [l for l in range(1, L + 1) if network.normalized(l)]
        self.h = {l: self._new(network.sizes[l]) if l in normalized else self.z[l] for l in range(1, L + 1)}
        self.z_hat = {l: self._new(network.sizes[l]) for l in normalized}
        self.ones = np.ones((m, 1), dtype=dtype)
        weights = max((n + 1) * k for n, k in zip(network.sizes, network.sizes[1:], strict=False))
        self._delta_buffers = [np.empty(runs * widest * m, dtype=dtype) for _ in range(2)]
        self._scratch_buffer = np.empty(runs * widest * m, dtype=dtype)
        self._gradient_buffer = np.empty(runs * weights, dtype=dtype)
        self.scratch = {l: self._view(self._scratch_buffer, network.sizes[l]) for l in range(L + 1)}
        """Arrays of the shape of a^l, all in the same place."""
        self._deltas: dict[tuple[int, bool], Array] = {}
        self._flat_deltas: dict[tuple[int, bool], Array] = {}
        self._gradients: dict[tuple[int, bool], Gradient] = {}

    def _new(self, n: int) -> Array:
        return np.empty((self._runs, n, self._m), dtype=self._dtype)

    def _view(self, buffer: Array, n: int) -> Array:
        return buffer[: self._runs * n * self._m].reshape(self._runs, n, self._m)

    def _with_ones(self, n: int) -> Array:
        array = np.empty((self._runs, n + 1, self._m), dtype=self._dtype)
        array[:, -1] = 1
        return array

    def delta(self, l: int, keep: bool) -> Array:
        """Return the array for δ^l; unless kept, δ^(l±1) stands in the other buffer, and δ^(l±2) is overwritten."""
        if (l, keep) not in self._deltas:
            n = self._sizes[l]
            self._deltas[l, keep] = self._new(n) if keep else self._view(self._delta_buffers[l % 2], n)
        return self._deltas[l, keep]

    def flat_delta(self, l: int, keep: bool) -> Array:
        """Return the array for δ^l as (R, n_l·m)."""
        if (l, keep) not in self._flat_deltas:
            self._flat_deltas[l, keep] = flat(self.delta(l, keep))
        return self._flat_deltas[l, keep]

    def gradient(self, l: int, keep: bool) -> Gradient:
        """Return the array for the gradient of P^l; unless kept, one for all layers."""
        if (l, keep) not in self._gradients:
            shape = (self._runs, self._sizes[l - 1] + 1, self._sizes[l])
            size = shape[0] * shape[1] * shape[2]
            packed = np.empty(shape, dtype=self._dtype) if keep else self._gradient_buffer[:size].reshape(shape)
            self._gradients[l, keep] = Gradient(packed, flat(packed), *blocks(packed))
        return self._gradients[l, keep]
