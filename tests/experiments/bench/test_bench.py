"""The benchmark: what it measures, its table and its page; not how fast anything is."""

import json
import math
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from experiments.bench import breakdown, measuring, tables
from experiments.bench.engine import fastest, measure, products, seconds_per_step
from experiments.bench.shapes import AT_LEAST_TIMES_JAX, AT_LEAST_TIMES_TORCH, AT_MOST_TIMES_GEMMS, PEER_STACKS, SIZES, Shape, chosen
from experiments.cli import main
from tests.processes import run

SMALL = Shape(3, 4, 2, "float32")
ROW = {
    "width": 30,
    "batch": 32,
    "depth": 4,
    "dtype": "float32",
    "notes": [],
    "engine": 16.0,
    "fastest": 16.0,
    "gemms": 8.0,
    "runs": 32,
    "full": 64.0,
}


MACHINE = {"cpu": "c", "cores": 2, "l2_kib": 512, "python": "3", "numpy": "2", "blas": "b"}


def test_every_shape_has_targets() -> None:
    widths = {width for width, _, _ in SIZES}
    for targets in (AT_LEAST_TIMES_TORCH, AT_LEAST_TIMES_JAX, AT_MOST_TIMES_GEMMS, PEER_STACKS):
        assert set(targets) == widths
    assert len(chosen(False)) == 10
    assert 0 < len(chosen(True)) < 10


def test_the_engine_and_the_products_are_timed() -> None:
    mean, least = seconds_per_step(SMALL, 2, 6)
    assert 0 < least <= mean < 1
    times = measure(SMALL, 1)
    assert times["engine"] >= times["fastest"] > times["gemms"] > 0
    assert times["full"] > 0


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


def test_the_products_taken_apart_are_the_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, with_bias = ([(n + one) * k * SMALL.batch for n, k in pairwise(SMALL.sizes)] for one in (0, 1))
    assert products_made(breakdown.kinds(SMALL, 2)["products"], monkeypatch) == sorted([*with_bias, *with_bias, *weights])


def test_a_step_is_taken_apart() -> None:
    parts = breakdown.measure(SMALL)
    assert set(parts) == {*breakdown.KINDS, "rest", "step", "runs"}
    assert all(parts[kind] > 0 for kind in breakdown.KINDS)
    assert math.isclose(sum(parts[kind] for kind in breakdown.KINDS) + parts["rest"], parts["step"])
    page = tables.document({"machine": MACHINE, "arguments": [], "breakdown": [{**ROW, **parts}, {**ROW, "error": "none"}]})
    assert len({line.count("|") for line in page.splitlines() if "|" in line}) == 1


def test_the_fastest_of_many_counts() -> None:
    assert 0 <= fastest(lambda: None, 0.001) < 0.001


def test_ratios_and_verdicts() -> None:
    judged = tables.judged({**ROW, "torch": 400.0, "jax": 17.0})
    assert judged["over GEMMs"] == (2.0, 2.0, True)
    assert judged["× torch eager"] == (25.0, 15.0, True)
    assert judged["× JAX"] == (17 / 16, 1.2, False)
    assert judged["full/light"] == (4.0, 3.0, False)
    assert math.isnan(judged["× torch stacked"][0])


def test_the_page_says_what_was_met_missed_and_not_measured() -> None:
    end = {"runs": 1000, "record": "light", "seconds": 9.0, "planning": 1.5, "peak_mb": 300.0, "exit": 0}
    failed = {**end, "exit": 1}
    page = tables.document({"machine": MACHINE, "arguments": [], "shapes": [ROW], "end_to_end": [end, failed]})
    assert "| 2 (met: 2) |" in page
    assert "| 4 (missed: 3) |" in page
    assert "| 1000 | light | 9 | 9 | 1.5 | 300 |" in page
    assert "failed with 1" in page
    lengths = {line.count("|") for line in page.splitlines() if line.startswith("| 30")}
    assert lengths == {page.splitlines()[6].count("|")}


def test_a_peer_that_is_missing_or_broken_is_noted(tmp_path: Path) -> None:
    script = tmp_path / "peers.py"
    script.write_text(
        "import sys, json; print(json.dumps({'missing': 'x'}) if 'jax' in sys.argv else json.dumps({'us_per_run_step': 7.0}))"
    )
    (row,) = measuring.measure_shapes([Shape(30, 2, 1, "float32")], 1, False, True, script, None)
    assert (row["torch"], row["torch-stacked"], row["jax"]) == (7.0, 7.0, None)
    assert row["notes"] == ["not installed: x"]
    script.write_text("raise SystemExit('broken')")
    assert measuring.measure_peer("torch", SMALL, 1, script, None) == {"error": "broken"}


def test_each_command_has_its_own_peak() -> None:
    """In a process as slim as the benchmark's own: a child's peak begins with what its parent held when it was forked."""
    script = (
        "import sys; from experiments.bench.measuring import _timed;"
        "print(*(_timed([sys.executable, '-c', f'bytearray({mb} << 20)'], {})[2] for mb in (400, 0)));"
        "print(_timed([sys.executable, '-c', 'raise SystemExit(3)'], {})[1])"
    )
    done = run([sys.executable, "-c", script], cwd=measuring.ROOT)
    assert done.returncode == 0, done.stderr
    large, small, code = map(float, done.stdout.split())
    assert large > 400 > small
    assert code == 3


@pytest.mark.skipif(sys.platform == "win32", reason="no affinity")
def test_measurements_keep_to_one_core_and_give_it_back() -> None:
    import os

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
    assert main(["bench", "--only", "engine", "--output", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "bench.json").read_text())["shapes"] == [ROW]
    assert (tmp_path / "bench.md").read_text() == capsys.readouterr().out
