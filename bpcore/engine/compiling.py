"""How kernels are compiled, kept on disk, and called by their address.

A kernel is a plain function of pointers and sizes. It is compiled when it is first asked for, once for each dtype, and what comes of
it is kept in a folder of the user, so that the next process only loads it. The folder is named after everything that the machine
code depends on; an engine that was edited, another numba or another processor finds an empty one.
"""

import functools
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba
import numpy as np
import pooch
from filelock import FileLock
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

SUMS = {"reassoc", "contract", "nsz"}
"""What a loop that adds up may assume, so that it is vectorized: the order of a sum is free. Never that numbers are finite."""

ENTRIES = {"contract"}
"""What a loop over entries may assume: that a product and a sum are rounded once together."""

primitive: Callable[[Callable[..., Any]], Any] = intrinsic
"""Makes of a function that writes machine code a word of the language of kernels."""

TYPES = {"float64": types.float64, "float32": types.float32}

WIDE_VECTORS = "-prefer-256-bit"
"""LLVM keeps to vectors of 256 bits on processors that once slowed down with wider ones."""

_announced = False


def _ask_for_wide_vectors() -> None:
    """Let loops use the widest vectors of this processor, unless somebody chose what numba compiles for."""
    if numba.config.CPU_NAME is None and numba.config.CPU_FEATURES is None:
        numba.config.CPU_NAME = llvmlite.binding.get_host_cpu_name()
        numba.config.CPU_FEATURES = f"{llvmlite.binding.get_host_cpu_features().flatten()},{WIDE_VECTORS}"


_ask_for_wide_vectors()


@functools.cache
def folder() -> Path:
    """Return the folder in which the machine code of this engine for this machine is kept.

    It stands in the user's cache, or in a place for temporary files where that cannot be written.
    """
    engine = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(engine.rglob("*.py")):
        digest.update(source.read_bytes())
    for part in (numba.__version__, llvmlite.__version__, np.__version__, sys.version, numba.config.CPU_NAME, numba.config.CPU_FEATURES):
        digest.update(f"\0{part}".encode())
    name = digest.hexdigest()[:16]
    for base in (pooch.os_cache("gradstab"), Path(tempfile.gettempdir()) / f"gradstab-{os.getuid() if hasattr(os, 'getuid') else 'user'}"):
        place = Path(base) / "engine" / name
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                return place
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix="gradstab-"))


@contextmanager
def _cached_in_our_folder() -> Iterator[None]:
    """Let numba keep what is declared here in our folder, and leave its setting to others as it was."""
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder())
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


def inner(fastmath: set[str]) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator for functions that kernels call."""

    def decorate(function: Callable[..., Any]) -> Any:
        return numba.njit(error_model="numpy", fastmath=fastmath, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)

    return decorate


class Kernel:
    """A function that is compiled for one dtype when it is first asked for, and called by its address.

    Args:
        function: of pointers and sizes, in numba's Python.
        signature: numba's type of a float -> the signature.
        fastmath: what its loops may assume.
    """

    def __init__(self, function: Callable[..., Any], signature: Callable[[Any], Any], fastmath: set[str]) -> None:
        self._function, self._signature, self._fastmath = function, signature, fastmath
        self._compiled: dict[str, Any] = {}

    def address(self, dtype: str) -> int:
        """Return where the compiled function for a dtype begins."""
        if dtype not in self._compiled:
            name = f"{self._function.__module__}.{self._function.__qualname__}.{dtype}"

            def compiled() -> Any:
                return numba.cfunc(self._signature(TYPES[dtype]), cache=True, error_model="numpy", fastmath=self._fastmath)(self._function)

            self._compiled[dtype] = once(name, compiled)
        return int(self._compiled[dtype].address)


class Loop:
    """A function of arrays that is compiled for the types of its arguments when it is first called with them.

    Args:
        function: in numba's Python.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._compiled: dict[tuple[Any, ...], Any] = {}
        self._dispatcher: Any = None

    def __call__(self, *arguments: Any) -> None:
        """Call it."""
        self.prepared(arguments)(*arguments)

    def prepared(self, arguments: tuple[Any, ...]) -> Any:
        """Return the function, compiled for arguments like these."""
        kinds = tuple(numba.typeof(argument) for argument in arguments)
        if kinds not in self._compiled:
            if self._dispatcher is None:
                with _cached_in_our_folder():
                    self._dispatcher = numba.njit(error_model="numpy", fastmath=ENTRIES, cache=True)(self._function)
            name = f"{self._function.__module__}.{self._function.__qualname__}.{kinds}"
            once(name, lambda: self._dispatcher.compile(kinds))
            self._compiled[kinds] = self._dispatcher
        return self._compiled[kinds]


def once(name: str, compiled: Callable[[], Any]) -> Any:
    """Compile or load, and see to it that no two processes compile the same at once.

    Args:
        name: of what is compiled.
        compiled: compiles, or loads what another process compiled.
    """
    stamp = folder() / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.done"
    with _cached_in_our_folder():
        if stamp.exists():
            return compiled()
        with FileLock(stamp.with_suffix(".lock")):
            if not stamp.exists():
                _announce()
            result = compiled()
            stamp.touch()
            return result


def _announce() -> None:
    """Say once that the engine is being compiled, since the first run on a machine takes longer."""
    global _announced
    if not _announced:
        _announced = True
        print("compiling the engine for this machine: once, some ten seconds", file=sys.stderr)


def call_of(result: Any, arity: int) -> Any:
    """Return a function for kernels, call(address, arguments…), which calls a compiled function by its address.

    Args:
        result: numba's type of what it returns, or None for the type of the entries of the first array.
        arity: number of arguments; arrays are passed as pointers to their first entries.
    """

    def describe(context: Any, arguments: tuple[Any, ...]) -> Any:
        returned = (
            result if result is not None else next(kind.dtype for kind in arguments if isinstance(kind, types.Array | types.CPointer))
        )
        signature = returned(types.int64, *arguments)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            address, *given = values
            passed = [
                context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value  # a pointer, or a number
                for kind, value in zip(signature.args[1:], given, strict=True)
            ]
            empty = signature.return_type == types.void
            kind = ir.FunctionType(
                ir.VoidType() if empty else context.get_value_type(signature.return_type), [value.type for value in passed]
            )
            outcome = builder.call(builder.inttoptr(address, ir.PointerType(kind)), passed)
            return context.get_dummy_value() if empty else outcome

        return signature, generate

    names = ", ".join(f"x{number}" for number in range(arity))
    space: dict[str, Any] = {"describe": describe}
    exec(
        f"def call(context, address, {names}):\n    return describe(context, ({names},))", space
    )  # an intrinsic has a fixed number of arguments
    return primitive(space["call"])
