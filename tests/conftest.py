"""Settings for the whole suite."""

import ctypes
import gc
import os
from collections.abc import Iterator

import pytest

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy is imported; bits are promised for one BLAS thread, and small nets are faster so


TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def keep_freed_memory() -> None:
    """Have the C library keep what is freed, where it can: to return arrays to the system and ask for them again is a tenth of all time."""
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(TRIM_THRESHOLD, 1 << 29)
        mallopt(MMAP_THRESHOLD, 1 << 25)


if os.name == "posix":
    keep_freed_memory()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without collecting garbage, and leave modules and thousands of tests out of every garbage collection from then on."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)  # figures and configs are made of many objects, and few of them are garbage for long
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Compile every kernel that is not on disk yet, before a test may be looking at what is printed; workers begin at either end."""
    from bpcore.engine import twins
    from tests.bpcore.runs import stack, train_one

    kinds = [(kernel, dtype) for dtype in ("float64", "float32") for kernel in twins.kernels()]
    other = os.environ.get("PYTEST_XDIST_WORKER", "gw0").endswith(("1", "3", "5", "7", "9"))
    for kernel, dtype in reversed(kinds) if other else kinds:
        kernel.address(dtype)
    for dtype in ("float32", "float64") if other else ("float64", "float32"):
        train_one(stack(dtype=dtype, steps=1, batch_size=4))


@pytest.fixture
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have sweeps run in this process, as they do on one core, where what workers do is tested elsewhere."""
    from experiments.sweep.executors import processes

    monkeypatch.setattr(processes, "cores", lambda: 1)
