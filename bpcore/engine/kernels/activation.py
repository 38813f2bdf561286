"""Activations in compiled layers: the loop around each formula, compiled one by one."""

import functools
from typing import Any

from numba import types

from bpcore.activations import Activation
from bpcore.engine.compiling import Kernel, call_of
from bpcore.engine.formulas import layer, signature, twin_of

call = call_of(types.void, 7)


@functools.cache
def _kernel(formula: Any) -> Kernel:
    return Kernel(layer(formula), signature, set())


def kernel_of(phi: Activation) -> tuple[Kernel, tuple[float, float]] | None:
    """Return the kernel of an activation and its parameters, None where nobody wrote its formula."""
    twin = twin_of(phi)
    return None if twin is None else (_kernel(twin[0]), twin[1])
