"""Settings for the whole suite."""

import gc
import os
from collections.abc import Iterator

import pytest

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy is imported; bits are promised for one BLAS thread, and small nets are faster so


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without collecting garbage, and leave modules and thousands of tests out of every garbage collection from then on."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Compile every kernel that is not on disk yet, before a test may be looking at what is printed; workers begin at either end."""
    from bpcore.engine import twins
    from tests.bpcore.runs import stack, train_one

    found = [*twins._ACTIVATIONS.values(), *twins._LOSSES.values(), *(kernel for kernel, _ in twins._OPTIMIZERS.values())]
    found += [*twins._CLIPS.values(), twins._FORWARD, twins._BACKWARD, twins._EVALUATE, *twins._OF_EXAMPLES]
    kinds = [(kernel, dtype) for dtype in ("float64", "float32") for kernel in found]
    other = os.environ.get("PYTEST_XDIST_WORKER", "gw0").endswith(("1", "3", "5", "7", "9"))
    for kernel, dtype in reversed(kinds) if other else kinds:
        kernel.address(dtype)
    for dtype in ("float32", "float64") if other else ("float64", "float32"):
        train_one(stack(dtype=dtype, steps=1, batch_size=4))
