"""How fast the engine is: beside the matrix products alone, beside PyTorch and JAX, and from command line to tables."""
