"""Time the engine and the matrix products alone, in turn, in one process: `python -m experiments.bench.engine`.

A step has every norm of every layer recorded (record=light, every=1). Times are those of steps between the first and the
last, which have more columns: the mean of a stretch of steps, as with the peers, and the best of several short stretches.
"""

import json
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from bpcore.activations import identity, tanh
from bpcore.clipping import none as no_clipping
from bpcore.engine.batches import Examples
from bpcore.initializers import fan_in
from bpcore.losses import softmax_cross_entropy
from bpcore.measure.recording import Recording
from bpcore.mlp import Network
from bpcore.normalization import none as no_normalization
from bpcore.optimizers import sgd
from bpcore.training import RunSettings, StackSettings, train_stack
from experiments.bench.shapes import Shape, parser
from experiments.sweep.stacking import tile_size

_STACKS = (1, 2, 4, 8, 16, 32, 64)
_STRETCH_S = 0.05


def problem(shape: Shape) -> tuple[Network, Examples]:
    """Return the nets of a shape and their examples."""
    generator = np.random.default_rng(0)
    examples = Examples(generator.standard_normal((shape.width, shape.batch)), np.eye(10)[:, generator.integers(0, 10, shape.batch)])
    network = Network(shape.sizes, tanh(), identity(), softmax_cross_entropy(), no_normalization())
    return network, examples


def seconds_per_step(shape: Shape, runs: int, steps: int, full: bool = False) -> tuple[float, float]:
    """Train a stack and return the mean and the least seconds of a step between the first and the last, divided by the runs."""
    network, examples = problem(shape)
    settings = StackSettings(network, sgd(), no_clipping(), None, steps, shape.dtype, Recording(full=full))
    stamps: list[float] = []
    train_stack(
        settings,
        [RunSettings(seed, fan_in(), 0.01) for seed in range(runs)],
        examples,
        lambda step, loss: stamps.append(time.perf_counter()),
    )
    times = np.diff(stamps)[1:-1] / runs
    return float(times.mean()), float(times.min())


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
    """Return the shortest of the times of a function, called for a while."""
    function()
    best, end = np.inf, time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        function()
        now = time.perf_counter()
        best = min(best, now - start)
        if now > end:
            return float(best)


def measure(shape: Shape, rounds: int) -> dict[str, float]:
    """Time engine and products in alternation.

    Returns:
        Microseconds per run and step: engine, full (record=full), gemms; fastest, the engine's fastest single step, as gemms is the
        products'; runs (of the tile), gemm_runs (of the best stack).
    """
    tile = tile_size(shape.sizes, shape.batch, shape.dtype)
    candidates = sorted({max(1, tile // 2), tile, min(64, 2 * tile)})
    engine: dict[int, float] = dict.fromkeys(candidates, np.inf)
    gemms: dict[int, float] = dict.fromkeys(_STACKS, np.inf)
    full = fastest_step = np.inf
    once = fastest(products(shape, 1), 0.01)
    for _ in range(rounds):
        for runs in candidates:
            steps = max(6, int(_STRETCH_S / (2.5 * once * runs)))
            mean, least = seconds_per_step(shape, runs, steps)
            engine[runs] = min(engine[runs], mean)
            if runs == tile:
                fastest_step = min(fastest_step, least)
                full = min(full, seconds_per_step(shape, runs, max(5, steps // 3), full=True)[0])
        for runs in _STACKS:
            gemms[runs] = min(gemms[runs], fastest(products(shape, runs), _STRETCH_S) / runs)
    best = min(gemms, key=lambda runs: gemms[runs])
    others = {f"engine_{runs}": 1e6 * value for runs, value in engine.items()}
    return {
        "engine": 1e6 * engine[tile],
        "fastest": 1e6 * fastest_step,
        "full": 1e6 * full,
        "gemms": 1e6 * gemms[best],
        "runs": tile,
        "gemm_runs": best,
    } | others


def main() -> None:
    """Measure one shape and print JSON."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5)
    args = options.parse_args()
    print(json.dumps(measure(Shape(args.width, args.batch, args.depth, args.dtype), args.rounds)))


if __name__ == "__main__":
    main()
