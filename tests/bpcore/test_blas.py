import ctypes

import pytest

from bpcore import blas


def test_it_hands_out_products_as_scipy_does() -> None:
    import scipy.linalg.cython_blas as theirs

    place = ctypes.pythonapi.PyCapsule_GetPointer
    place.restype, place.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    for product in ("sgemm", "dgemm"):
        capsules = [module.__pyx_capi__[product] for module in (blas.cython_blas(), theirs)]
        assert len({place(capsule, name(capsule)) for capsule in capsules}) == 1


def test_where_it_does_not_lie_in_its_place_it_is_imported_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas.importlib.util, "find_spec", lambda name: None)
    assert hasattr(blas.cython_blas.__wrapped__(), "__pyx_capi__")
