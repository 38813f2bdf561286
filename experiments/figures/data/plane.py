"""What theory predicts over two swept keys: the factor per layer of every combination, without a run."""

import pandas as pd

from experiments.config.identity import flatten
from experiments.config.run import Run
from experiments.errors import UserError
from experiments.figures.data.roles import count, counts_up
from experiments.figures.data.table import FigureTable
from experiments.theory.prediction import predict


def over_two(runs: list[Run]) -> FigureTable:
    """Return the predicted factor per layer over two keys.

    Args:
        runs: of a sweep that varies two keys.

    Returns:
        Both keys, `mean`, the geometric mean of the predicted factors between hidden layers, and `n_diverged`, 0; `x` is the key with more
        values.

    Raises:
        UserError: another number of keys varies.
    """
    flat = [flatten(run.config) for run in runs]
    axes = [key for key in flat[0] if all(key in row for row in flat) and len({repr(row[key]) for row in flat}) > 1]
    if len(axes) != 2:
        names = f": {', '.join(axes)}" if axes else ""
        raise UserError(f"phase -m draws over two swept keys, got {len(axes)}{names}; sweep two, as in depth=10,20 skip.scale=0.5,1")
    rows = [{**{key: row[key] for key in axes}, "mean": predict(run).delta_factor} for run, row in zip(runs, flat, strict=True)]
    frame = pd.DataFrame(rows).assign(n_diverged=0)
    y, x = sorted(axes, key=lambda axis: (counts_up(frame, axis), count(frame, axis)))
    return FigureTable(frame, x=x, y=y)
