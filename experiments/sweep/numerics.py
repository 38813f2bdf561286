"""The portable mode: the same bits on machines with different vector units.

OpenBLAS chooses kernels, numpy its loops and numba its machine code by the CPU. All are told, before numpy is imported, to use those
that AVX2 machines and AVX-512 machines share; hence the process starts itself again with the variables set.
"""

import os
import sys
from pathlib import Path

from experiments.errors import UserError

# numpy calls its AVX-512 loops by other names from 2.4 on. It passes over names that it does not know, or the machine does not
# have, with an ImportWarning, which Python does not show.
_AVX512 = "X86_V4 AVX512F AVX512CD AVX512_KNL AVX512_KNM AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"

PORTABLE = {
    "OPENBLAS_NUM_THREADS": "1",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": _AVX512,
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx2,+fma",
}


def ensure(numerics: str) -> None:
    """Start this command again under the portable variables, if it asks for them and does not have them.

    Args:
        numerics: native or portable.

    Raises:
        UserError: the process is not the command itself, and must not be replaced.
    """
    if numerics != "portable" or all(os.environ.get(name) == value for name, value in PORTABLE.items()):
        return
    if not _is_the_command(sys.argv):
        raise UserError("numerics=portable must be set before numpy is loaded; use the command `gradstab run`, or set its variables")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", "experiments", *sys.argv[1:]], {**os.environ, **PORTABLE})


def _is_the_command(argv: list[str]) -> bool:
    """Tell whether this process is gradstab itself, by whichever of its two names, and not a program that uses it."""
    program = Path(argv[0]) if argv else Path()
    return len(argv) > 1 and (program.stem == "gradstab" or program.parts[-2:] == ("experiments", "__main__.py"))
