"""Where a step's time goes: each kind of work of a step made alone, by the engine's own functions in its own memory.

`python -m experiments.bench.breakdown --width 30 --batch 32 --depth 20 --dtype float32`
"""

import json
from collections.abc import Callable

import numpy as np

from bpcore.engine.engine import Engine
from experiments.bench.engine import fastest, made, steps_in, stretch
from experiments.bench.parts import PARTS
from experiments.bench.shapes import Shape, parser

_STRETCH_S = 0.02
_STRETCHES = 5
_ROUNDS = 5

KINDS = tuple(PARTS)


def prepared(shape: Shape) -> Engine:
    """Return an engine that has made steps of which the parts can be repeated: with η = 0 no repetition changes a parameter."""
    engine = made(shape, lr=0.0)
    stretch(engine, 2)()
    return engine


def kinds(engine: Engine) -> dict[str, Callable[[int], None]]:
    """Return functions that make one step's work of each of KINDS, for all layers and nothing else, as often as they are told.

    Args:
        engine: of a single plain run, which has made a step.
    """
    plan, slope, zero = engine._plans[False][0], engine._memory[False]["slope"], engine.dtype.type(0)

    def made_of(kind: str) -> Callable[[int], None]:
        def repeat(times: int) -> None:
            if kind == "BP2":
                slope[...] = 1  # a slope that is multiplied by again and again makes zeros of δ
            PARTS[kind](plan, zero, times)

        return repeat

    return {kind: made_of(kind) for kind in KINDS}


def measure(shape: Shape) -> dict[str, float]:
    """Time a step and each kind of its work, in alternation.

    Returns:
        Microseconds per run and step of each of KINDS and of the whole step, the fastest of many; `rest` is what is left: what is
        written and counted of a step, the calls, and what the caches no longer hold when all of the work is done in turn.
    """
    engine, whole = prepared(shape), made(shape)
    repeated: dict[str, Callable[[int], Callable[[], None]]] = {"step": lambda times: stretch(whole, times)}
    repeated |= {kind: _bound(function) for kind, function in kinds(engine).items()}
    counts = {kind: steps_in(_STRETCH_S, of) for kind, of in repeated.items()}
    timed = {kind: of(counts[kind]) for kind, of in repeated.items()}
    best = dict.fromkeys(timed, np.inf)
    for _ in range(_ROUNDS):
        for kind, function in timed.items():
            best[kind] = min(best[kind], 1e6 * fastest(function, _STRETCHES * _STRETCH_S) / counts[kind])
    return best | {"rest": best["step"] - sum(best[kind] for kind in KINDS)}


def _bound(function: Callable[[int], None]) -> Callable[[int], Callable[[], None]]:
    return lambda times: lambda: function(times)


def main() -> None:
    """Measure one shape and print JSON."""
    args = parser(__doc__).parse_args()
    print(json.dumps(measure(Shape(args.width, args.batch, args.depth, args.dtype))))


if __name__ == "__main__":
    main()
