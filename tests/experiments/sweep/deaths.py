"""Tiles whose worker dies. They stand apart from the tests, since a worker imports the module of what it computes."""

import os
import signal
from pathlib import Path

from experiments.config.run import Run
from experiments.sweep.tile import run_tile


def on_seed_1(runs: list[Run], on_step=None):
    if any(run.seed == 1 for run in runs):
        os.kill(os.getpid(), signal.SIGKILL)
    return run_tile(runs)


def once_at_depth_3(runs: list[Run], on_step=None):
    mark = Path(runs[0].results_dir) / "died"
    if runs[0].depth == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return run_tile(runs)
