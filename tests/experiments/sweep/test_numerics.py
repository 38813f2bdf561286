import os
import platform
import sys
import tempfile
from pathlib import Path

import pytest

from experiments import cli
from experiments.errors import UserError
from experiments.sweep import numerics
from tests.experiments.helpers import TINY, sweep
from tests.processes import environment, run


class StartedAnewError(BaseException):
    """Stand for the process that takes this one's place."""


@pytest.fixture
def started(monkeypatch):
    """Return the calls by which a process would have been replaced; each leaves what stood in the folder of temporary files."""
    calls = []

    def execve(*arguments):
        calls.append((*arguments, list(Path(tempfile.gettempdir()).glob("gradstab-*"))))
        raise StartedAnewError

    monkeypatch.setattr(os, "execve", execve)
    for name in numerics.PORTABLE:
        monkeypatch.delenv(name, raising=False)
    return calls


def test_native_runs_stay_in_this_process(started):
    numerics.ensure("native")
    assert not started


@pytest.mark.parametrize("argv", [[], ["notebook"], ["pytest", "run"], ["own.py", "remedies", "numerics=portable"], ["gradstab"]])
def test_a_process_that_is_not_the_command_is_not_replaced(started, monkeypatch, argv):
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(UserError, match="gradstab run"):
        numerics.ensure("portable")
    assert not started


@pytest.mark.parametrize("program", ["gradstab", "/usr/bin/gradstab", "gradstab.exe", "/lib/experiments/__main__.py"])
def test_portable_runs_start_anew_once(started, monkeypatch, program):
    monkeypatch.setattr(sys, "argv", [program, "run", "depth=2"])
    with pytest.raises(StartedAnewError):
        numerics.ensure("portable")
    ((interpreter, arguments, environment, _),) = started
    assert (interpreter, arguments) == (sys.executable, [sys.executable, "-m", "experiments", "run", "depth=2"])
    assert numerics.PORTABLE.items() <= environment.items()
    for name, value in numerics.PORTABLE.items():
        monkeypatch.setenv(name, value)
    numerics.ensure("portable")
    assert len(started) == 1


COMMANDS = {
    "run": ["run", *TINY, "depth=2", "steps=1", "numerics=portable"],
    "remedies": ["remedies", *TINY, "depth=2", "steps=1", "numerics=portable", "--seeds", "2"],
    "reproduce": ["reproduce", "--finding", "s_vanish", "--quick", "numerics=portable"],
    "theory": ["theory", "depth=2", "numerics=portable"],
    "phase": ["phase", "activation=tanh", "numerics=portable"],
    "verify": ["verify", "portable"],
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_every_command_that_computes_starts_anew(started, monkeypatch, tmp_path, arguments):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    if arguments[0] == "verify":
        with monkeypatch.context() as portable:
            for name, value in numerics.PORTABLE.items():
                portable.setenv(name, value)
            sweep(tmp_path, "depth=1", "steps=1", "numerics=portable", multirun=False, name="portable")
    monkeypatch.setattr(sys, "argv", ["gradstab", *arguments])
    with pytest.raises(StartedAnewError):
        cli.main()
    ((_, command, _, left),) = started
    assert command[3:] == arguments
    assert not left  # nobody comes back to remove it
    assert not (tmp_path / "results").exists()


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="only these processors have AVX-512")
def test_no_loop_of_avx512_is_left_whatever_numpy_calls_it():
    program = (
        "from numpy._core._multiarray_umath import __cpu_dispatch__ as loops, __cpu_features__ as found;"
        "wide = [name for name in loops if 'AVX512' in name or name == 'X86_V4']; assert wide, loops;"
        "print([name for name in wide if found[name]])"
    )
    done = run([sys.executable, "-c", program], env=environment(**numerics.PORTABLE))
    assert (done.stdout, done.stderr) == ("[]\n", "")
