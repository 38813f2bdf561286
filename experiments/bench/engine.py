"""Time the engine and the matrix products alone, in turn, in one process: `python -m experiments.bench.engine`.

A step has every norm of every layer recorded (record=light, every=1). What is timed is `train` of the engine itself, over stretches of
steps; the first call of each kind of step, in which its code is compiled or loaded and its memory laid out, does not count.
"""

import functools
import json
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from bpcore import clipping, normalization, optimizers
from bpcore.activations import identity, tanh
from bpcore.clipping import Clip
from bpcore.engine.batches import Batches, Examples
from bpcore.engine.engine import Engine
from bpcore.engine.rows import CENSUS, Rates, empty_rows
from bpcore.engine.stepper import stepper_of
from bpcore.initializers import fan_in
from bpcore.losses import softmax_cross_entropy
from bpcore.mlp import initialize
from bpcore.network import Network
from bpcore.normalization import Normalization
from bpcore.optimizers import Optimizer
from experiments.bench.shapes import AT_MOST_TIMES_PLAIN, VARIANTS, Shape, parser

_STACKS = (1, 2, 4, 8, 16, 32, 64)
_STRETCH_S = 0.02
_STRETCHES = 5


KINDS: dict[str, tuple[Normalization, Optimizer, Clip]] = {
    "engine": (normalization.none(), optimizers.sgd(), clipping.none()),
    "batchnorm": (normalization.batch(), optimizers.sgd(), clipping.none()),
    "adam": (normalization.none(), optimizers.adam(), clipping.none()),
    "clip": (normalization.none(), optimizers.sgd(), clipping.norm(1.0)),
}
"""Kinds of step: the plain one, and what it is tried with besides."""


def made(shape: Shape, kind: str = "engine", lr: float = 0.01) -> Engine:
    """Return an engine of a single run of a shape.

    Args:
        shape: of the net.
        kind: of KINDS.
        lr: η; with 0 the parameters stay.
    """
    normalized, optimizer, clip = KINDS[kind]
    generator = np.random.default_rng(0)
    labels = generator.integers(0, shape.sizes[-1], shape.batch)
    examples = Examples(generator.standard_normal((shape.width, shape.batch)), np.eye(shape.sizes[-1])[:, labels])
    network = Network(shape.sizes, tanh(), identity(), softmax_cross_entropy(), normalized)
    params = initialize(network, [fan_in()], [0], shape.dtype)
    threshold = clip.threshold if clip.acts else np.inf
    rates = Rates.of([(lr, 1.0, 0.0, threshold)], shape.dtype)
    stepper = stepper_of(network, params, optimizer, clip, rates, Batches(examples, None, [0], shape.dtype), shape.dtype)
    assert isinstance(stepper, Engine)  # there are kernels for all of this
    return stepper


def stretch(engine: Engine, steps: int, full: bool = False) -> Callable[[], None]:
    """Return a function that goes on by so many steps, every one of them recorded.

    Args:
        engine: of a single run.
        steps: a call.
        full: whether each step is recorded in full.
    """
    rows = empty_rows(engine.runs, steps, engine.network.L, len(CENSUS) if full else 2)
    alive = np.ones(engine.runs, dtype=bool)

    def go() -> None:
        if (engine.train(0, steps, alive, rows, every=1, full=full) >= 0).any():
            raise ArithmeticError("the run left the finite numbers, after which its steps are not those that were to be timed")

    return go


def products(shape: Shape, runs: int) -> Callable[[], None]:
    """Return a function that makes the products of one step, contiguous operands and results: z, ∂J/∂W and δ of each layer."""
    sizes, m = shape.sizes, shape.batch
    generator = np.random.default_rng(0)

    def draw(*entries: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.asarray(generator.standard_normal((runs, *entries)), dtype=shape.dtype)

    a, transposed = [draw(n, m) for n in sizes], [draw(m, n) for n in sizes]
    W, W_transposed = (
        [draw(n, k) for k, n in pairwise(sizes)],
        [draw(k, n) for k, n in pairwise(sizes)],
    )
    z, gradient = [np.empty_like(array) for array in a], [np.empty_like(array) for array in W]

    def step() -> None:
        for l in range(1, len(sizes)):
            np.matmul(W[l - 1], a[l - 1], out=z[l])
        for l in range(len(sizes) - 1, 0, -1):
            np.matmul(a[l], transposed[l - 1], out=gradient[l - 1])
            if l > 1:
                np.matmul(W_transposed[l - 1], a[l], out=z[l - 1])

    return step


def fastest(function: Callable[[], None], seconds: float) -> float:
    """Return the shortest of the times of a function, called for a while, after a call that does not count."""
    function()
    best, end = np.inf, time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        function()
        now = time.perf_counter()
        best = min(best, now - start)
        if now > end:
            return float(best)


def steps_in(seconds: float, of: Callable[[int], Callable[[], None]]) -> int:
    """Return how many steps take about so long, so that what a call costs besides its steps hardly counts.

    Args:
        seconds: that a call is to take.
        of: number of steps → a function that makes them.
    """
    steps = 1
    while (taken := fastest(of(steps), 0.0)) < seconds / 2:
        steps *= 2 if taken > seconds / 8 else 4
    return max(1, int(steps * seconds / taken))


def repeated(function: Callable[[], None], times: int) -> Callable[[], None]:
    """Return a function that calls another so many times."""

    def go() -> None:
        for _ in range(times):
            function()

    return go


def kinds_at(shape: Shape) -> list[str]:
    """Return the kinds of step that are measured at a shape: all where there are bars for them."""
    return ["engine", *(VARIANTS if shape.width in AT_MOST_TIMES_PLAIN else ())]


def measure(shape: Shape, rounds: int) -> dict[str, float]:
    """Time the engine's kinds of step and the products in alternation.

    Args:
        shape: of the nets.
        rounds: how often each is timed.

    Returns:
        Microseconds per run and step, the least of all rounds: engine, full (record=full), the VARIANTS where they are measured, gemms
        (the products, at the best stack); gemm_runs, that stack.
    """
    kinds = kinds_at(shape)
    plain = made(shape)
    steps = steps_in(_STRETCH_S, lambda steps: stretch(plain, steps))
    timed = {kind: stretch(made(shape, kind), steps) for kind in kinds} | {"full": stretch(made(shape), steps, full=True)}
    best = dict.fromkeys(timed, np.inf)
    gemms: dict[int, float] = dict.fromkeys(_STACKS, np.inf)
    alone = {runs: products(shape, runs) for runs in _STACKS}
    calls = {runs: steps_in(_STRETCH_S, functools.partial(repeated, function)) for runs, function in alone.items()}
    for _ in range(rounds):
        for kind, function in timed.items():
            best[kind] = min(best[kind], fastest(function, _STRETCHES * _STRETCH_S) / steps)
        for runs, function in alone.items():
            taken = fastest(repeated(function, calls[runs]), _STRETCHES * _STRETCH_S)
            gemms[runs] = min(gemms[runs], taken / (calls[runs] * runs))
    stack = min(gemms, key=lambda runs: gemms[runs])
    return {kind: 1e6 * value for kind, value in best.items()} | {"gemms": 1e6 * gemms[stack], "gemm_runs": stack}


def main() -> None:
    """Measure one shape and print JSON."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5)
    args = options.parse_args()
    print(json.dumps(measure(Shape(args.width, args.batch, args.depth, args.dtype), args.rounds)))


if __name__ == "__main__":
    main()
