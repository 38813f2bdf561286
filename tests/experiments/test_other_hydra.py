"""Another release of Hydra gives the same: `GRADSTAB_HYDRA` names a folder that holds one.

pip install --target hydra14 --pre hydra-core==1.4.0rc3
GRADSTAB_HYDRA=hydra14 pytest tests/experiments/test_other_hydra.py
"""

import os
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, environment, run

FOLDER = os.environ.get("GRADSTAB_HYDRA")
MODULES = ("test_composition", "test_fast", "test_launcher", "test_plain_values", "test_sweeper")


@pytest.mark.skipif(FOLDER is None, reason="GRADSTAB_HYDRA names no folder with another release of Hydra")
@pytest.mark.parametrize("module", MODULES)
def test_it_passes_the_same_tests(module: str) -> None:
    assert FOLDER is not None
    folder = Path(FOLDER).resolve()
    env = environment(PYTHONPATH=os.pathsep.join([str(folder), str(ROOT)]))
    env.pop("GRADSTAB_HYDRA")
    found = run([sys.executable, "-c", "import hydra; print(hydra.__file__)"], env=env)
    assert Path(found.stdout.strip()).is_relative_to(folder)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", f"tests/experiments/compose/{module}.py"]
    done = run(command, timeout=900, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stdout[-4000:]
