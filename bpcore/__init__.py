"""Backpropagation, written out: a layered numpy core whose every per-layer gradient can be measured.

The core knows nothing of files, sweeps or figures. Arrays carry examples in columns, so that a^l has shape
(..., n_l, m); the leading axes are stacked runs, which the equations never mention.
"""
