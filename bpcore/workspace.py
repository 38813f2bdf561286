"""The memory of a stack of runs, laid out once: parameters, activations, errors and gradients.

Weights and bias of a layer stand in one array, P^l of shape (R, n_(l−1)+1, n_l): (W^l)ᵀ over one row b^l. Activations carry
a row of ones, ã^l of shape (R, n_l+1, m). Then z^l = (P^l)ᵀ ã^(l−1), and ã^(l−1) (δ^l)ᵀ holds the gradients of W^l and b^l.
"""

from collections.abc import Iterator

import numpy as np

from bpcore.arrays import Array
from bpcore.layers import Layers
from bpcore.mlp import Network


class Parameters:
    """Hold the parameters of a stack, packed.

    Args:
        layers: as `initialize` draws them.
    """

    def __init__(self, layers: Layers) -> None:
        self.P = {l: np.ascontiguousarray(np.concatenate([W.mT, layers.b[l].mT], axis=-2)) for l, W in layers.W.items()}
        self.gamma = {l: array.copy() for l, array in layers.gamma.items()}
        self.beta = {l: array.copy() for l, array in layers.beta.items()}

    def layers(self, runs: slice = slice(None)) -> Layers:
        """Return views of the parameters by kind and layer."""
        return unpack({l: P[runs] for l, P in self.P.items()}, self.gamma, self.beta, runs)

    def items(self) -> Iterator[tuple[tuple[str, int], Array]]:
        """Yield ((P, gamma or beta, layer), array), runs first."""
        for kind in ("P", "gamma", "beta"):
            for l, array in getattr(self, kind).items():
                yield (kind, l), array

    def matrix(self, l: int) -> Array:
        """Return (W^l)ᵀ, (R, n_(l−1), n_l), a view."""
        view: Array = self.P[l][:, :-1]
        return view


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
        self._alternating = [self._empty(runs * widest * m) for _ in range(2)]
        self._scratch = self._empty(runs * widest * m)
        self._shared_gradient = self._empty(runs * max((n + 1) * k for n, k in zip(self._sizes, self._sizes[1:], strict=False)))
        self._deltas: dict[int, Array] = {}
        self._gradients: dict[int, Array] = {}

    def _empty(self, entries: int) -> Array:
        return np.empty(entries, dtype=self._dtype)

    def _new(self, n: int) -> Array:
        return np.empty((self._runs, n, self._m), dtype=self._dtype)

    def _with_ones(self, n: int) -> Array:
        array = np.empty((self._runs, n + 1, self._m), dtype=self._dtype)
        array[:, -1] = 1
        return array

    def scratch(self, l: int) -> Array:
        """Return an array of the shape of a^l, for whoever asks next."""
        n = self._sizes[l]
        return self._scratch[: self._runs * n * self._m].reshape(self._runs, n, self._m)

    def delta(self, l: int, keep: bool) -> Array:
        """Return the array for δ^l; unless kept, δ^(l±1) stands in the other buffer, and δ^(l±2) is overwritten."""
        n = self._sizes[l]
        if not keep:
            return self._alternating[l % 2][: self._runs * n * self._m].reshape(self._runs, n, self._m)
        if l not in self._deltas:
            self._deltas[l] = self._new(n)
        return self._deltas[l]

    def gradient(self, l: int, keep: bool) -> Array:
        """Return the array for the gradient of P^l; unless kept, one for all layers."""
        shape = (self._runs, self._sizes[l - 1] + 1, self._sizes[l])
        if not keep:
            return self._shared_gradient[: shape[0] * shape[1] * shape[2]].reshape(shape)
        if l not in self._gradients:
            self._gradients[l] = np.empty(shape, dtype=self._dtype)
        return self._gradients[l]
