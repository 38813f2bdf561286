"""The benchmark: what it measures, its tables and its page; not how fast anything is."""

import json
import math
import os
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest

from experiments.bench import end_to_end, engine, measuring, tables
from experiments.bench.engine import KINDS, fastest, kinds_at, made, measure, products, stretch
from experiments.bench.shapes import (
    AT_LEAST_TIMES_JAX,
    AT_LEAST_TIMES_TORCH,
    AT_MOST_TIMES_GEMMS,
    AT_MOST_TIMES_PLAIN,
    PEER_STACKS,
    SIZES,
    VARIANTS,
    Shape,
    chosen,
)
from experiments.cli import main

SMALL = Shape(3, 4, 2, "float32")
ROW = {
    "width": 30,
    "batch": 32,
    "depth": 4,
    "dtype": "float32",
    "notes": [],
    "engine": 16.0,
    "gemms": 8.0,
    "full": 32.0,
    "batchnorm": 24.0,
    "adam": 32.0,
    "clip": 16.0,
}

MACHINE = {"cpu": "c", "cores": 2, "l2_kib": 512, "python": "3", "numpy": "2", "numba": "0", "blas": "b"}


def rows_of(page: str) -> list[list[str]]:
    """Return the cells of all lines of the tables of a page."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]


def test_every_shape_has_bars() -> None:
    for bars in (AT_LEAST_TIMES_TORCH, AT_LEAST_TIMES_JAX, AT_MOST_TIMES_GEMMS):
        assert set(bars) == set(SIZES)
    widths = {width for width, _, _ in SIZES}
    assert set(PEER_STACKS) == widths
    assert set(AT_MOST_TIMES_PLAIN) < widths
    assert len(chosen(False)) == 10
    assert 0 < len(chosen(True)) < 10


def test_no_figure_has_the_name_of_a_size() -> None:
    sizes = {"width", "batch", "depth", "dtype"}
    assert set(KINDS) == {"engine", *VARIANTS}
    assert not sizes & {*KINDS, *measuring.PEERS}


def test_the_engine_and_the_products_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_STRETCH_S", 0.002)
    times = measure(SMALL, 1)
    assert set(times) == {"engine", "full", "gemms", "gemm_runs"}
    assert all(value > 0 for value in times.values())
    assert kinds_at(Shape(30, 2, 1, "float32")) == ["engine", *VARIANTS]
    assert set(measure(Shape(30, 2, 1, "float32"), 1)) == {*times, *VARIANTS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kind_of_step_trains(kind: str, dtype: str) -> None:
    stepper = made(Shape(3, 4, 2, dtype), kind)
    before = stepper.state["parameters"].copy()
    stretch(stepper, 3)()
    after = stepper.state["parameters"]
    assert after.dtype == dtype
    assert np.isfinite(after).all()
    assert (after != before).any()


def test_a_run_that_diverges_is_not_timed() -> None:
    stepper = made(SMALL, lr=float("inf"))
    with pytest.raises(ArithmeticError, match="left the finite numbers"):
        stretch(stepper, 3)()


def products_made(step: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the multiplications per run of each product that a step makes."""
    made: list[int] = []
    plain = np.matmul

    def counting(left, right, out):  # type: ignore[no-untyped-def]
        made.append(left.shape[-2] * left.shape[-1] * right.shape[-1])
        return plain(left, right, out=out)

    monkeypatch.setattr(np, "matmul", counting)
    step()
    return sorted(made)


def test_the_products_are_those_of_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = [n * k * SMALL.batch for n, k in pairwise(SMALL.sizes)]
    assert products_made(products(SMALL, 1), monkeypatch) == sorted([*weights, *weights, *weights[1:]])


def test_the_fastest_of_many_counts() -> None:
    assert 0 <= fastest(lambda: None, 0.001) < 0.001


def test_ratios_and_verdicts() -> None:
    judged = tables.judged({**ROW, "torch": 800.0, "jax": 17.0})
    assert judged["over products"] == (2.0, 2.2, True)
    assert judged["× torch eager"] == (50.0, 40.0, True)
    assert judged["× JAX"] == (17 / 16, 1.6, False)
    assert judged["full/light"] == (2.0, 1.5, False)
    assert math.isnan(judged["× torch stacked"][0])
    assert tables.judged_variants(ROW) == {
        "batch normalization": (1.5, 1.5, True),
        "adam": (2.0, 1.5, False),
        "clip=norm": (1.0, 1.5, True),
    }


def test_torch_one_by_one_has_a_bar_in_float32_only() -> None:
    value, bar, _ = tables.judged({**ROW, "dtype": "float64", "torch": 400.0})["× torch eager"]
    assert value == 25.0
    assert math.isnan(bar)


def test_the_page_says_what_was_met_missed_and_not_measured() -> None:
    page = tables.document({"machine": MACHINE, "arguments": ["--quick"], "shapes": [ROW, {**ROW, "width": 64, "batch": 64, "depth": 20}]})
    assert "Written by `gradstab bench --quick` on" in page
    head, _, first, second, kinds, _, only = rows_of(page)
    assert first[head.index("over products")] == "2 (met: 2.2)"
    assert first[head.index("full/light")] == "2 (missed: 1.5)"
    assert first[head.index("torch compiled")] == "–"
    assert second[head.index("over products")] == "2 (missed: 1.6)"
    assert only[kinds.index("adam/plain")] == "2 (missed: 1.5)"


def test_a_command_is_met_missed_failed_or_without_a_bar() -> None:
    row = {"name": "x", "seconds": 3.0, "cpu_s": 5.0, "peak_mb": 900.0, "exit": 0, "bar_s": 3.0, "bar_mb": None}
    rows = [row, {**row, "bar_s": 2.0}, {**row, "bar_mb": 800.0}, {**row, "exit": 1}, {**row, "bar_s": None}]
    _, _, *cells = rows_of(tables.document({"machine": MACHINE, "arguments": [], "end_to_end": rows}))
    assert [line[-1] for line in cells] == ["met", "missed", "missed", "failed with 1", "–"]
    assert cells[0][:5] == ["x", "3", "3", "5", "900"]


def test_a_peer_that_is_missing_or_broken_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "peers.py"
    script.write_text(
        "import sys, json\n"
        "if 'torch-compiled' in sys.argv: raise SystemExit('broken')\n"
        "print(json.dumps({'missing': 'x'}) if 'jax' in sys.argv else json.dumps({'us_per_run_step': 7.0}))"
    )
    (row,) = measuring.measure_shapes([Shape(30, 2, 1, "float32")], 1, False, True, script, None)
    assert [row[peer] for peer in measuring.PEERS] == [None, 7.0, 7.0, None]
    assert row["notes"] == ["jax: not installed: x", "torch-compiled at 30, 2, 1 float32: broken"]
    told = capsys.readouterr().err.splitlines()
    assert "30, 2, 1 float32: torch 7 µs" in told
    assert "jax: not installed: x" in told


def test_a_peer_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    script = tmp_path / "peers.py"
    script.write_text(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    assert measuring.measure_peer("torch", SMALL, 1, script, None, 3.0) == {"error": "took longer than 3 s"}
    child = int((tmp_path / "child").read_text())
    if hasattr(os, "killpg"):
        end = time.monotonic() + 30
        while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE and time.monotonic() < end:
            time.sleep(0.05)
        assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_quick_measurement_leaves_out_what_it_has_no_time_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "peers.py"
    script.write_text("raise SystemExit('was started')")
    monkeypatch.setattr(measuring, "QUICK_S", 0.0)
    (row,) = measuring.measure_shapes([Shape(30, 2, 1, "float32")], 1, False, True, script, None, quick=True)
    assert len(row["notes"]) == len(measuring.PEERS)
    assert all("no time left" in note for note in row["notes"])


def test_quick_tries_the_largest_stack_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[str, int]] = []
    monkeypatch.setattr(measuring, "measure_peer", lambda peer, shape, runs, *_: tried.append((peer, runs)) or {"us_per_run_step": 1.0})
    for quick in (True, False):
        measuring.measure_shapes([Shape(30, 2, 1, "float32")], 1, False, True, tmp_path, None, quick)
    first, second = tried[:4], tried[4:]
    assert first == [("jax", 64), ("torch", 1), ("torch-stacked", 64), ("torch-compiled", 64)]
    assert [runs for peer, runs in second if peer == "torch-compiled"] == [8, 64]


@pytest.mark.parametrize(
    "peer", ["torch", "jax", *(pytest.param(peer, marks=pytest.mark.slow) for peer in ("torch-stacked", "torch-compiled"))]
)
def test_the_built_in_peers_run_or_say_what_is_missing(peer: str) -> None:
    library = "jax" if peer == "jax" else "torch"
    result = measuring.measure_peer(peer, SMALL, 1 if peer == "torch" else 2, measuring.BUILT_IN, None, 300.0)
    assert result == {"missing": library} or result["us_per_run_step"] > 0


def test_each_command_has_its_own_peak() -> None:
    held = np.ones(30_000_000)  # 240 MB, with which the peak of a child would begin
    large, small = (end_to_end.timed([sys.executable, "-c", f"bytearray({mb} << 20)"], dict(os.environ))[2] for mb in (400, 0))
    assert large > 400
    assert small < held.nbytes / 2**20
    assert end_to_end.timed([sys.executable, "-c", "raise SystemExit(3)"], dict(os.environ))[1] == 3


def test_commands_run_once_before_in_a_folder_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    def timed(command: list[str], environment: dict[str, str]) -> tuple[float, int, float, float]:
        started.append(command[3:])
        return 1.0, 0, 10.0 * len(started), 2.0

    monkeypatch.setattr(end_to_end, "timed", timed)
    small = end_to_end.Case("small", ("run", "a=1", f"results_dir={end_to_end.RESULTS}"), 2.0)
    large = end_to_end.Case("large", ("run", "a=2"), 2.0, warm=("run", "a=0"), like="small")
    report = end_to_end.Case("report", ("report", f"{end_to_end.RESULTS}/bench"), 2.0, given=("run", "b=1"))
    rows = end_to_end.measure_end_to_end([small, large, report])
    (_, _, before), (_, _, measured), *others = started
    assert before.startswith("results_dir=")
    assert before != measured
    assert others[:2] == [["run", "a=0"], ["run", "a=2"]]
    assert others[2] == ["run", "b=1"]
    assert others[3] == others[4]  # the results must be there both times
    assert [row["bar_mb"] for row in rows] == [None, end_to_end.AT_MOST_GROWTH * 20.0, None]


def test_the_commands_are_those_with_bars_and_quick_leaves_out_the_long_ones() -> None:
    bars = {case.name: case.seconds for case in end_to_end.chosen(False)}
    assert bars["gradstab reproduce"] == 60
    assert bars["10,000 runs, 50 steps"] == 20
    assert bars["100,000 runs, depth 10, 0 steps"] == 150
    assert {case.name for case in end_to_end.chosen(True)} == {name for name, bar in bars.items() if bar is not None and bar < 10}
    names = [case.name for case in end_to_end.CASES]
    for case in end_to_end.CASES:
        assert case.like is None or names.index(case.like) < names.index(case.name)


@pytest.mark.skipif(sys.platform == "win32", reason="no affinity")
def test_measurements_keep_to_one_core_and_give_it_back() -> None:
    before = os.sched_getaffinity(0)
    with measuring.one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_a_script_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["bench", "--peers", str(tmp_path / "none.py"), "--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_rounds_are_at_least_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["bench", "--rounds", "0", "--output", str(tmp_path / "bench")]) == 2
    assert capsys.readouterr().err == "gradstab: error: `--rounds` must be an integer ≥ 1, got 0\n"
    assert not list(tmp_path.iterdir())


def test_the_command_writes_both_files(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setattr(measuring, "measure_shapes", lambda *args: [ROW])
    assert main(["bench", "--only", "engine", "--peer-path", str(tmp_path), "--output", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "bench.json").read_text())["shapes"] == [ROW]
    page = (tmp_path / "bench.md").read_text()
    assert page == capsys.readouterr().out
    assert "`gradstab bench --only engine --peer-path FOLDER` on" in page
    assert str(tmp_path) not in page
