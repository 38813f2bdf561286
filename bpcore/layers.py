"""One array per layer and kind: the container of parameters, gradients and increments alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bpcore.arrays import Array

Key = tuple[str, int]

KINDS = ("W", "b", "gamma", "beta", "alpha")
"""Kinds of parameters."""


@dataclass
class Layers:
    """Hold arrays by kind and layer, with the run axis first.

    Args:
        W: weights, W[l] of shape (R, n_l, n_(l−1)), l = 1…L.
        b: biases, b[l] of shape (R, n_l, 1).
        gamma: γ of the normalized layers, (R, n_l, 1).
        beta: β of the normalized layers, (R, n_l, 1).
        alpha: α of the layers that end a block with one of its own, (R, 1, 1).
    """

    W: dict[int, Array] = field(default_factory=dict)
    b: dict[int, Array] = field(default_factory=dict)
    gamma: dict[int, Array] = field(default_factory=dict)
    beta: dict[int, Array] = field(default_factory=dict)
    alpha: dict[int, Array] = field(default_factory=dict)

    def items(self) -> Iterator[tuple[Key, Array]]:
        """Yield ((kind, layer), array) in a fixed order."""
        for kind in KINDS:
            for layer, array in getattr(self, kind).items():
                yield (kind, layer), array

    def own(self, layer: int) -> dict[str, Array]:
        """Return γ and β of a layer by kind, as normalizations take them; empty where it is not normalized."""
        return {kind: arrays[layer] for kind, arrays in (("gamma", self.gamma), ("beta", self.beta)) if layer in arrays}

    def map(self, function: Callable[[Key, Array], Array]) -> "Layers":
        """Return new arrays function((kind, layer), array) under the same keys."""
        result = Layers()
        for key, array in self.items():
            result[key] = function(key, array)
        return result

    def __getitem__(self, key: Key) -> Array:
        """Return the array under (kind, layer)."""
        array: Array = getattr(self, key[0])[key[1]]
        return array

    def __setitem__(self, key: Key, array: Array) -> None:
        """Put an array under (kind, layer)."""
        getattr(self, key[0])[key[1]] = array
