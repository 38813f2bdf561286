"""SciPy's BLAS, as SciPy hands it out to compiled code."""

import functools
import importlib
import importlib.util
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType


@functools.cache
def cython_blas() -> ModuleType:
    """Return `scipy.linalg.cython_blas`, and load the BLAS that it stands for.

    The extension is loaded by itself: it needs nothing of `scipy.linalg`, whose import takes longer than a short run, in every worker.
    Where it does not lie in its place, it is imported as usual.
    """
    name = "scipy.linalg.cython_blas"
    package = importlib.util.find_spec("scipy")
    folders = [str(Path(folder) / "linalg") for folder in (package.submodule_search_locations or ())] if package is not None else []
    spec = PathFinder.find_spec(name, folders)
    if spec is None or spec.loader is None:
        return importlib.import_module(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
