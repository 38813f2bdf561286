"""Residual nets by their definitions, for the oracles: one stream is carried along, and what is added to it stands beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Residual:
    """State what hidden layers are added to.

    Args:
        kind: preactivation, block or postactivation.
        post: whether the stream goes on from what is normalized.
        alpha: layer -> α of those whose sizes let them be added, where it is not learned.
        sizes: (n_0, …, n_L).
    """

    kind: str
    post: bool
    alpha: float
    sizes: tuple[int, ...]

    def ends(self, l: int) -> bool:
        """Return whether layer l is one of the stream."""
        return 1 <= l < len(self.sizes) - 1 and (self.kind != "block" or l % 2 == 1)

    def below(self, l: int) -> int:
        """Return the layer of the stream below layer l."""
        return l - 2 if self.kind == "block" else l - 1

    def adds(self, l: int) -> bool:
        """Return whether layer l is added to the stream."""
        return l > 1 and self.ends(l) and self.sizes[l] == self.sizes[self.below(l)]

    def factor(self, p: Mapping[tuple[str, int], Array], l: int) -> Any:
        """Return α of layer l."""
        return p.get(("alpha", l), self.alpha)

    @property
    def of_z(self) -> bool:
        """Return whether z is added to z."""
        return self.kind != "postactivation"
