"""Where a step's time goes: each kind of work of a step made alone, on arrays of the engine's own layout.

`python -m experiments.bench.breakdown --width 30 --batch 32 --depth 20 --dtype float32`
"""

import json
from collections.abc import Callable

import numpy as np
from bpcore.engine.losses import mean_and_delta
from bpcore.engine.optimizers import advance
from bpcore.engine.step import Engine, Rates

from bpcore.clipping import none as no_clipping
from bpcore.engine.batches import Batches
from bpcore.initializers import fan_in
from bpcore.measure.quantities import BIAS_GRADIENT, DELTA, WEIGHT, WEIGHT_GRADIENT
from bpcore.mlp import initialize
from bpcore.optimizers import sgd
from experiments.bench.engine import fastest, problem, seconds_per_step
from experiments.bench.shapes import Shape, parser
from experiments.sweep.stacking import tile_size

_STRETCH_S = 0.2

KINDS = ("products", "φ", "φ′ and BP2", "norms", "update", "loss")


def kinds(shape: Shape, runs: int) -> dict[str, Callable[[], None]]:
    """Return functions that make one step's work of each of KINDS, for all layers and nothing else.

    Args:
        shape: of the nets.
        runs: in the stack.
    """
    network, examples = problem(shape)
    batch = Batches(examples, None, [0] * runs, shape.dtype)(0)
    params = initialize(network, [fan_in()] * runs, list(range(runs)), shape.dtype)
    rate, nothing = np.full((runs, 1), 0.01, dtype=shape.dtype), np.zeros((runs, 1), dtype=shape.dtype)
    rates = Rates(rate, rate.copy(), nothing, np.full((runs, 1), np.inf, dtype=shape.dtype))
    engine = Engine(network, params, sgd(), no_clipping(), rates, shape.batch, shape.dtype)
    engine.forward(batch)
    engine.norms.start()
    engine.backward(batch, keep=False, measured=True, update=1)
    work, parameters, layers = engine.work, engine.parameters, range(1, network.L + 1)
    top = network.loss.delta(work.h[network.L], batch.y, network.output_activation)

    def products() -> None:
        work.delta(network.L, False)[...] = top  # begun anew each time, lest δ grow or vanish
        for l in reversed(layers):
            below = batch.x if l == 1 else work.ones_below[l - 1]
            np.matmul(parameters.transposed[l], below, out=work.z[l])
            np.matmul(below, work.delta(l, False).mT, out=work.gradient(l, False).packed)
            np.matmul(parameters.matrix[l], work.delta(l, False), out=work.delta(l - 1, False))

    def slopes() -> None:
        for l in layers[:-1]:
            slope, delta = work.scratch[l], work.delta(l, False)
            engine.phi[l].prime(work.h[l], work.a[l], slope)
            np.multiply(delta, slope, out=slope)

    def norms() -> None:
        engine.norms.start()
        for l in layers:
            gradient = work.gradient(l, False)
            quantities = {WEIGHT_GRADIENT: gradient.weights, BIAS_GRADIENT: gradient.bias, WEIGHT: parameters.weights[l]}
            engine.norms.measure(l, {**quantities, DELTA: work.flat_delta(l, False)})
        engine.finish_norms()

    def values() -> None:
        for l in layers:
            engine.phi[l].value(work.h[l], work.a[l])

    def update() -> None:
        for l in layers:
            gradient, new = work.gradient(l, False).flat, parameters.flat[l]
            np.add(new, advance(engine.optimizer, gradient, nothing, [], rate, 1), out=new)

    def loss() -> None:
        mean_and_delta(network.loss, work.h[network.L], batch.y, network.output_activation)

    return dict(zip(KINDS, (products, values, slopes, norms, update, loss), strict=True))


def measure(shape: Shape) -> dict[str, float]:
    """Time a step and each kind of its work.

    Returns:
        Microseconds per run and step of each of KINDS and of the whole step, the fastest of many; `rest` is what is left: Python, the
        record, what the caches no longer hold. `runs` of the stack.
    """
    runs = tile_size(shape.sizes, shape.batch, shape.dtype)
    with np.errstate(all="ignore"):
        times = {name: 1e6 * fastest(function, _STRETCH_S) / runs for name, function in kinds(shape, runs).items()}
    steps = max(6, int(_STRETCH_S * 1e6 / (2 * runs * sum(times.values()))))
    whole = 1e6 * min(seconds_per_step(shape, runs, steps)[1] for _ in range(5))
    return {**times, "rest": whole - sum(times.values()), "step": whole, "runs": runs}


def main() -> None:
    """Measure one shape and print JSON."""
    args = parser(__doc__).parse_args()
    print(json.dumps(measure(Shape(args.width, args.batch, args.depth, args.dtype))))


if __name__ == "__main__":
    main()
