"""The harness around bpcore: sweeps in, tables and reports out.

>>> import experiments
>>> results = experiments.load("results/x")  # doctest: +SKIP
>>> results.layers.query("step == 0")  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.store.reading import load
    from experiments.store.tables import Results

__version__ = "0.2.0"
__all__ = ["Results", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import `load` and `Results` when they are first used: pandas takes longer than most commands."""
    if name in ("Results", "load"):
        from experiments.store import reading

        return getattr(reading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
