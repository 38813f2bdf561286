"""The engine's compiled kernels: what each activation, loss, normalization, optimizer and clipping rule does to arrays."""
