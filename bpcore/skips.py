"""What a hidden layer is added to: nothing, or what stands a block below it (a residual net).

With blocks of one layer, z^l = z^(l−1) + α(W^l a^(l−1) + b^l), a^l = φ(h^l): the sum is what φ acts on (pre-activation). With blocks of
two, z^l = z^(l−2) + α(W^l φ(W^(l−1) h^(l−2) + b^(l−1)) + b^l): the layers that end a block, and layer 1, have no φ of their own, and those
inside one no normalization. After the activation, a^l = a^(l−1) + α φ(h^l).

A normalization stands in the branch, so that the sum is left as it is, or after the addition, so that the next sum begins with what is
normalized. Layer 1 leads from the input into the first sum, layer L out of the last one; neither is added to anything.
"""

import math
from dataclasses import dataclass

import numpy as np

from bpcore.layers import Layers

PLACES = ("pre", "post")
"""Where a normalization stands: in the branch, or after the addition."""

INITS = ("plain", "zero_last", "rezero", "skipinit", "fixup")
"""How a branch begins: as it is drawn; with a last matrix of 0; with a learned α = 0; with a learned α; as Fixup has it."""


@dataclass(frozen=True)
class Skip:
    """Say what each hidden layer is added to.

    Args:
        name: what tables and figures call it.
        span: layers of a block; 0: nothing is added.
        onto_a: whether a^l is added to a^(l−1), and not z^l to z^(l−span).
        scale: α; 1/√(number of blocks) where `by_depth` is true, whatever it says.
        post: whether a normalization stands after the addition.
        init: one of INITS.
        by_depth: whether α is 1/√(number of blocks).
    """

    name: str
    span: int = 0
    onto_a: bool = False
    scale: float = 1.0
    post: bool = False
    init: str = "plain"
    by_depth: bool = False

    @property
    def learned(self) -> bool:
        """Return whether each block learns its own α."""
        return self.init in ("rezero", "skipinit", "fixup")

    def fits(self, hidden: int) -> bool:
        """Return whether the hidden layers after the first are whole blocks."""
        return self.span == 0 or hidden == 0 or (hidden - 1) % self.span == 0

    def source(self, sizes: tuple[int, ...], layer: int) -> int:
        """Return the layer whose sum a layer is added to, 0 for none: where the sizes of both differ there is no skip."""
        below = layer - self.span
        joined = self.span > 0 and below >= 1 and layer < len(sizes) - 1 and (layer - 1) % self.span == 0
        return below if joined and sizes[below] == sizes[layer] else 0

    def sources(self, sizes: tuple[int, ...]) -> dict[int, int]:
        """Return layer -> the layer whose sum it is added to, of those that are."""
        return {l: below for l in range(2, len(sizes) - 1) if (below := self.source(sizes, l))}

    def alpha(self, sizes: tuple[int, ...]) -> float:
        """Return α: as given, or 1/√(number of blocks)."""
        return float(max(len(self.sources(sizes)), 1) ** -0.5) if self.by_depth else self.scale

    def is_linear(self, layer: int) -> bool:
        """Return whether a hidden layer holds a sum of two-layer blocks, which has no φ."""
        return self.span == 2 and layer % 2 == 1

    def is_normalized(self, layer: int) -> bool:
        """Return whether a hidden layer is normalized where normalization is asked for: inside of two-layer blocks it is not."""
        return self.span < 2 or layer % 2 == 1

    def start(self, sizes: tuple[int, ...]) -> float:
        """Return α before any update."""
        return {"rezero": 0.0, "fixup": 1.0}.get(self.init, self.alpha(sizes))

    def scales(self, sizes: tuple[int, ...]) -> dict[int, float]:
        """Return layer -> by what drawn weights and biases are multiplied, of those whose branches begin otherwise.

        0 of the last matrix of a branch; Fixup: B^(−1/(2s−2)) of the others, with B blocks of s layers.
        """
        sources, found = self.sources(sizes), dict[int, float]()
        for l, below in sources.items():
            if self.init in ("zero_last", "fixup"):
                found[l] = 0.0
            if self.init == "fixup":
                found |= dict.fromkeys(range(below + 1, l), len(sources) ** (-1 / (2 * self.span - 2)))
        return found

    def begin(self, sizes: tuple[int, ...], params: Layers) -> None:
        """Give drawn parameters the start of the branches, in place: zeros, factors, and α where it is learned."""
        for l, scale in self.scales(sizes).items():
            params.W[l], params.b[l] = scale * params.W[l], scale * params.b[l]
        for l in self.sources(sizes) if self.learned else ():
            params.alpha[l] = np.full_like(params.b[l][:, :1], self.start(sizes))


def none() -> Skip:
    """Make a plain net: nothing is added to anything."""
    return Skip("none")


def preactivation(scale: float | str | None = None, norm: str = "pre", init: str = "plain") -> Skip:
    """Make blocks of one layer: z^l = z^(l−1) + α(W^l φ(h^(l−1)) + b^l).

    Args:
        scale: α, or `depth` for 1/√(number of blocks); null is 1, and 0 with init=skipinit.
        norm: pre: h = n(z) in the branch. post: after the addition, z^l = h^(l−1) + α(…).
        init: plain; zero_last: W^l = 0; rezero: a learned α = 0; skipinit: a learned α that begins at `scale`.

    Raises:
        ValueError: one of them is out of its range.

    Source: He et al. 2016, "Identity mappings in deep residual networks"; Bachlechner et al. 2020 (ReZero); De & Smith 2020 (SkipInit).
    """
    return _made("preactivation", 1, False, scale, norm, init)


def block(scale: float | str | None = None, norm: str = "pre", init: str = "plain") -> Skip:
    """Make blocks of two matrices: z^l = z^(l−2) + α(W^l φ(W^(l−1) h^(l−2) + b^(l−1)) + b^l), an odd number of hidden layers.

    Args:
        scale: α, or `depth` for 1/√(number of blocks); null is 1, and 0 with init=skipinit.
        norm: pre: h = n(z) in the branch. post: after the addition, z^l = h^(l−2) + α(…).
        init: plain; zero_last: W^l = 0; rezero: a learned α = 0; skipinit: a learned α that begins at `scale`; fixup: W^l = 0,
            W^(l−1) × 1/√(number of blocks), a learned α = 1.

    Raises:
        ValueError: one of them is out of its range.

    Source: He et al. 2016; Zhang, Dauphin & Ma 2019 (Fixup).
    """
    return _made("block", 2, False, scale, norm, init)


def postactivation(scale: float | str | None = None, norm: str = "pre", init: str = "plain") -> Skip:
    """Make blocks that end in the activation: a^l = a^(l−1) + α φ(h^l).

    Args:
        scale: α, or `depth` for 1/√(number of blocks); null is 1, and 0 with init=skipinit.
        norm: pre: in the branch, before or after φ. post: after the addition, a^l = n(a^(l−1) + α φ(z^l)).
        init: plain; rezero: a learned α = 0; skipinit: a learned α that begins at `scale`.

    Raises:
        ValueError: one of them is out of its range.
    """
    if init == "zero_last":
        raise ValueError("`init` must not be zero_last with skip=postactivation, whose branches end in φ; take init=rezero")
    return _made("postactivation", 1, True, scale, norm, init)


def _made(name: str, span: int, onto_a: bool, scale: float | str | None, norm: str, init: str) -> Skip:
    if isinstance(scale, str) and scale != "depth":
        raise ValueError(f"`scale` must be a number ≥ 0, or depth for 1/√(number of blocks), got {scale}")
    if init in ("rezero", "fixup") and scale is not None:
        begins = {"rezero": 0, "fixup": 1}[init]
        raise ValueError(f"`scale` must be null with init={init}, whose α begins at {begins}, got {scale}; init=skipinit begins anywhere")
    if scale is None:
        scale = 0.0 if init == "skipinit" else 1.0
    by_depth = isinstance(scale, str)
    if not isinstance(scale, str) and not (math.isfinite(scale) and scale >= 0):
        raise ValueError(f"`scale` must be a finite number ≥ 0, or depth for 1/√(number of blocks), got {scale}")
    for key, value, choices in (("norm", norm, PLACES), ("init", init, INITS)):
        if value not in choices:
            raise ValueError(f"`{key}` must be one of {', '.join(choices)}, got {value}")
    if init == "fixup" and span < 2:
        raise ValueError("`init=fixup` goes with skip=block alone: it scales the matrices inside of blocks, which no other has")
    return Skip(name, span, onto_a, 1.0 if isinstance(scale, str) else float(scale), norm == "post", init, by_depth)
