import json
from dataclasses import replace

import pytest

from experiments.compose.composition import compose, runs_of
from experiments.sweep import invocation
from experiments.sweep.invocation import Invocation, carry_out, command_line
from tests.experiments.helpers import TINY


@pytest.fixture
def asked(tmp_path):
    runs, _ = runs_of(compose(["--multirun"], [*TINY, "depth=2", "steps=1", "seed=0,1"]))
    return Invocation(runs, tmp_path / "x")


def never(tables, done):
    raise AssertionError("reported")


def test_what_is_done_is_reported_with_its_plan(asked):
    seen = []

    def report(tables, done):
        seen.append((len(tables.runs), len(done.todo), done.done, done.folder))
        return 0

    assert carry_out(asked, report) == 0
    assert carry_out(asked, report) == 0
    assert seen == [(2, 2, 0, asked.folder), (2, 0, 2, asked.folder)]


def test_the_reports_code_is_the_commands(asked):
    assert carry_out(asked, lambda tables, done: 1) == 1


@pytest.mark.parametrize("as_json", [False, True])
def test_a_dry_run_tells_the_cost_and_writes_nothing(asked, capsys, as_json):
    assert carry_out(replace(asked, dry_run=True, as_json=as_json), never) == 0
    out = capsys.readouterr().out
    assert not asked.folder.exists()
    if as_json:
        assert json.loads(out)["runs"] == 2
    else:
        assert "2 runs, 0 of them done" in out


def failing(monkeypatch, interrupted):
    real = invocation.execute

    def execute(plan, command):
        tables, _ = real(plan, command)
        if not interrupted:
            tables.runs.loc[tables.runs["seed"] == 1, ["status", "error"]] = ["failed", "ValueError: no\nmore"]
        return tables, interrupted

    monkeypatch.setattr(invocation, "execute", execute)


def test_a_run_that_failed_is_named_and_the_exit_code_is_1(asked, monkeypatch, capsys):
    failing(monkeypatch, interrupted=False)
    assert carry_out(asked, lambda tables, done: 0) == 1
    error = capsys.readouterr().err
    assert error == f"gradstab: job 1 ({asked.runs[1].run_id}) failed: ValueError: no\n"


def test_a_failed_run_of_another_sweep_in_the_folder_is_not_this_ones(asked, monkeypatch, capsys):
    failing(monkeypatch, interrupted=False)
    carry_out(asked, lambda tables, done: 0)
    capsys.readouterr()
    first = replace(asked, runs=asked.runs[:1], extend=True)
    assert carry_out(first, lambda tables, done: 0) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("partial", [False, True])
def test_an_interrupt_is_told_and_reported_only_where_that_is_wanted(asked, monkeypatch, capsys, partial):
    failing(monkeypatch, interrupted=True)
    seen = []

    def report(tables, done):
        seen.append(len(tables.runs))
        return 0

    assert carry_out(replace(asked, partial=partial), report) == 130
    assert seen == ([2] if partial else [])
    assert "interrupted; 2 finished runs kept, the same command resumes" in capsys.readouterr().err


def test_the_command_line_can_be_typed_again(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/bin/gradstab", "run", "-m", "seed=range(3)"])
    assert " ".join(command_line()) == "gradstab run -m 'seed=range(3)'"
