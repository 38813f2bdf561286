"""The portable mode: the same bits on machines with different vector units.

OpenBLAS chooses kernels, and numpy its loops, by the CPU. Both are told, before numpy is imported, to use those that
AVX2 machines and AVX-512 machines share; hence the process starts itself again with the variables set.
"""

import os
import sys

PORTABLE = {
    "OPENBLAS_NUM_THREADS": "1",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}


def ensure(numerics: str) -> None:
    """Start this command again under the portable variables, if it asks for them and does not have them.

    Args:
        numerics: native or portable.
    """
    if numerics != "portable" or all(os.environ.get(name) == value for name, value in PORTABLE.items()):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", "experiments", *sys.argv[1:]], {**os.environ, **PORTABLE})
