"""Independent answers to hold the core against: a naive forward pass, its complex-step gradients, the conf catalogue.

Nothing here goes through the layered core. The forward pass is a plain loop with its own losses and its own
normalizations; of an activation only `value` is used, so that a new activation is checked without a line added here.
"""

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from tests.normal_oracle import Norm
from tests.skip_oracle import Residual

Array = npt.NDArray[Any]
Key = tuple[str, int]
Gradients = dict[Key, Array]

STEP = 1e-30
CONF = Path(__file__).parents[1] / "conf"


def catalogue(group: str) -> dict[str, Callable[..., Any]]:
    """Return name -> factory for the files of conf/<group>, the arguments in the file already bound; earlier names are left out."""
    factories: dict[str, Callable[..., Any]] = {}
    for file in sorted((CONF / group).glob("*.yaml")):
        content = dict(yaml.safe_load(file.read_text(encoding="utf-8")))
        module, _, function = content.pop("_target_").rpartition(".")
        if content.pop("name", file.stem) == file.stem:
            factories[file.stem] = partial(getattr(importlib.import_module(module), function), **content)
    if not factories:
        raise LookupError(f"conf/{group} holds no yaml files, so there is nothing to test")
    return factories


def row_for(table: Mapping[str, Any], name: str, what: str, where: str) -> Any:
    """Return table[name], or fail by saying what a newcomer to the catalogue still needs."""
    if name not in table:
        raise AssertionError(f"`{name}` is in the catalogue but has no {what}: add one under the key `{name}` in {where}")
    return table[name]


def mse(a: Array, y: Array) -> Array:
    return ((a - y) ** 2).sum(axis=-2) / 2


def cosh(a: Array, y: Array) -> Array:
    return (np.cosh(a - y) - 1).sum(axis=-2)


def sigmoid_cross_entropy(z: Array, y: Array) -> Array:
    return (y * np.log(1 + np.exp(-z)) + (1 - y) * np.log(1 + np.exp(z))).sum(axis=-2)


def softmax_cross_entropy(z: Array, y: Array) -> Array:
    z = z - z.real.max(axis=-2, keepdims=True)
    return np.log(np.exp(z).sum(axis=-2)) * y.sum(axis=-2) - (y * z).sum(axis=-2)


LOSSES = {
    "mse": mse,
    "cosh": cosh,
    "sigmoid_cross_entropy": sigmoid_cross_entropy,
    "softmax_cross_entropy": softmax_cross_entropy,
}


@dataclass(frozen=True)
class Problem:
    """State a stack of R networks with its data, in plain arrays.

    Args:
        sizes: (n_0, …, n_L).
        phis: φ of layers 1…L.
        loss: a key of LOSSES.
        norm: of the hidden layers, or None without it.
        parameters: (kind, layer) -> (R, n_l, …), kinds W, b, gamma, beta.
        weight_decay: λ, (R,).
        x: (n_0, m) or (R, n_0, m).
        y: (n_L, m) or (R, n_L, m).
        skip: what hidden layers are added to, or None.
        masks: layer -> (R, n_l, m), by which what a layer makes is multiplied in the end.
    """

    sizes: tuple[int, ...]
    phis: tuple[Callable[[Array], Array], ...]
    loss: str
    norm: Norm | None
    parameters: dict[Key, Array]
    weight_decay: Array
    x: Array
    y: Array
    skip: Residual | None = None
    masks: Mapping[int, Array] = field(default_factory=dict)

    @property
    def L(self) -> int:
        return len(self.sizes) - 1


@dataclass(frozen=True)
class Pass:
    """Keep a forward pass: z, the input h of φ and a per layer; J per run."""

    z: dict[int, Array]
    h: dict[int, Array]
    a: dict[int, Array]
    J: Array


def forward(problem: Problem, parameters: Mapping[Key, Array] | None = None) -> Pass:
    """Run the network layer by layer, with other parameters than the problem's own where they are given."""
    p = problem.parameters if parameters is None else parameters
    z: dict[int, Array] = {}
    h: dict[int, Array] = {}
    a = {0: problem.x}
    for l in range(1, problem.L + 1):
        z[l] = joined(problem, p, l, p["W", l] @ a[l - 1] + p["b", l], z, h)
        h[l], a[l] = activate(problem, p, l, z[l], a[l - 1])
    squares = sum((p["W", l] ** 2).sum(axis=(-2, -1)) for l in range(1, problem.L + 1))
    return Pass(z, h, a, losses(problem, a[problem.L]).mean(axis=-1) + problem.weight_decay / 2 * squares)


def joined(problem: Problem, p: Mapping[Key, Array], l: int, own: Array, z: Mapping[int, Array], h: Mapping[int, Array]) -> Array:
    """Return z of a layer from W a + b: what a residual net adds it to stands in z, or in h."""
    skip = problem.skip
    if skip is None or not (skip.of_z and skip.adds(l)):
        return own
    return np.asarray((h if skip.post else z)[skip.below(l)] + skip.factor(p, l) * own)


def activate(problem: Problem, p: Mapping[Key, Array], l: int, z: Array, below: Array) -> tuple[Array, Array]:
    """Return the input of φ and a of a layer; `below` is a of the layer below."""
    norm, phi, skip, mask = problem.norm if ("gamma", l) in p else None, problem.phis[l - 1], problem.skip, problem.masks.get(l, 1.0)

    def normal(x: Array) -> Array:
        return x if norm is None else norm(x, p["gamma", l], p["beta", l])

    after = norm is not None and norm.after
    h = z if after else normal(z)
    a = phi(h)
    if skip is None or skip.of_z or not skip.adds(l):
        return h, mask * (normal(a) if after else a)
    if after and skip.post:
        return h, normal(below + skip.factor(p, l) * mask * a)
    return h, below + skip.factor(p, l) * mask * (normal(a) if after else a)


def losses(problem: Problem, a: Array) -> Array:
    """Return J_i of every example from a of layer L."""
    return np.asarray(row_for(LOSSES, problem.loss, "formula", "tests/oracles.py, LOSSES")(a, problem.y))


def complex_step_gradients(problem: Problem) -> Gradients:
    """Return every δ^l = m·∂J/∂z^l (l = 0 for x) and every parameter's gradient, by complex step; no chain rule is used.

    All directions of a layer go through one forward pass. Where no example's loss depends on another example, a step of a unit of z^l in
    all of them at once, which is a step of b^l, shows the δ^l of each example in that example's own loss.
    """
    gradients: Gradients = {}
    base, m = forward(problem), problem.x.shape[-1]
    apart = problem.norm is None or not problem.norm.mixes
    by_delta = apart and problem.skip is None  # a step of b^l is one of z^l
    for l in range(problem.L + 1):
        shapes = {key: array.shape[1:] for key, array in problem.parameters.items() if key[1] == l and not (by_delta and key[0] == "b")}
        shapes["delta", l] = (problem.sizes[l], 1 if apart else m)
        for key, slopes in _slopes(problem, base, l, shapes).items():
            if key[0] == "delta":
                gradients[key] = slopes.mT if apart else slopes.sum(axis=1).reshape(-1, *shapes[key])
            else:
                gradients[key] = slopes.mean(axis=1).reshape(-1, *shapes[key])
        if by_delta and l > 0:
            gradients["b", l] = gradients["delta", l].mean(axis=-1, keepdims=True)
    return gradients


def _slopes(problem: Problem, base: Pass, l: int, shapes: Mapping[Key, tuple[int, ...]]) -> Gradients:
    """Return, for every entry of the arrays of a layer, what a complex step of it makes of each example's part of J, (R, m, entries).

    Directions stand behind the examples, as if they were more of them, where numpy is fast.
    """
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    n, m, D = problem.sizes[l], problem.x.shape[-1], int(ends[-1])
    p = dict(problem.parameters)
    for (key, shape), steps in zip(shapes.items(), np.split(1j * STEP * np.eye(D), ends[:-1]), strict=True):
        p[key] = (p[key][..., None] if key in p else 0) + steps.reshape(*shape, D)  # (R, …, D)
    tap, penalty = p.pop(("delta", l)), 0
    norm = problem.norm and replace(problem.norm, directions=D)

    def wide(x: Array) -> Array:
        return np.repeat(x, D, axis=-1)

    along = replace(problem, norm=norm, y=wide(problem.y), masks={k: wide(mask) for k, mask in problem.masks.items() if k >= l})
    z, h, a = ({k: wide(layers[k]) for k in range(max(l - 2, 0), l) if k in layers} for layers in (base.z, base.h, base.a))
    if l == 0:
        a[0] = (problem.x[..., None] + tap).reshape(-1, n, m * D)
    else:
        W, b = np.moveaxis(p["W", l], -1, 0), p["b", l] if p["b", l].ndim == 4 else p["b", l][..., None]
        penalty = (problem.weight_decay / 2 * (W**2).sum(axis=(-2, -1)).imag / STEP).T[:, None]
        own = np.moveaxis(W @ base.a[l - 1], 0, -1) + b
        for kind in ("gamma", "beta", "alpha"):
            if (kind, l) in p:
                p[kind, l] = np.broadcast_to(p[kind, l], own.shape).reshape(-1, n, m * D)
        taps = np.broadcast_to(tap, own.shape).reshape(-1, n, m * D)
        z[l] = joined(along, p, l, own.reshape(-1, n, m * D), z, h) + taps
        h[l], a[l] = activate(along, p, l, z[l], a[l - 1])
    for k in range(l + 1, problem.L + 1):
        own = (p["W", k] @ a[k - 1].view(np.float64)).view(complex)  # real by complex, and twice as fast as complex by complex
        z[k] = joined(along, p, k, own + p["b", k], z, h)
        h[k], a[k] = activate(along, p, k, z[k], a[k - 1])
    slopes = losses(along, a[problem.L]).imag.reshape(-1, m, D) / STEP + penalty
    return dict(zip(shapes, np.split(slopes, ends[:-1], axis=-1), strict=True))


def slope(value: Callable[[Array], Array], z: Array, step: float = STEP) -> Array:
    """Return φ′ from φ by complex step, whose error is of order step²."""
    return value(z + 1j * step).imag / step


def term_sizes(problem: Problem, begun: Pass | None = None) -> Gradients:
    """Return, for every gradient, the sum of the absolute values of the terms that the chain rule adds up in it.

    Where the sum itself is zero by construction, rounding leaves it at a small fraction of this; without such a
    cancellation it is of this order. Of a residual net the terms are those of its branches.
    """
    base, p, m = begun or forward(problem), problem.parameters, problem.x.shape[-1]
    output = np.abs(base.a[problem.L]) if problem.loss in ("mse", "cosh") else 1  # the cross-entropies subtract y from a probability
    top = np.abs(slope(problem.phis[-1], base.h[problem.L])) * (output + np.abs(problem.y))
    sizes: Gradients = {("delta", problem.L): top}
    for l in range(problem.L, -1, -1):
        if l < problem.L:
            flow = np.abs(p["W", l + 1]).mT @ sizes["delta", l + 1] * problem.masks.get(l, 1.0)
            slopes, norm = (np.abs(slope(problem.phis[l - 1], base.h[l])) if l > 0 else 1.0), problem.norm if ("gamma", l) in p else None
            flow = flow if norm is not None and norm.after else flow * slopes
            if norm is not None:
                normalized = problem.phis[l - 1](base.z[l]) if norm.after else base.z[l]
                flow, sizes["gamma", l], sizes["beta", l] = norm.term_sizes(flow, normalized, p["gamma", l])
            sizes["delta", l] = flow * slopes if norm is not None and norm.after else flow
        if l > 0:
            sizes["b", l] = sizes["delta", l].mean(axis=-1, keepdims=True)
            penalty = problem.weight_decay[:, None, None] * np.abs(p["W", l])
            sizes["W", l] = sizes["delta", l] @ np.abs(base.a[l - 1]).mT / m + penalty
    return sizes
