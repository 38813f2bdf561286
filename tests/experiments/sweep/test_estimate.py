import pytest

from experiments.compose.composition import compose, runs_of
from experiments.sweep.estimate import estimate
from experiments.sweep.execution import execute
from experiments.sweep.executors.processes import Processes
from experiments.sweep.plan import plan
from experiments.sweep.tiles import multiplications
from tests.experiments.helpers import TINY


def runs_for(*overrides):
    return runs_of(compose(["--multirun"], [*TINY, *overrides]))[0]


def test_runs_that_differ_in_scalars_alone_share_a_stack(tmp_path):
    cost = estimate(plan(runs_for("lr=0.1,0.2", "seed=0,1", "depth=2,3", "steps=3"), tmp_path / "x"))
    assert (cost["runs"], cost["stacks"], cost["done"]) == (8, 2, 0)
    assert cost["seconds"] > 0
    assert cost["memory_mb"] > 0
    assert cost["disk_mb"] > 0


def test_work_grows_with_depth_and_batch():
    small, deep, batch = (
        multiplications(runs_for(*overrides)[0]) for overrides in (["depth=2"], ["depth=4"], ["depth=2", "batch_size=25"])
    )
    assert deep > small
    assert batch * 2 == small


def test_what_is_done_costs_nothing(tmp_path):
    runs = runs_for("depth=2", "steps=1")
    execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
    cost = estimate(plan(runs, tmp_path / "x"))
    assert (cost["runs"], cost["done"], cost["stacks"], cost["seconds"]) == (1, 1, 0, 0)


def test_disk_is_estimated_within_a_factor_of_four(tmp_path):
    runs = runs_for("depth=10", "steps=200", "seed=0,1")
    predicted = estimate(plan(runs, tmp_path / "x"))["disk_mb"]
    execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
    written = sum(path.stat().st_size for path in (tmp_path / "x").iterdir()) / 2**20
    assert written / 4 < predicted < written * 4, (predicted, written)


def test_the_workers_are_known_without_starting_any(tmp_path, monkeypatch):
    monkeypatch.setattr(Processes, "start", lambda self, tasks: pytest.fail("started"))
    runs = runs_for("depth=2,3,4", "seed=0,1", "steps=1", "executor=processes", "executor.max_workers=2")
    assert estimate(plan(runs, tmp_path / "x"))["workers"] == 2
    assert estimate(plan(runs[:2], tmp_path / "x"))["workers"] == 1  # one tile
