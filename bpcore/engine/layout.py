"""Where everything stands in memory: a run's parameters in one row, its units' arrays in another.

A row of parameters holds W^l (n_l, n_(l−1)), b^l, γ^l and β^l where layer l is normalized, and α where it has
one, layer after layer. Gradients and what an
optimizer keeps are laid out alike.
"""

from typing import NamedTuple

import numpy as np

from bpcore.arrays import Array
from bpcore.layers import Layers
from bpcore.network import Network


class Layout(NamedTuple):
    """Hold sizes and places, by layer, 0…L; −1 where a layer has no such thing.

    Args:
        sizes: n_l.
        weights: where W^l begins in a row of parameters.
        biases: where b^l begins.
        gammas: where γ^l begins.
        betas: where β^l begins.
        alphas: where α of layer l begins.
        units: the number of units below layer l, l ≥ 1, the input left out: m times that is where z^l begins in a row of units.
        own: the parameters of a layer begin there, and those of layer L end at `own[L + 1]`.
    """

    sizes: Array
    weights: Array
    biases: Array
    gammas: Array
    betas: Array
    alphas: Array
    units: Array
    own: Array

    @property
    def L(self) -> int:
        """Return the number of layers."""
        return len(self.sizes) - 1

    def pack(self, layers: Layers) -> Array:
        """Return parameters as rows, (R, P)."""
        runs = layers.W[1].shape[0]
        rows = np.empty((runs, int(self.own[-1])), dtype=layers.W[1].dtype)
        for key, view in self.views(rows).items():
            view[...] = layers[key]
        return rows

    def views(self, rows: Array) -> Layers:
        """Return rows of parameters as arrays by kind and layer, views: W (R, n_l, n_(l−1)), b, γ and β (R, n_l, 1), α (R, 1, 1)."""
        found = Layers()
        for l in range(1, self.L + 1):
            n, fan_in = int(self.sizes[l]), int(self.sizes[l - 1])
            for kind, starts, units, columns in (
                ("W", self.weights, n, fan_in),
                ("b", self.biases, n, 1),
                ("gamma", self.gammas, n, 1),
                ("beta", self.betas, n, 1),
                ("alpha", self.alphas, 1, 1),
            ):
                at = int(starts[l])
                if at >= 0:
                    found[kind, l] = rows[:, at : at + units * columns].reshape(-1, units, columns)
        return found

    def parts(self) -> Array:
        """Return where each array of parameters begins in a row of them, its rows, one a unit, and its columns; the others have one row."""
        found = []
        for l in range(1, self.L + 1):
            n = int(self.sizes[l])
            found.append((int(self.weights[l]), n, int(self.sizes[l - 1])))
            found += [(int(starts[l]), 1, n) for starts in (self.biases, self.gammas, self.betas) if starts[l] >= 0]
            found += [(int(self.alphas[l]), 1, 1)] if self.alphas[l] >= 0 else []
        return np.array(found, dtype=np.int64)

    def of_units(self, rows: Array, m: int) -> dict[int, Array]:
        """Return rows of units as arrays by layer, 1…L, views: (R, n_l, m)."""
        return {
            l: rows[:, m * int(self.units[l]) : m * int(self.units[l] + self.sizes[l])].reshape(-1, int(self.sizes[l]), m)
            for l in range(1, self.L + 1)
        }


def layout_of(network: Network) -> Layout:
    """Lay out a network."""
    starts: dict[str, list[int]] = {kind: [-1] for kind in ("weights", "biases", "gammas", "betas", "alphas")}
    at, own = 0, [0]
    for l in range(1, network.L + 1):
        own.append(at)
        n = network.sizes[l]
        wanted = [("weights", n * network.sizes[l - 1]), ("biases", n)]
        wanted += [("gammas", n), ("betas", n)] if network.normalized(l) else []
        wanted += [("alphas", 1)] if network.learns_alpha(l) else []
        for kind, size in wanted:
            starts[kind].append(at)
            at += size
        for kind in starts.keys() - {kind for kind, _ in wanted}:
            starts[kind].append(-1)
    units = np.cumsum([0, 0, *network.sizes[1:]])[: network.L + 1]
    found: dict[str, list[int]] = {"sizes": list(network.sizes), "units": units.tolist(), "own": [*own, at], **starts}
    return Layout(**{name: np.array(values, dtype=np.int64) for name, values in found.items()})
