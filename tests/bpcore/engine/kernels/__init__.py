"""What is compiled here is compiled as the engine is, which must be said before numba is used; not where it was in use before."""

from bpcore.engine.kernels import building

AS_THE_ENGINE = building._begin()
