"""Small sweeps through the real code, in this process or as a command; changed configs."""

import contextlib
import copy
import io
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from experiments.cli import main
from experiments.compose.composition import compose, runs_of
from experiments.store.columns import RUN_RESULTS
from experiments.store.reading import load
from experiments.store.tables import PANDAS, Results
from experiments.sweep.execution import execute
from experiments.sweep.plan import folder_of, plan
from tests.processes import ROOT, environment, run

__all__ = ["ROOT", "TINY", "changed", "command", "here", "sweep", "whole"]

TINY = ["width=8", "data.n_samples=50", "executor=serial"]


def sweep(folder: Path, *overrides: str, multirun: bool = True, name: str = "sweep", tiny: bool = True) -> Results:
    """Run a sweep in this process and load its results; a small one, unless sizes are said."""
    flags = ["--multirun"] if multirun else []
    composed = compose(flags, [*(TINY if tiny else TINY[-1:]), f"results_dir={folder}", f"name={name}", *overrides])
    runs, _ = runs_of(composed)
    target = folder_of(runs, composed[0].experiment)
    execute(plan(runs, target), ["test"], progress=False)
    return load(target)


def command(*arguments: str, cwd: Path, env: dict[str, str] | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run gradstab as a process of its own, in a folder of its own."""
    return run([sys.executable, "-m", "experiments", *arguments], timeout, cwd=cwd, env=environment(**(env or {})))


def here(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run gradstab in this process, where no process of its own is what is tested; 20 times as fast.

    Where it finds modules, and which of them come from `cwd`, is forgotten at the end.
    """
    out, error, path = io.StringIO(), io.StringIO(), list(sys.path)
    try:
        with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            code = main([*arguments])
    finally:
        sys.path[:] = path
        for name in [name for name, module in sys.modules.items() if _lies_in(module, cwd)]:
            del sys.modules[name]
    return subprocess.CompletedProcess(["gradstab", *arguments], code, out.getvalue(), error.getvalue())


def _lies_in(module: ModuleType, folder: Path) -> bool:
    return str(getattr(module, "__file__", None)).startswith(f"{folder.resolve()}/")


def changed(base: dict[str, Any], **changes: Any) -> Any:
    """Return a config with dotted keys (double underscores for dots) changed."""
    config = copy.deepcopy(base)
    for key, value in changes.items():
        group, _, leaf = key.partition("__")
        if leaf and group in config:
            config[group][leaf] = value
        else:
            config[group] = value
    return config


def whole(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a runs table with every column that one has: those that are missing are empty."""
    empty = [None] * len(runs)
    absent = {name: PANDAS[column.kind] for name, column in RUN_RESULTS.items() if name not in runs}
    return runs.assign(**{name: pd.Series(empty, index=runs.index, dtype=dtype) for name, dtype in absent.items()})
