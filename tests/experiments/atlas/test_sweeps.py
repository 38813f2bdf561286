from dataclasses import replace
from pathlib import Path

import pytest

from experiments.atlas.catalogue import select
from experiments.atlas.parts import Parts
from experiments.atlas.sweeps import compose_all, merged
from experiments.errors import UserError
from experiments.findings.finding import Finding, Sweep
from experiments.sweep.execution import execute
from experiments.sweep.plan import plan
from tests.experiments.atlas import own

TINY = ("width=8", "data.n_samples=40", "steps=0", "executor=serial")


def finding(name: str, *overrides: str, data: tuple[tuple[str, ...], ...] = ()) -> Finding:
    modes = {"quick": ("seed=0",), "default": ("seed=0,1",), "full": ("seed=0,1,2",)}
    base = select(["s_vanish"])[0].finding
    return replace(base, id=name, sweeps={"nets": Sweep("nets", (*TINY, *overrides), modes, data)})


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([("lr=1", "depth=2"), ("lr=2",)], ["lr=2", "depth=2"]),
        ([("init=he", "init.scale=2"), ("init=xavier",)], ["init=xavier"]),
        ([("init.scale=2", "init=he"), ("lr=1",)], ["init.scale=2", "init=he", "lr=1"]),
        ([("init=he", "init.scale=2"), ("init=xavier", "init.scale=3")], ["init=xavier", "init.scale=3"]),
        ([("init=he",), ("init.scale=3",)], ["init=he", "init.scale=3"]),
    ],
)
def test_a_stronger_override_takes_the_place_of_a_weaker(layers: list[tuple[str, ...]], expected: list[str]) -> None:
    assert sorted(merged(*layers)) == sorted(expected)


def test_runs_of_two_findings_are_made_once_and_given_to_both(tmp_path: Path) -> None:
    one, two = finding("one", "depth=2,3"), finding("two", "depth=3,4")
    made = compose_all([one, two], "default", [f"results_dir={tmp_path}"])
    assert len(made.runs) == 6
    assert made.shared == 2
    assert [run.index for run in made.runs] == list(range(6))
    assert set(made.members["one", "nets"]) & set(made.members["two", "nets"])
    assert made.folder == tmp_path / "atlas"
    tables, _ = execute(plan(made.runs, made.folder / "runs", extend=True), ["test"], progress=False)
    parts = Parts(tables, made, made.folder / "runs", {})
    for name, depths in (("one", [2, 2, 3, 3]), ("two", [3, 3, 4, 4])):
        own_tables = parts[name]["nets"]
        assert own_tables.runs["depth"].tolist() == depths
        assert own_tables.runs["job"].tolist() == [0, 1, 2, 3]
        assert own_tables.layers.groupby("run_id").size().sum() == sum(depth + 2 for depth in depths)
        assert set(own_tables.layers["run_id"]) == set(own_tables.runs["run_id"])


def test_a_mode_and_the_command_line_change_the_sweep() -> None:
    quick = compose_all([finding("one", "depth=2,3")], "quick", [])
    assert len(quick.runs) == 2
    stronger = compose_all([finding("one", "depth=2,3")], "quick", ["depth=7", "width=9"])
    assert [(run.depth, run.width) for run in stronger.runs] == [(7, 9)]
    assert "gradstab run -m" in stronger.commands["one", "nets"]
    assert "depth=7" in stronger.commands["one", "nets"]


def test_the_first_data_that_are_there_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADSTAB_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    missing, there = ("data=mnist", "data.split=train"), ("data=gaussian", "data.n_samples=30")
    made = compose_all([finding("one", "depth=2", data=(missing, there))], "quick", [])
    assert made.runs[0].choice("data") == "gaussian"
    with pytest.raises(UserError, match=r"one, sweep nets: data=mnist: .* not found"):
        compose_all([finding("one", "depth=2", data=(missing,))], "quick", [])


def test_a_mistake_is_one_line_that_names_finding_and_sweep() -> None:
    with pytest.raises(UserError, match="one, sweep nets: unknown key `dpeth`; did you mean `depth`"):
        compose_all([finding("one", "dpeth=2")], "quick", [])
    with pytest.raises(UserError, match="one, sweep nets: `depth` must be"):
        compose_all([finding("one", "depth=-1")], "quick", [])


def test_an_own_finding_composes(tmp_path: Path) -> None:
    entries = select(None, own.write(tmp_path / "mine"))
    assert len(compose_all([entry.finding for entry in entries], "default", []).runs) == 6
