"""What a kernel is told: a record of numbers and of the addresses of arrays.

An array that numba is given is a dozen numbers and a count of references; a loop over many arrays is then slow to compile, and every
view costs an atomic operation. A plan holds addresses instead, and views are made of them where they are used.
"""

import ctypes
import functools
from typing import Any

import numpy as np

from bpcore.blas import cython_blas


def plan(**parts: Any) -> Any:
    """Return a record, an array of one, of numbers and of the addresses of arrays, which the caller must hold as long as it is used.

    Args:
        **parts: name -> int, float or contiguous array. An array (R, …) has the fields `name`, its address, and `name_columns`, the
            number of entries of a row.

    Raises:
        ValueError: an array is not contiguous.
    """
    fields = _fields(parts)
    kinds = tuple((name, "f8" if isinstance(value, float) else "i8") for name, value in fields.items())
    return np.array([tuple(fields.values())], dtype=_record(kinds))


def revise(record: Any, parts: dict[str, Any]) -> None:
    """Change parts of a plan.

    Args:
        record: of `plan`.
        parts: likewise; all of them are in the record.
    """
    for name, value in _fields(parts).items():
        record[name] = value


@functools.lru_cache(maxsize=16)
def _record(kinds: tuple[tuple[str, str], ...]) -> Any:
    return np.dtype(list(kinds))


def _fields(parts: dict[str, Any]) -> dict[str, int | float]:
    fields: dict[str, int | float] = {}
    for name, part in parts.items():
        if isinstance(part, np.ndarray):
            if not part.flags.c_contiguous:
                raise ValueError(f"array `{name}` of a plan must be contiguous")
            fields[name], fields[f"{name}_columns"] = part.ctypes.data, part.size // max(len(part), 1)
        else:
            fields[name] = part
    return fields


@functools.cache
def gemm_address(dtype: str) -> int:
    """Return where BLAS's matrix product of a dtype begins; SciPy hands it out to compiled code."""
    capsules = cython_blas().__pyx_capi__
    capsule = capsules["sgemm" if dtype == "float32" else "dgemm"]
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    place = ctypes.pythonapi.PyCapsule_GetPointer
    place.restype, place.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(place(capsule, name(capsule)))
