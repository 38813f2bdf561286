"""Kernels as machine code: kept in a folder of the user, loaded without the compiler, called by their address.

A kernel is a function of pointers and sizes in `bpcore.engine.kernels`. It is compiled when it is first asked for on a machine, once for
each dtype. The folder is named after everything that the machine code depends on; an engine that was edited, another numba or another
processor finds an empty one. What is loaded are object files, for which LLVM is enough: numba is imported to compile, and not else.
"""

import ctypes
import functools
import hashlib
import importlib
import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import platformdirs
from filelock import FileLock

from bpcore.arrays import Array

WIDE_VECTORS = "-prefer-256-bit"
"""LLVM keeps to vectors of 256 bits on processors that once slowed down with wider ones."""

_DIGEST_BYTES = 32


@functools.cache
def target() -> tuple[str, str]:
    """Return the processor that kernels are compiled for, and its features: this one's, or what numba's variables name."""
    name, features = os.environ.get("NUMBA_CPU_NAME"), os.environ.get("NUMBA_CPU_FEATURES")
    if name is None and features is None:
        return llvm.get_host_cpu_name(), f"{llvm.get_host_cpu_features().flatten()},{WIDE_VECTORS}"
    return name or llvm.get_host_cpu_name(), features or ""


@functools.cache
def target_machine() -> Any:
    """Return LLVM's description of that processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = target()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=3, reloc="default", codemodel="jitdefault", jit=True
    )


@functools.cache
def folder() -> Path:
    """Return the folder in which the machine code of this engine for this machine is kept.

    It stands in the user's cache, or in a place for temporary files where that cannot be written.
    """
    name = fingerprint()
    user = os.getuid() if hasattr(os, "getuid") else "user"
    for base in (platformdirs.user_cache_path("gradstab"), Path(tempfile.gettempdir()) / f"gradstab-{user}"):
        place = base / "engine" / name
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                return place
        except OSError:
            continue
    place = Path(tempfile.mkdtemp(prefix="gradstab-")) / name
    place.mkdir()
    return place


def fingerprint() -> str:
    """Return a hash of all that machine code depends on: the engine, the places of quantities, which are compiled in, tools, processor."""
    digest, package = hashlib.sha256(), Path(__file__).parent
    for source in (*sorted(package.rglob("*.py")), package.parent / "measure" / "quantities.py"):
        digest.update(source.read_bytes())
    versions = (importlib.metadata.version(name) for name in ("numba", "llvmlite", "numpy"))
    for part in (*versions, sys.version, *target()):
        digest.update(f"\0{part}".encode())
    return digest.hexdigest()[:16]


class Kernel:
    """A compiled function, found by the module of `bpcore.engine.kernels` that it stands in and its name there.

    Args:
        module: for example loss.
        name: in that module's KERNELS.
    """

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name
        self._addresses: dict[tuple[str, np.dtype[Any] | None], int] = {}

    def __repr__(self) -> str:
        """Return where it stands."""
        return f"{self.module}.{self.name}"

    def address(self, dtype: str, record: np.dtype[Any] | None = None) -> int:
        """Return where the function for a dtype begins.

        Args:
            dtype: float64 or float32.
            record: the record that it is given, where it is given one.
        """
        if (dtype, record) not in self._addresses:
            self._addresses[dtype, record] = self._begin(dtype, record)
        return self._addresses[dtype, record]

    def _begin(self, dtype: str, record: np.dtype[Any] | None) -> int:
        layout = "" if record is None else f"-{hashlib.sha256(repr(record.descr).encode()).hexdigest()[:16]}"
        symbol = f"{self.module}_{self.name}_{dtype}{layout.replace('-', '_')}"
        path = folder() / f"{self.module}-{self.name}-{dtype}{layout}.o"
        code = _read(path)
        if code is None:
            with FileLock(path.with_suffix(".lock")):  # no two processes compile the same
                code = _read(path)
                if code is None:
                    code = self._compile(symbol, dtype, record)
                    if path.parent.name == fingerprint():  # else the engine was edited meanwhile, and the folder is named after another
                        _write(path, code)
        return _load(symbol, code)

    def _compile(self, symbol: str, dtype: str, record: np.dtype[Any] | None) -> bytes:
        _announce()
        building: Any = importlib.import_module("bpcore.engine.kernels.building")
        code: bytes = building.build(self.module, self.name, symbol, dtype, record)
        return code


_loaded: list[Any] = []

_NUMBERS = {"float64": ctypes.c_double, "float32": ctypes.c_float}


def call(kernel: Kernel, dtype: Any, told: Array, *arrays: Array) -> None:
    """Call a kernel that is given a plan, a zero of its dtype, and arrays.

    Args:
        kernel: the function.
        dtype: of the runs.
        told: the plan, an array of one record.
        *arrays: contiguous.
    """
    name = str(np.dtype(dtype))
    function = _prototype(name, len(arrays))(kernel.address(name, told.dtype))
    function(told.ctypes.data, 0.0, *(array.ctypes.data for array in arrays))


@functools.cache
def _prototype(name: str, count: int) -> Any:
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, _NUMBERS[name], *(ctypes.c_void_p,) * count)


def _load(symbol: str, code: bytes) -> int:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _loaded.append(engine)  # the code lives as long as it does
    return int(engine.get_function_address(symbol))


def _read(path: Path) -> bytes | None:
    """Return machine code, None where there is none or where it is not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == digest else None


def _write(path: Path, code: bytes) -> None:
    """Write machine code with its checksum, at once; where that fails it is compiled again the next time."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)


@functools.cache
def _announce() -> None:
    """Say once that the engine is being compiled, since the first run on a machine takes longer."""
    print("gradstab: compiling the engine for this machine, once; it takes some ten seconds", file=sys.stderr, flush=True)
