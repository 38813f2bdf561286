"""Kernels on disk: compiled once for a machine, loaded without the compiler, and never trusted where they are not what was written."""

import os
import sys
import threading
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

from bpcore.engine import machine
from bpcore.engine.kernels import building
from bpcore.engine.machine import Kernel
from tests import processes

SCRIPT = """
import sys
from bpcore.engine import twins
from bpcore.optimizers import Adam
kernel, _ = twins.of_optimizer(Adam(0.9, 0.999, 1e-8))
assert kernel.address("float32")
print("numba" in sys.modules)
"""


def loaded(cache: Path, script: str = SCRIPT) -> tuple[str, str]:
    """Load a kernel in a process with a cache of its own, and return what it says."""
    done = processes.run([sys.executable, "-c", script], env=processes.environment(XDG_CACHE_HOME=str(cache)))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr.strip()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, str]]:
    """Return the cache of a first process, which compiles, and what that said."""
    cache = tmp_path_factory.mktemp("cache")
    return cache, loaded(cache)


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder for machine code; it is compiled in this process, whoever used numba before."""
    place = tmp_path / machine.fingerprint()
    place.mkdir()
    monkeypatch.setattr(machine, "folder", lambda: place)
    monkeypatch.setattr(building, "_begin", lambda: True)
    return place


def test_a_second_process_does_without_the_compiler(compiled: tuple[Path, tuple[str, str]]) -> None:
    cache, said = compiled
    assert said == ("True", "gradstab: compiling the engine for this machine, once; it takes some ten seconds")
    kept = {file: file.stat().st_mtime_ns for file in cache.rglob("*.o")}
    assert len(kept) == 1
    assert loaded(cache) == ("False", "")
    assert {file: file.stat().st_mtime_ns for file in cache.rglob("*.o")} == kept


OTHER = """
import numba
numba.njit(lambda x: x)(1)  # of somebody else, who lets numba choose its vectors
from bpcore.engine.machine import Kernel
assert Kernel("optimizer", "adam").address("float32")
"""


def test_code_is_the_same_where_numba_was_in_use_before(compiled: tuple[Path, tuple[str, str]], tmp_path: Path) -> None:
    """Sums depend on how many entries are added at once."""
    loaded(tmp_path, OTHER)
    made = []
    for cache in (tmp_path, compiled[0]):
        (file,) = cache.rglob("*.o")
        code = machine._read(file)
        assert code is not None
        made.append([part.data() for part in llvm.ObjectFileRef.from_data(code).sections() if part.is_text()])
    assert made[0] == made[1] != []


def test_what_is_not_what_was_written_is_compiled_again(own_folder: Path) -> None:
    assert Kernel("clip", "norm").address("float64")
    (file,) = own_folder.glob("*.o")
    whole = file.read_bytes()
    for broken in (b"", whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]):
        file.write_bytes(broken)
        assert machine._read(file) is None
        assert Kernel("clip", "norm").address("float64")
        assert machine._read(file) is not None


def test_what_an_engine_became_while_it_was_compiled_is_not_kept(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is named after what stood there before; code of an edited engine under that name would give other bits."""
    monkeypatch.setattr(machine, "fingerprint", lambda: "edited")
    assert Kernel("clip", "norm").address("float64")
    assert not list(own_folder.glob("*.o"))


def test_no_two_compile_the_same(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    build = building.build

    def counted(*arguments: object) -> bytes:
        compiled.append(str(arguments[1]))
        return build(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(building, "build", counted)
    crowd = [threading.Thread(target=Kernel("clip", "value").address, args=("float32",)) for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert compiled == ["value"]


def test_the_folder_is_named_after_what_the_code_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def name() -> str:
        machine.folder.cache_clear()
        machine.target.cache_clear()
        return machine.folder().name

    try:
        here = name()
        monkeypatch.setenv("NUMBA_CPU_NAME", "haswell")
        monkeypatch.setenv("NUMBA_CPU_FEATURES", "+avx2,+fma")
        assert machine.target() != ("haswell", "+avx2,+fma")  # it is read once
        there = name()
        assert machine.target() == ("haswell", "+avx2,+fma")
        assert here != there
        monkeypatch.setattr(machine.importlib.metadata, "version", lambda name: "0")
        assert name() not in (here, there)
    finally:
        monkeypatch.undo()
        assert name() == here


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="the superuser may write anywhere")
def test_where_the_cache_cannot_be_written_another_place_is_taken(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir(mode=0o500)
    elsewhere.mkdir()
    done = processes.run([sys.executable, "-c", SCRIPT], env=processes.environment(XDG_CACHE_HOME=str(home), TMPDIR=str(elsewhere)))
    assert done.returncode == 0, done.stderr
    assert list(elsewhere.rglob("*.o"))


def test_a_cache_that_is_a_file_is_no_place(tmp_path: Path) -> None:
    """As where a home cannot be written, and for the superuser too."""
    (tmp_path / "cache").write_text("")
    (tmp_path / "elsewhere").mkdir()
    there = processes.environment(XDG_CACHE_HOME=str(tmp_path / "cache"), TMPDIR=str(tmp_path / "elsewhere"))
    done = processes.run([sys.executable, "-c", SCRIPT], env=there)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "elsewhere").rglob("*.o"))


def test_a_kernel_that_calls_what_is_not_in_every_process_is_refused(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bpcore.engine.kernels import clip

    def strange(g, k, sizes, layers, whole, c, m, factors, w, parts, count, past, number, keep, floor, constants):  # type: ignore[no-untyped-def]
        print(k)
        return 0

    monkeypatch.setitem(clip.KERNELS, "strange", (strange, clip.signature, set()))
    with pytest.raises(RuntimeError, match=r"kernel clip\.strange calls .*, which is not in every process"):
        Kernel("clip", "strange").address("float64")
    assert not list(own_folder.glob("*.o"))


def test_an_array_of_a_plan_is_contiguous() -> None:
    from bpcore.engine.plan import plan, revise

    told = plan(x=np.zeros((3, 4)), n=7, eps=0.5)
    assert (told["x_columns"][0], told["n"][0], told["eps"][0]) == (4, 7, 0.5)
    revise(told, {"n": 8})
    assert told["n"][0] == 8
    with pytest.raises(ValueError, match="array `x` of a plan must be contiguous"):
        plan(x=np.zeros((3, 4)).T)
