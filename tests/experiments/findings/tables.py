"""Tables made by hand, as if a sweep had written them: what a finding is tested with."""

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.atlas.catalogue import Entry, select
from experiments.findings.finding import Estimate
from experiments.store.columns import HISTOGRAMS, KEYS, LAYERS, RUN_RESULTS, STEPS
from experiments.store.tables import Results, runs_frame

Run = dict[str, Any]


def run(delta_norm: Iterable[float], theory: Iterable[float] | None = None, layers: Mapping[str, Any] | None = None, **columns: Any) -> Run:
    """Return a run: the norm of δ of layers 1…L at step 0, other columns of the layers table, columns of the runs table.

    The run has L − 1 hidden layers unless `depth` says otherwise. `steps` may hold a frame for the steps table.
    """
    norms = np.asarray(list(delta_norm), dtype=float)
    predicted = np.full(len(norms), np.nan) if theory is None else np.asarray(list(theory), dtype=float)
    return {"delta_norm": norms, "theory": predicted, "layers": dict(layers or {}), "depth": len(norms) - 1, "seed": 0, **columns}


def results(runs: list[Run]) -> Results:
    """Return the tables of runs; columns that are not given are empty."""
    rows, layers, steps = [], [], []
    for job, one in enumerate(runs):
        keys = {"run_id": f"run{job:04d}", "job": job}
        own = {name: value for name, value in one.items() if name not in ("delta_norm", "theory", "layers", "steps")}
        rows.append({**keys, **dict.fromkeys(RUN_RESULTS), "status": "ok", **own})
        own = {"step": 0, "layer": np.arange(1, len(one["delta_norm"]) + 1), "finite": True, **one["layers"]}
        layers.append({**own, "delta_norm": one["delta_norm"], "delta_norm_theory": one["theory"], **keys})
        frame = one.get("steps", pd.DataFrame({"step": [0]}))
        steps.append({**{name: frame[name].to_numpy() for name in frame}, **keys})
    histograms = pd.DataFrame(columns=[*KEYS, *HISTOGRAMS])
    return Results(runs_frame(rows), _complete(layers, LAYERS), _complete(steps, STEPS), histograms, path=Path("nowhere"))


def _complete(parts: list[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    """Join parts that are columns by name, arrays of one length or single values; neighbors of the same columns as one frame."""
    frames = [_joined(list(alike)) for _, alike in itertools.groupby(parts, key=list)]
    return (pd.concat(frames) if len(frames) > 1 else frames[0]).reindex(columns=[*KEYS, *columns])


def _joined(parts: list[dict[str, Any]]) -> pd.DataFrame:
    lengths = [max(len(value) for value in part.values() if isinstance(value, (np.ndarray, list))) for part in parts]
    index = np.concatenate([np.arange(length) for length in lengths])
    columns = {name: [_repeated(part[name], length) for part, length in zip(parts, lengths, strict=True)] for name in parts[0]}
    return pd.DataFrame({name: np.concatenate(values) for name, values in columns.items()}, index=index)


def _repeated(value: Any, length: int) -> Any:
    """Return a column's values; words as objects, of which pandas makes its own kind of text."""
    if isinstance(value, (np.ndarray, list)):
        return np.asarray(value)
    return np.full(length, value, dtype=object if isinstance(value, str) else None)


def geometric(factor: float, depth: int, seeds: int = 6, scatter: float = 0.02, top: float = 1.0, **columns: Any) -> list[Run]:
    """Return runs whose norm of δ changes by a factor per hidden layer, with some scatter over seeds; layer depth + 1 has norm `top`."""
    runs = []
    for seed in range(seeds):
        noise = np.random.default_rng([seed, depth]).normal(scale=scatter, size=depth + 1)
        powers = np.arange(depth, -1, -1)
        norms = top * factor**powers
        own = factor * float(np.exp(noise.mean()))
        layers = {"delta_mean_norm": norms * np.exp(noise)}
        runs.append(run(norms * np.exp(noise), norms, layers, seed=seed, delta_factor=own, delta_factor_theory=factor, **columns))
    return runs


def judged(name: str, sweeps: dict[str, list[Run]]) -> tuple[Estimate, Entry]:
    """Let a finding of the package judge tables made by hand."""
    (entry,) = select([name])
    return entry.estimate({sweep: results(runs) for sweep, runs in sweeps.items()}, entry.finding), entry


def joined(*parts: list[Run]) -> list[Run]:
    return list(itertools.chain(*parts))


def residual(
    delta: Iterable[float],
    stream: Iterable[float] = (),
    theory: Iterable[float] = (),
    seeds: int = 6,
    scatter: float = 0.01,
    **columns: Any,
) -> list[Run]:
    """Return runs of a residual net: mean squares of δ and of the stream at its sums, the first layer's and one a block.

    ‖δ‖² scatters over seeds as much as a block away from the last sum, which it does not at; inside blocks of two layers is what is above.
    """
    squares = np.asarray(list(delta), dtype=float)
    predicted = np.asarray(list(theory) or squares, dtype=float)
    variance = np.asarray(list(stream) or np.ones(len(squares)), dtype=float)
    columns = {"skip": "preactivation", **columns}
    span = 2 if columns["skip"] == "block" else 1
    place = [0, *np.repeat(np.arange(1, len(squares)), span), len(squares) - 1]
    runs = []
    for seed in range(seeds):
        noise = np.exp(np.random.default_rng([seed, len(squares)]).normal(scale=scatter, size=len(squares)))
        noise[-1] = 1.0
        layers = {"z_var": (variance * noise)[place]}
        runs.append(run((squares * noise)[place] ** 0.5, predicted[place] ** 0.5, layers, seed=seed, **columns))
    return runs
