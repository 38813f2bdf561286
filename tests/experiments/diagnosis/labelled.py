"""Nets whose illness is known by construction, and how well the diagnosis finds it: precision and recall a cause and an outcome.

python -m tests.experiments.diagnosis.labelled             the half that thresholds may be chosen on
python -m tests.experiments.diagnosis.labelled --untouched the other half, for judging alone

A label says which outcomes are right, which causes must be found, and which others are true of such a net too (large inputs do kill
units). What is found beyond that is a false alarm.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments.compose.composition import compose, runs_of
from experiments.sweep.tile import run_tile

ANY = frozenset({"learns", "stuck", "diverging", "diverged", "untrained"})
ILL = frozenset({"stuck", "diverging", "diverged"})
THROWN = frozenset({"dead", "saturated", "overflow", "learning_rate_high"})
"""What a first step that is far too large leaves behind."""

Drawn = tuple[list[str], frozenset[str], frozenset[str], frozenset[str]]


@dataclass(frozen=True)
class Net:
    """Hold a labelled net: its command, right outcomes, causes that must be found, causes that may be."""

    kind: str
    words: list[str]
    outcomes: frozenset[str]
    causes: frozenset[str]
    allowed: frozenset[str]


def _net(g: np.random.Generator, depths: tuple[int, int] = (2, 5)) -> list[str]:
    return [f"depth={g.integers(*depths)}", f"width={g.integers(16, 49)}", f"seed={g.integers(1_000_000)}", "batch_size=50"]


def _smooth(g: np.random.Generator) -> list[str]:
    return [
        ["activation=tanh", "init=xavier"],
        ["activation=relu", "init=he"],
        ["activation=elu", "init=he"],
        ["activation=gelu", "init=he"],
    ][g.integers(4)]


def _power(g: np.random.Generator, low: float, high: float) -> str:
    return f"{10 ** g.uniform(low, high):.4g}"


def healthy(g: np.random.Generator) -> Drawn:
    """Return a net that trains, by the settings of the textbooks."""
    rule = [
        [f"lr={_power(g, -1.3, -0.7)}"],
        ["optimizer=adam", f"lr={_power(g, -2.7, -2.2)}"],
        ["optimizer=momentum", f"lr={_power(g, -2.3, -1.7)}"],
        ["normalization=batch", f"lr={_power(g, -1.3, -0.7)}"],
    ][g.integers(4)]
    if g.random() < 0.2:
        line = ["data=line", "loss=mse", "activation=tanh", "init=xavier", f"lr={_power(g, -1.6, -1.0)}", "steps=300"]
        return [*_net(g), *line], frozenset({"learns"}), frozenset(), frozenset()
    return [*_net(g), *_smooth(g), *rule, "steps=150"], frozenset({"learns"}), frozenset(), frozenset()


def zero_weights(g: np.random.Generator) -> Drawn:
    """Return a net all of whose weights are 0."""
    start = ["init=constant", "init.scale=0", "lr=0.1", "steps=40"]
    return [*_net(g), f"activation={g.choice(['tanh', 'relu', 'elu'])}", *start], ILL, frozenset({"zero_weights"}), frozenset()


def symmetric(g: np.random.Generator) -> Drawn:
    """Return a net all of whose units are equal."""
    start = ["init=constant", f"init.scale={_power(g, -2, -0.7)}", "lr=0.1", "steps=60"]
    words = [*_net(g), f"activation={g.choice(['tanh', 'sigmoid', 'relu'])}", *start]
    return words, ANY, frozenset({"symmetric"}), frozenset({"vanishing", "exploding", "saturated", "learning_rate_high", "dead"})


def large_inputs(g: np.random.Generator) -> Drawn:
    """Return a net on inputs of hundreds."""
    words = [*_net(g), *_smooth(g), f"data.scale={_power(g, 2, 4)}", "lr=0.1", "steps=80"]
    return words, ANY, frozenset(), frozenset({"input_scale", "vanishing", "exploding", "learning_rate_low"}) | THROWN


def offset_inputs(g: np.random.Generator) -> Drawn:
    """Return a saturated net on inputs far from 0."""
    low = g.uniform(60, 200)
    data = ["data=line", f"data.low={low:.3g}", f"data.high={low + g.uniform(10, 30):.3g}", "loss=mse"]
    words = [*_net(g, (2, 4)), *data, "activation=tanh", "init=xavier", "lr=0.01", "steps=40"]
    return words, ILL, frozenset({"input_scale", "saturated"}), frozenset({"vanishing", "learning_rate_high", "learning_rate_low"})


def large_targets(g: np.random.Generator) -> Drawn:
    """Return a net under Adam whose targets are a hundred thousand."""
    x = g.standard_normal((200, 4))
    frame = pd.DataFrame(x, columns=list("abcd")).assign(y=10 ** g.uniform(4.5, 6) * (3 + x @ g.standard_normal(4)))
    path = Path(tempfile.gettempdir()) / f"gradstab-labelled-{g.integers(1 << 40)}.csv"
    frame.to_csv(path, index=False)
    words = ["data=table", f"data.path={path}", "data.target=y", "loss=mse", "optimizer=adam", "lr=0.001", "steps=150"]
    return [*_net(g), "activation=tanh", *words], ILL, frozenset({"target_scale"}), frozenset({"saturated"})


def deep_sigmoid(g: np.random.Generator) -> Drawn:
    """Return a net in which δ vanishes."""
    words = [*_net(g, (8, 20)), "activation=sigmoid", "init=xavier", "lr=0.1", "steps=80"]
    return words, ILL, frozenset({"vanishing"}), frozenset({"learning_rate_low"})


def exploding(g: np.random.Generator) -> Drawn:
    """Return a net in which δ explodes."""
    words = [*_net(g, (6, 12)), f"activation={g.choice(['relu', 'elu', 'identity'])}", "init=normal", "lr=0.1", "steps=40"]
    return words, ILL, frozenset({"exploding"}), frozenset({"learning_rate_high"}) | THROWN


def underflow(g: np.random.Generator) -> Drawn:
    """Return a net whose δ is below the smallest number."""
    words = [*_net(g, (110, 140)), "activation=sigmoid", "init=xavier", "dtype=float32", "lr=0.1", "steps=5"]
    return words, ILL, frozenset({"underflow"}), frozenset({"learning_rate_low", "vanishing"})


def overflow(g: np.random.Generator) -> Drawn:
    """Return a net whose z is above the largest number."""
    words = [*_net(g, (80, 110)), "width=64", "activation=identity", "init=normal", "dtype=float32", "steps=3"]
    return words, frozenset({"diverged"}), frozenset({"overflow"}), frozenset({"exploding", "learning_rate_high"})


def large_rate(g: np.random.Generator) -> Drawn:
    """Return a net whose steps are far too large."""
    words = [*_net(g), *_smooth(g), f"lr={_power(g, 1.3, 3)}", "steps=60"]
    return words, ILL, frozenset({"learning_rate_high"}), THROWN


def small_rate(g: np.random.Generator) -> Drawn:
    """Return a net that does not move."""
    words = [*_net(g), *_smooth(g), f"lr={_power(g, -9, -6)}", "steps=60"]
    return words, ILL, frozenset({"learning_rate_low"}), frozenset()


def clipped(g: np.random.Generator) -> Drawn:
    """Return a net whose every step is clipped to nothing."""
    words = [*_net(g), *_smooth(g), "clip=norm", f"clip.threshold={_power(g, -7, -5)}", "lr=0.1", "steps=60"]
    return words, ILL, frozenset({"clipped_always"}), frozenset({"learning_rate_low"})


def out_of_reach(g: np.random.Generator) -> Drawn:
    """Return a net whose sigmoid output cannot reach negative targets."""
    words = [*_net(g), "data=line", "loss=mse", "activation=tanh", "init=xavier", "output_activation=sigmoid", "lr=0.1", "steps=100"]
    return words, ANY, frozenset({"output_range"}), frozenset({"saturated", "dead", "vanishing"})


def dead(g: np.random.Generator) -> Drawn:
    """Return a net of rectifiers that see negative inputs alone."""
    data = ["data=line", f"data.low={g.uniform(-3, -2):.3g}", "data.high=-0.5", "loss=mse"]
    words = [*_net(g), *data, "activation=relu", "init=constant", f"init.scale={_power(g, -1, 0)}", "lr=0.05", "steps=30"]
    return words, ILL, frozenset({"dead", "symmetric"}), frozenset()


def squared_error(g: np.random.Generator) -> Drawn:
    """Return a net under a squared error whose sigmoid outputs are saturated from the start, most of them wrongly."""
    start = ["activation=tanh", "init=xavier", f"init.scale={g.uniform(12, 30):.3g}"]
    words = [*_net(g), *start, "loss=mse", "output_activation=sigmoid", f"lr={_power(g, -2, -1)}", "steps=60"]
    return words, ILL, frozenset({"wrong_loss"}), frozenset({"saturated", "vanishing", "exploding", "learning_rate_low"})


def large_adaptive_rate(g: np.random.Generator) -> Drawn:
    """Return a net whose every step is of the size of its rate, which is far too large."""
    words = [*_net(g), *_smooth(g), f"optimizer={g.choice(['rmsprop', 'adagrad'])}", f"lr={_power(g, 1, 3)}", "steps=60"]
    return words, ILL, frozenset({"learning_rate_high"}), THROWN


KINDS: dict[Callable[[np.random.Generator], Drawn], int] = {
    healthy: 100,
    **dict.fromkeys(
        (zero_weights, symmetric, large_inputs, offset_inputs, large_targets, deep_sigmoid, exploding, overflow, large_rate, small_rate), 10
    ),
    **dict.fromkeys((clipped, out_of_reach, dead), 10), underflow: 5,
    **dict.fromkeys((squared_error, large_adaptive_rate), 10),
}  # fmt: skip
"""How many of each stand in a half."""


def nets(untouched: bool) -> Iterator[Net]:
    """Draw one half of the labelled nets."""
    for place, (draw, count) in enumerate(KINDS.items()):
        g = np.random.default_rng([20_26, int(untouched), place])
        for _ in range(count):
            yield Net(draw.__name__, *draw(g))


def main() -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--untouched", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="print every net that is diagnosed otherwise than labelled")
    args = parser.parse_args()
    hits, misses, alarms, accused = Counter[str](), Counter[str](), Counter[str](), 0
    right, total, kinds = 0, 0, Counter[str]()
    for net in tqdm(list(nets(args.untouched)), file=sys.stderr, disable=None):
        runs, _ = runs_of(compose([], ["executor=serial", *net.words]))
        row = run_tile(runs).runs[0]
        found = {cause["cause"] for cause in json.loads(row["causes"])}
        total += 1
        right += row["outcome"] in net.outcomes
        ill = net.kind == "healthy" and (row["outcome"] in ILL or bool(found))
        accused += ill
        hits.update(found & (net.causes | net.allowed))
        misses.update(net.causes - found)
        wrong = found - net.causes - net.allowed
        alarms.update(wrong)
        if ill or wrong or net.causes - found or row["outcome"] not in net.outcomes:
            kinds[net.kind] += 1
            if args.verbose:
                print(
                    net.kind,
                    row["outcome"],
                    f"{row['skill']:.3g}",
                    "missed",
                    sorted(net.causes - found),
                    "wrong",
                    sorted(wrong),
                    *net.words,
                )
    expected = Counter(cause for net in nets(args.untouched) for cause in net.causes)
    print(f"{total} nets; outcome right in {right / total:.1%}; healthy nets called ill: {accused} of {KINDS[healthy]}")
    print("| cause | labelled | recall | found | precision |\n|---|---|---|---|---|")
    for cause in sorted(set(hits) | set(misses) | set(alarms)):
        recall = f"{1 - misses[cause] / expected[cause]:.0%}" if expected[cause] else "–"
        reported = hits[cause] + alarms[cause]
        print(f"| {cause} | {expected[cause]} | {recall} | {reported} | {f'{hits[cause] / reported:.0%}' if reported else '–'} |")


if __name__ == "__main__":
    main()
