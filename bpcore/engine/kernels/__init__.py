"""The engine's kernels, in numba's Python: what is compiled once for a machine, and only loaded from then on.

Nothing here is imported where the machine code is there. A module of kernels has a table KERNELS: name -> (function, signature, what its
loops may assume).
"""
