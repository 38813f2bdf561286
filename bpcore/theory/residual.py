"""δ in residual nets: what is added to a stream z or a, block by block, with and without normalization.

With blocks of one layer and without normalization q^(l+1) = q^l + α²(n_l Var(W^(l+1)) E[φ(√q^l Z)²] + σ_b²) and
‖δ^l‖²/‖δ^(l+1)‖² = 1 + α² n_l Var(W^(l+1)) E[φ′(√q^l Z)²]: W^(l+1) is independent of what the skip carries, so that squares add up. A
normalization in the branch divides the second term by the variance of the sum, which grows from block to block; one after the addition
divides both. With blocks of two matrices the second term is the product of both layers'. After the activation s^l = E a² and m^l = E a:
s^l = s^(l−1) + 2α m^(l−1) E[φ] + α² E[φ²], m^l = m^(l−1) + α E[φ], since all examples and units share the mean of φ.

Known bias: of order 1/n. Batch normalization is taken over many examples; what it divides by is the variance over the batch, to which
E[φ²] − E[φ]² is added, not E[φ²]. A rectifier's mean makes gradients of a^l alike: from some ln n blocks on they grow faster. Where outputs
are large, a softmax error is that of the highest unit and akin to the weights: δ then grows by ½ to 3 % more a block.

Source: Yang & Schoenholz 2017 (without normalization); De & Smith 2020, Xiong et al. 2020 (with it); Brock et al. 2021 (the mean's shift).
"""

import math
from dataclasses import dataclass

import numpy as np

from bpcore.activation import Activation, Phis, by_layer
from bpcore.arrays import FloatArray
from bpcore.skips import Skip
from bpcore.theory.maps import chis, second_moments
from bpcore.theory.quadrature import scaled_means


@dataclass(frozen=True)
class Division:
    """Say by what a normalization divides.

    Args:
        eps: ε.
        centered: whether the mean over the units is taken away.
        after: whether it stands after φ.
        over_batch: whether means are over the batch.
    """

    eps: float
    centered: bool = True
    after: bool = False
    over_batch: bool = False


@dataclass(frozen=True)
class Stack:
    """Describe a residual net at initialization.

    Args:
        skip: what is added to what.
        phi: activation of the hidden layers, of all or of each.
        sizes: (n_0, …, n_L), L ≥ 2.
        weights: Var(W^l) at l − 1.
        biases: σ_b² of layer l at l − 1.
        division: by the normalization, None without one.
        keep: p of dropout, 1 without it.
    """

    skip: Skip
    phi: Phis
    sizes: tuple[int, ...]
    weights: list[float]
    biases: list[float]
    division: Division | None = None
    keep: float = 1.0

    @property
    def depth(self) -> int:
        """Return the number of hidden layers."""
        return len(self.sizes) - 2

    def gain(self, layer: int) -> float:
        """Return n_(l−1) Var(W^l): by what a mean square grows on its way up through W^l, a sum of squares on its way down; over p."""
        return self.sizes[layer - 1] * self.weights[layer - 1] / (self.keep if layer > 1 else 1)

    def square(self, layer: int, sources: dict[int, int]) -> float:
        """Return the factor α² of what a layer adds; 1 where it is added to nothing."""
        return self.skip.start(self.sizes) ** 2 if layer in sources else 1.0


class _Way:
    """Follow an error down: the logarithm of its mean square over the inputs, and the share of each of them in it."""

    def __init__(self, inputs: int) -> None:
        self.level, self.share = 0.0, np.ones(inputs)

    def step(self, factor: FloatArray) -> float:
        """Multiply the square of each input's error, and return ln of the mean."""
        weighted = self.share * factor
        mean = float(weighted.mean())
        self.level += _log(mean)
        self.share = weighted / mean if 0 < mean < math.inf else np.ones(self.share.shape)
        return self.level

    def beside(self, factor: FloatArray) -> float:
        """Return ln of the mean square of an error that is so many times as large, and stay."""
        return self.level + _log(float((self.share * factor).mean()))


def _log(x: float) -> float:
    return math.log(x) if 0 < x < math.inf else (-math.inf if x == 0 else math.nan)


def residual_factors(stack: Stack, input_squares: FloatArray, input_spread: float) -> tuple[FloatArray, FloatArray]:
    """Return the predicted ratios ‖δ^l‖/‖δ^(l+1)‖ for l = 0…D, and the variance of z^L of each input.

    Args:
        stack: the net.
        input_squares: ‖x‖² of the examples, or of groups of them.
        input_spread: mean over the examples of ‖x − x̄‖², for batch normalization.

    Returns:
        Shape (L,), NaN where there is no theory; and q^L, of the shape of input_squares.
    """
    squares = np.asarray(input_squares, dtype=float)
    walk = _of_a if stack.skip.onto_a else (_of_blocks if stack.skip.span > 1 else _of_z)
    with np.errstate(all="ignore"):
        levels, output = walk(stack, squares, input_spread)
        # δ^0 = (W^1)ᵀ δ^1, and the differences of logarithms are those of squares
        levels[0] = levels[1] + _log(stack.gain(1))
        factors = np.exp(0.5 * (levels[:-1] - levels[1:]))
    return factors, output


def _start(stack: Stack, squares: FloatArray, spread: float) -> tuple[FloatArray, FloatArray]:
    """Return the mean square of z^1 and its variance over the batch."""
    return stack.weights[0] * squares + stack.biases[0], np.full(squares.shape, stack.weights[0] * spread)


def _variance(phi: Activation, q: FloatArray) -> FloatArray:
    mean = scaled_means(phi.value, q, phi.breaks, phi.steep)
    return second_moments(phi, q) - mean * mean


@dataclass(frozen=True)
class _Branch:
    """Hold what a normalized layer hands on.

    Args:
        q: the mean square of what φ acts on.
        divided: by what an error is divided on its way down.
        second: E[a²], which W multiplies.
        spread: the variance of a over the batch.
    """

    q: FloatArray
    divided: FloatArray
    second: FloatArray
    spread: FloatArray


def _branch(division: Division | None, phi: Activation, q: FloatArray, v: FloatArray) -> _Branch:
    if division is None:
        return _Branch(q, np.ones(q.shape), second_moments(phi, q), q)
    if division.after:
        own = _variance(phi, q) if division.centered else second_moments(phi, q)
        rho = own / (own + division.eps)
        return _Branch(q, own + division.eps, rho, rho)
    own = v if division.over_batch else q
    rho = own / (own + division.eps)
    return _Branch(rho, own + division.eps, second_moments(phi, rho), _variance(phi, rho) if division.over_batch else rho)


def _of_z(stack: Stack, squares: FloatArray, spread: float) -> tuple[FloatArray, FloatArray]:
    """Walk blocks of one layer."""
    phis, D, sources, post = by_layer(stack.phi, stack.depth), stack.depth, stack.skip.sources(stack.sizes), stack.skip.post
    normalized = stack.division is not None
    q, v = _start(stack, squares, spread)
    found = list[_Branch]()
    for l in range(1, D + 1):
        own = _branch(stack.division, phis[l - 1], q, v)
        found.append(own)
        square, joined = stack.square(l + 1, sources), l + 1 in sources
        added = stack.gain(l + 1) * own.second + stack.biases[l]
        wider = stack.gain(l + 1) * own.spread
        base, width = (own.q, own.q) if post and normalized else (q, v)
        q, v = (base if joined else 0) + square * added, (width if joined else 0) + square * wider
    way, levels = _Way(len(squares)), np.zeros(D + 2)
    for l in range(D, 0, -1):
        own, joins = found[l - 1], float(l + 1 in sources)
        through = stack.square(l + 1, sources) * stack.gain(l + 1) * chis(phis[l - 1], own.q)
        levels[l] = way.step((joins + through) / own.divided if post else joins + through / own.divided)
    return levels, q


def _of_blocks(stack: Stack, squares: FloatArray, spread: float) -> tuple[FloatArray, FloatArray]:
    """Walk blocks of two matrices."""
    phis, D, sources, post = by_layer(stack.phi, stack.depth), stack.depth, stack.skip.sources(stack.sizes), stack.skip.post
    division = stack.division
    q, v = _start(stack, squares, spread)
    divided, inside = dict[int, FloatArray](), dict[int, FloatArray]()

    def normal(l: int) -> FloatArray:
        """Return the mean square of what stands at a sum, as W reads it."""
        own = v if division is not None and division.over_batch else q
        divided[l] = np.ones(q.shape) if division is None else own + division.eps
        return q if division is None else own / divided[l]

    for l in range(1, D - 1, 2):
        square, joined = stack.square(l + 2, sources), l + 2 in sources
        read = normal(l)
        inside[l + 1] = stack.gain(l + 1) * read + stack.biases[l]
        second, phi = second_moments(phis[l], inside[l + 1]), phis[l]
        spread_of = _variance(phi, inside[l + 1]) if division is not None and division.over_batch else second
        base, width = (read, read) if post and division is not None else (q, v)
        q = (base if joined else 0) + square * (stack.gain(l + 2) * second + stack.biases[l + 1])
        v = (width if joined else 0) + square * stack.gain(l + 2) * spread_of
    read = normal(D)
    output = stack.gain(D + 1) * read + stack.biases[D]
    way, levels = _Way(len(squares)), np.zeros(D + 2)
    levels[D] = way.step(stack.gain(D + 1) / divided[D])
    for l in range(D - 2, 0, -2):
        within = stack.square(l + 2, sources) * stack.gain(l + 2) * chis(phis[l], inside[l + 1])
        levels[l + 1] = way.beside(within)
        through, joins = within * stack.gain(l + 1), float(l + 2 in sources)
        levels[l] = way.step((joins + through) / divided[l] if post else joins + through / divided[l])
    return levels, output


def _of_a(stack: Stack, squares: FloatArray, spread: float) -> tuple[FloatArray, FloatArray]:
    """Walk blocks that end in the activation."""
    phis, D, sources = by_layer(stack.phi, stack.depth), stack.depth, stack.skip.sources(stack.sizes)
    division, post = stack.division, stack.skip.post and stack.division is not None
    if division is not None and division.over_batch:
        empty = np.full(D + 2, math.nan)
        return empty, np.full(squares.shape, math.nan)
    s, m = squares, np.zeros(squares.shape)
    down, of_sum = dict[int, FloatArray](), dict[int, FloatArray]()
    for l in range(1, D + 1):
        phi, joins, alpha = phis[l - 1], l in sources, stack.square(l, sources) ** 0.5
        q = stack.weights[l - 1] * stack.sizes[l - 1] * s + stack.biases[l - 1] if l > 1 else _start(stack, squares, spread)[0]
        own = _branch(None if post else division, phi, q, q)
        mean = scaled_means(phi.value, own.q, phi.breaks, phi.steep)
        if division is not None and division.after and not post:
            mean = np.zeros(q.shape) if division.centered else mean / np.sqrt(own.divided)
        below, shift = (s, m) if joins else (np.zeros(q.shape), np.zeros(q.shape))
        s, m = below + 2 * alpha * shift * mean + alpha**2 * own.second, shift + alpha * mean
        of_sum[l] = np.ones(q.shape)
        if post and division is not None:
            width = s - m * m if division.centered else s
            of_sum[l] = width + division.eps
            s, m = width / of_sum[l], np.zeros(q.shape) if division.centered else m / np.sqrt(of_sum[l])
        down[l] = alpha**2 * chis(phi, own.q) / own.divided / of_sum[l]
    output = stack.gain(D + 1) * s + stack.biases[D]
    way, levels = _Way(len(squares)), np.zeros(D + 2)
    way.step(np.full(squares.shape, stack.gain(D + 1)))
    for l in range(D, 0, -1):
        levels[l] = way.beside(down[l])
        if l > 1:
            way.step(float(l in sources) / of_sum[l] + stack.gain(l) * down[l])
    return levels, output
