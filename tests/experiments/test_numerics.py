import os
import platform
import sys

import pytest

from experiments import numerics
from experiments.errors import UserError
from tests.processes import environment, run


def test_native_runs_stay_in_this_process(monkeypatch):
    monkeypatch.setattr(os, "execve", lambda *args: (_ for _ in ()).throw(AssertionError("started anew")))
    numerics.ensure("native")


def test_a_process_that_is_not_the_command_is_not_replaced(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["notebook"])
    for name in numerics.PORTABLE:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="gradstab run"):
        numerics.ensure("portable")


def test_portable_runs_start_anew_once(monkeypatch):
    calls = []
    monkeypatch.setattr(os, "execve", lambda *args: calls.append(args))
    for name in numerics.PORTABLE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["gradstab", "run", "depth=2"])
    numerics.ensure("portable")
    ((program, arguments, environment),) = calls
    assert (program, arguments) == (sys.executable, [sys.executable, "-m", "experiments", "run", "depth=2"])
    assert numerics.PORTABLE.items() <= environment.items()
    for name, value in numerics.PORTABLE.items():
        monkeypatch.setenv(name, value)
    numerics.ensure("portable")
    assert len(calls) == 1


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="only these processors have AVX-512")
def test_no_loop_of_avx512_is_left_whatever_numpy_calls_it():
    program = (
        "from numpy._core._multiarray_umath import __cpu_dispatch__ as loops, __cpu_features__ as found;"
        "wide = [name for name in loops if 'AVX512' in name or name == 'X86_V4']; assert wide, loops;"
        "print([name for name in wide if found[name]])"
    )
    done = run([sys.executable, "-c", program], env=environment(**numerics.PORTABLE))
    assert (done.stdout, done.stderr) == ("[]\n", "")
