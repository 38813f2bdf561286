"""What a test starts ends with it, whatever becomes of the test; and nothing is started in another way."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.processes import ROOT, alive, end, environment, run, started

FAMILY = ["sh", "-c", "sleep 1000 & sleep 1000 & wait"]
OTHER_WAYS = {"tests/processes.py", "tests/compat.py", "tests/faults/kill_sweep.py", "tests/readme.py", "tests/test_processes.py"}
"""Here it is done and tested; the others are programs, not tests."""


def grown(process: subprocess.Popen[bytes], members: int) -> None:
    """Wait until a group has so many members."""
    deadline = time.monotonic() + 30
    while len(alive(process.pid)) < members:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_test_that_fails_leaves_no_process_behind() -> None:
    begun = []

    def fails() -> None:
        with started(*FAMILY) as process:
            begun.append(process)
            grown(process, 3)
            raise AssertionError("failed")

    with pytest.raises(AssertionError, match="failed"):
        fails()
    assert not alive(begun[0].pid)


def test_children_do_not_outlive_their_parent() -> None:
    done = run(["sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $$; exit 3"])
    assert (done.returncode, done.stderr) == (3, "")
    assert not alive(int(done.stdout))


def test_nor_the_time_that_they_have(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(["sh", "-c", "echo $$ > group; sleep 1000 & wait"], timeout=1, cwd=tmp_path)
    assert not alive(int((tmp_path / "group").read_text()))


def test_what_has_ended_but_was_not_asked_about_is_not_alive() -> None:
    process = subprocess.Popen(["true"], start_new_session=True)
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not alive(process.pid)
    end(process)


def test_a_warning_is_an_error_there_too() -> None:
    done = run([sys.executable, "-c", "import warnings; warnings.warn('old', DeprecationWarning)"], env=environment())
    assert done.returncode == 1
    assert "DeprecationWarning: old" in done.stderr


def test_no_test_starts_processes_in_another_way() -> None:
    found = set()
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"subprocess.run", "subprocess.Popen", "os.system", "os.popen"}:
                found.add(path.relative_to(ROOT).as_posix())
    assert found == OTHER_WAYS
