import functools
from dataclasses import replace

from experiments.compose.composition import compose, runs_of
from experiments.sweep.plan import default_name, folder_of, plan
from tests.experiments.helpers import TINY


@functools.cache
def _composed(overrides):
    return compose(["--multirun"], [*TINY, "name=x", "steps=2", *overrides])


def runs_for(folder, *overrides):
    placed = [replace(entry, config={**entry.config, "results_dir": str(folder)}) for entry in _composed(overrides)]
    return runs_of(placed)[0]


def test_the_name_follows_from_the_definition(tmp_path):
    runs = runs_for(tmp_path, "seed=0,1")
    assert default_name(runs, None) == default_name(runs_for("elsewhere", "seed=0,1"), None)
    assert default_name(runs, None) != default_name(runs_for(tmp_path, "seed=0,2"), None)
    assert default_name(runs, None).startswith("sweep-")
    assert default_name(runs[:1], None).startswith("run-")
    assert default_name(runs, "overview").startswith("overview-")


def test_the_folder_is_named_by_the_user_or_by_the_sweep(tmp_path):
    runs = runs_for(tmp_path, "seed=0")
    assert folder_of(runs, None) == tmp_path / "x"
    assert folder_of(runs_for(tmp_path, "seed=0", "name=null"), None) == tmp_path / default_name(runs, None)


def test_planning_writes_nothing(tmp_path):
    planned = plan(runs_for(tmp_path, "seed=0,1"), tmp_path / "x")
    assert (len(planned.todo), planned.done) == (2, 0)
    assert list(tmp_path.iterdir()) == []
