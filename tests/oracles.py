"""Independent answers to hold the core against: a naive forward pass, its complex-step gradients, the conf catalogue.

Nothing here goes through the layered core. The forward pass is a plain loop with its own losses and its own
normalizations; of an activation only `value` is used, so that a new activation is checked without a line added here.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
        masks: layer -> (R, n_l, m), by which a^l is multiplied in the end.
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
    """Keep a forward pass: z, the input h of φ, a and ‖W‖² per layer; J per run."""

    z: dict[int, Array]
    h: dict[int, Array]
    a: dict[int, Array]
    squares: dict[int, Array]
    J: Array


def product(W: Array, a: Array) -> Array:
    """Return W a per run; where a alone has directions on a leading axis, they go through as further examples."""
    if W.ndim == a.ndim or a.ndim < 4:
        return W @ a
    directions, runs, n, m = a.shape
    columns = a.transpose(1, 2, 0, 3).reshape(runs, n, directions * m)
    return (W @ columns).reshape(len(W), -1, directions, m).transpose(2, 0, 1, 3)


def forward(
    problem: Problem,
    parameters: Mapping[Key, Array] | None = None,
    taps: Mapping[int, Array] | None = None,
    begun: Pass | None = None,
    first: int = 1,
) -> Pass:
    """Run the network layer by layer.

    Args:
        problem: the networks.
        parameters: instead of the problem's own; further leading axes are carried along.
        taps: layer -> what is added to z^l (to x at layer 0).
        begun: a pass of the same problem whose layers below `first` are taken as they are.
        first: the layer to begin with.

    Returns:
        The pass; J has the leading axes of the parameters and taps.
    """
    p = problem.parameters if parameters is None else parameters
    taps = {} if taps is None else taps
    z, h, a = ({}, {}, {0: problem.x + taps.get(0, 0)}) if begun is None else (dict(begun.z), dict(begun.h), dict(begun.a))
    skip = problem.skip
    for l in range(first, problem.L + 1):
        z[l] = product(p["W", l], a[l - 1]) + p["b", l]
        if skip and skip.of_z and skip.adds(l):
            z[l] = (h if skip.post else z)[skip.below(l)] + skip.factor(p, l) * z[l]
        z[l] = z[l] + taps.get(l, 0)
        h[l] = z[l]
        norm = problem.norm if ("gamma", l) in p else None
        if norm is not None and not norm.after:
            h[l] = norm(z[l], p["gamma", l], p["beta", l])
        a[l] = problem.phis[l - 1](h[l])
        adds = skip is not None and not skip.of_z and skip.adds(l)
        if skip is not None and adds and skip.post:
            a[l] = a[l - 1] + skip.factor(p, l) * problem.masks.get(l, 1.0) * a[l]
        if norm is not None and norm.after:
            a[l] = norm(a[l], p["gamma", l], p["beta", l])
        mask = problem.masks.get(l, 1.0)
        if skip is not None and adds and not skip.post:
            a[l] = a[l - 1] + skip.factor(p, l) * mask * a[l]
        elif not adds:
            a[l] = mask * a[l]
    loss = row_for(LOSSES, problem.loss, "formula", "tests/oracles.py, LOSSES")
    J = loss(a[problem.L], problem.y).mean(axis=-1)
    squares = {} if begun is None else dict(begun.squares)
    for l in range(1, problem.L + 1):
        if l not in squares or p["W", l] is not problem.parameters["W", l]:
            squares[l] = (p["W", l] ** 2).sum(axis=(-2, -1))
        J = J + problem.weight_decay / 2 * squares[l]
    return Pass(z, h, a, squares, J)


def complex_step_gradients(problem: Problem) -> Gradients:
    """Return every δ^l = m·∂J/∂z^l (l = 0 for x) and every parameter's gradient, by complex step.

    All directions of a layer are stacked on a leading axis and go through one forward pass; no chain rule is used.
    """
    gradients: Gradients = {}
    base = forward(problem)
    m = problem.x.shape[-1]
    for l in range(problem.L + 1):
        own = {key: array for key, array in problem.parameters.items() if key[1] == l}
        own["delta", l] = base.z[l] if l > 0 else np.broadcast_to(problem.x, (*base.J.shape, problem.sizes[0], m))
        sizes = [array[0].size for array in own.values()]
        starts = np.cumsum([0, *sizes])
        steps: dict[Key, Array] = {}
        for (key, array), start, size in zip(own.items(), starts, sizes, strict=False):
            unit = np.zeros((starts[-1], size))
            unit[start : start + size] = np.eye(size)
            steps[key] = 1j * STEP * unit.reshape(-1, 1, *array.shape[1:])
        taps = {l: steps.pop(("delta", l))}
        perturbed = {key: array + steps[key] if key in steps else array for key, array in problem.parameters.items()}
        slopes = (forward(problem, perturbed, taps) if l == 0 else forward(problem, perturbed, taps, base, l)).J.imag / STEP
        for (key, array), start, size in zip(own.items(), starts, sizes, strict=False):
            slope = slopes[start : start + size].T.reshape(array.shape)
            gradients[key] = m * slope if key[0] == "delta" else slope
    return gradients


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
