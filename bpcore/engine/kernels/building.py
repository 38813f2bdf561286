"""From a kernel in numba's Python to an object file that needs neither numba nor Python."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import types
from numba.core.registry import cpu_target

from bpcore.engine.machine import target, target_machine

TYPES = {"float64": types.float64, "float32": types.float32}

MATHEMATICS = {"sqrt", "sqrtf", "pow", "powf", "memcpy", "memset", "memmove", "fma", "fmaf"}
"""What the machine code may call: the C library, which every process has."""

_WORDS = {"none": "void", "float64": "double", "float32": "float", "int64": "i64"}


def build(module: str, name: str, symbol: str, dtype: str, record: np.dtype[Any] | None) -> bytes:
    """Compile a kernel.

    Args:
        module: of `bpcore.engine.kernels`.
        name: in its KERNELS.
        symbol: what the function is called in the object file.
        dtype: float64 or float32.
        record: the record that it is given, where it is given one.

    Returns:
        The object file.

    Raises:
        RuntimeError: the machine code calls what is not in every process.
    """
    if not _begin():
        return _build_elsewhere(module, name, symbol, dtype, record)
    function, signature, fastmath = importlib.import_module(f"bpcore.engine.kernels.{module}").KERNELS[name]
    given = (TYPES[dtype],) if record is None else (TYPES[dtype], numba.from_dtype(record))
    kinds = signature(*given)
    dispatcher = numba.njit(error_model="numpy", fastmath=fastmath, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    dispatcher.compile(kinds.args)
    compiled = dispatcher.overloads[kinds.args]
    library = compiled.library
    library._ensure_finalized()
    code = llvm.parse_assembly(str(library._final_module))
    code.link_in(llvm.parse_assembly(_wrapper(code, compiled.fndesc.llvm_func_name, symbol, _WORDS[str(kinds.return_type)])))
    _leave_only(code, symbol)
    strange = {part.name for part in (*code.functions, *code.global_variables) if part.is_declaration and not _is_known(part.name)}
    if strange:
        raise RuntimeError(f"kernel {module}.{name} calls {', '.join(sorted(strange))}, which is not in every process")
    emitted: bytes = target_machine().emit_object(code)
    return emitted


_begun = False


def _begin() -> bool:
    """Let numba compile for the processor that the engine is compiled for, and return whether it does.

    It asks once in a process, when it first compiles; where somebody else's function came first, it compiles for what it then found.
    """
    global _begun
    if not _begun and "_toplevel_target_context" in vars(cpu_target):
        return False
    _begun = True
    numba.config.CPU_NAME, numba.config.CPU_FEATURES = target()
    return True


def _build_elsewhere(module: str, name: str, symbol: str, dtype: str, record: np.dtype[Any] | None) -> bytes:
    """Compile a kernel in a process of its own."""
    root = str(Path(__file__).parents[3])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "kernel.o"
        wanted = json.dumps([module, name, symbol, dtype, None if record is None else record.descr])
        command = [sys.executable, "-m", "bpcore.engine.kernels.building", wanted, str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
        if done.returncode:
            raise RuntimeError(f"kernel {module}.{name} cannot be compiled: {done.stderr.strip()}")
        return place.read_bytes()


def _wrapper(code: Any, native: str, symbol: str, result: str) -> str:
    """Return a function of the kernel's own arguments in LLVM's language; numba's takes places for a result and an error before them."""
    kinds = [str(argument.type) for argument in code.get_function(native).arguments][2:]
    slot, nothing = ("ptr", "null") if result == "void" else (result, "0" if result == "i64" else "0.0")
    arguments = ", ".join(f"{kind} %a{place}" for place, kind in enumerate(kinds))
    ending = "ret void" if result == "void" else f"%value = load {result}, ptr %result\n  ret {result} %value"
    return f"""target triple = "{code.triple}"
declare i32 @"{native}"({", ".join(["ptr", "ptr", *kinds])})
define void @NRT_MemInfo_call_dtor(ptr %unused) {{ ret void }}
define {result} @"{symbol}"({arguments}) {{
  %result = alloca {slot}
  %error = alloca ptr
  store {slot} {nothing}, ptr %result
  store ptr null, ptr %error
  %status = call i32 @"{native}"({", ".join(["ptr %result", "ptr %error", *filter(None, [arguments])])})
  {ending}
}}
"""


def _leave_only(code: Any, symbol: str) -> None:
    """Drop from a module what a function does not need."""
    for part in (*code.functions, *code.global_variables):
        if not part.is_declaration and part.name != symbol:
            part.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(code, llvm.create_pass_builder(target_machine(), llvm.create_pipeline_tuning_options(speed_level=3)))


def _is_known(name: str) -> bool:
    return name.startswith("llvm.") or name in MATHEMATICS


def main() -> None:
    """Compile the kernel that the first argument names, into the file that the second names."""
    module, name, symbol, dtype, fields = json.loads(sys.argv[1])
    record = None if fields is None else np.dtype([tuple(field) for field in fields])
    Path(sys.argv[2]).write_bytes(build(module, name, symbol, dtype, record))


if __name__ == "__main__":
    main()
