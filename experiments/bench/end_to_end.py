"""Whole commands as a user starts them: seconds from the command line to the tables, peak memory, and what is aimed at."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.bench.measuring import Row, tell, with_project

QUICK_BELOW_S = 10.0
"""A quick measurement leaves out what may take longer than this."""
AT_MOST_GROWTH = 1.1
"""What ten times the runs may take of the memory of fewer."""

RESULTS = "{results}"
"""Stands in a command for a folder of its own, which is empty."""


@dataclass(frozen=True)
class Case:
    """Name a command and its bars.

    Args:
        name: what the table calls it.
        words: of the command; RESULTS in them is a folder.
        seconds: bar, at most.
        megabytes: bar of the largest process, at most, if any.
        warm: words of the command that runs once before, if not the same.
        like: the name of the case whose peak this one's may exceed by AT_MOST_GROWTH only, if any.
        given: words of a command whose results this one reads, if any.
    """

    name: str
    words: tuple[str, ...]
    seconds: float | None
    megabytes: float | None = None
    warm: tuple[str, ...] | None = None
    like: str | None = None
    given: tuple[str, ...] | None = None


def _sweep(runs: int, *words: str) -> tuple[str, ...]:
    return ("run", "-m", "width=30", "batch_size=32", *words, f"seed=range({runs})", f"results_dir={RESULTS}", "name=bench")


_THOUSAND = ("depth=4", "steps=50")
_STILL = ("depth=10", "steps=0")

CASES = (
    Case("gradstab --help", ("--help",), 0.1),
    Case("gradstab graph", ("graph", "(x+y)*z", "x=-2", "y=5", "z=-4", "--output", RESULTS), 0.7),
    Case("gradstab run depth=2 steps=0", ("run", "depth=2", "steps=0", f"results_dir={RESULTS}"), 1.2),
    Case("1,000 runs, 50 steps", _sweep(1000, *_THOUSAND), 4.0, warm=_sweep(100, *_THOUSAND)),
    Case("1,000 runs, 50 steps, record=full", _sweep(1000, *_THOUSAND, "record=full"), None, warm=_sweep(100, *_THOUSAND, "record=full")),
    Case("gradstab report of 1,000 runs", ("report", f"{RESULTS}/bench"), 3.0, given=_sweep(1000, *_THOUSAND)),
    Case(
        "gradstab remedies depth=8 activation=sigmoid steps=60",
        ("remedies", "depth=8", "activation=sigmoid", "steps=60", f"results_dir={RESULTS}"),
        8.0,
    ),
    Case("10,000 runs, 50 steps", _sweep(10_000, *_THOUSAND), 20.0, 1024.0, warm=_sweep(100, *_THOUSAND)),
    Case("gradstab reproduce", ("reproduce", f"results_dir={RESULTS}"), 60.0, warm=("reproduce", "--quick", f"results_dir={RESULTS}")),
    Case("10,000 runs, depth 10, 0 steps", _sweep(10_000, *_STILL), None, warm=_sweep(100, *_STILL)),
    Case(
        "100,000 runs, depth 10, 0 steps",
        _sweep(100_000, *_STILL),
        150.0,
        warm=_sweep(100, *_STILL),
        like="10,000 runs, depth 10, 0 steps",
    ),
)
"""In this order they are measured."""


def chosen(quick: bool) -> list[Case]:
    """Return the commands to measure: all, or those that take no longer than some ten seconds."""
    return [case for case in CASES if not quick or (case.seconds is not None and case.seconds < QUICK_BELOW_S)]


def measure_end_to_end(cases: list[Case]) -> list[Row]:
    """Time commands, start-up included, each in a process of its own after one that does not count; and tell each as it is known.

    Returns:
        One row a command: name, seconds, cpu_s of all processors, exit, peak_mb of the largest process, and its bars: bar_s and
        bar_mb, None without.
    """
    rows: list[Row] = []
    for case in cases:
        measured = _measure(case)
        like = next((row for row in rows if row["name"] == case.like), None)
        bar = case.megabytes if like is None else AT_MOST_GROWTH * like["peak_mb"]
        rows.append({"name": case.name, **measured, "bar_s": case.seconds, "bar_mb": bar})
        figures = f"{measured['seconds']:.4g} s ({measured['cpu_s']:.4g} s of processors), {measured['peak_mb']:.4g} MB"
        tell(f"{case.name}: {figures}, exit {measured['exit']}")
    return rows


def _measure(case: Case) -> dict[str, Any]:
    environment = {**os.environ, **with_project()}
    with tempfile.TemporaryDirectory() as folder:
        if case.given:
            timed(_command(case.given, Path(folder) / "measured"), environment)
        before = Path(folder) / ("measured" if case.given else "before")
        timed(_command(case.warm or case.words, before), environment)
        seconds, code, peak, busy = timed(_command(case.words, Path(folder) / "measured"), environment)
    return {"seconds": seconds, "cpu_s": busy, "exit": code, "peak_mb": peak}


def _command(words: tuple[str, ...], results: Path) -> list[str]:
    results.mkdir(exist_ok=True)
    return [sys.executable, "-m", "experiments", *(word.replace(RESULTS, str(results)) for word in words)]


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, int, float, float]:
    """Return what `experiments.bench.timing` tells of a command: seconds, exit code, peak in MB, seconds of all processors."""
    slim = [sys.executable, str(Path(__file__).with_name("timing.py"))]
    done = subprocess.run([*slim, *command], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    seconds, code, peak, busy = json.loads(done.stdout)
    return seconds, code, peak, busy
