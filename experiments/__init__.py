"""The harness around bpcore: sweeps in, tables and reports out.

>>> import experiments
>>> results = experiments.load("results/x")  # doctest: +SKIP
>>> results.layers.query("step == 0")  # doctest: +SKIP
"""

from experiments.store import Results, load

__version__ = "0.1.0"
__all__ = ["Results", "__version__", "load"]
