"""The portable mode under an emulated processor: the same bytes as here."""

import shutil
import sys

import pytest

from experiments.store.columns import TABLES
from experiments.sweep.numerics import PORTABLE
from tests.processes import environment, run

EMULATOR = shutil.which("qemu-x86_64")
OTHER = "Haswell-noTSX"
SWEEP = ["width=17", "data.n_samples=50", "depth=3", "steps=3", "batch_size=20", "record.snapshot=0", "numerics=portable", "results_dir=."]
RUNS = [["activation=tanh", "dtype=float32"], ["activation=gelu", "normalization=batch", "optimizer=adam"]]


def _run(cwd, prefix, name, extra):
    arguments = [*prefix, sys.executable, "-m", "experiments", "run", *SWEEP, *extra, f"name={name}"]
    return run(arguments, timeout=500, cwd=cwd, env=environment(**PORTABLE))


@pytest.mark.slow
@pytest.mark.skipif(EMULATOR is None, reason="qemu-x86_64 is not installed; it emulates another processor")
@pytest.mark.parametrize("extra", RUNS, ids=[run[0] for run in RUNS])
def test_another_processor_gives_the_same_bytes(tmp_path, extra):
    here = _run(tmp_path, [], "here", extra)
    assert here.returncode == 0, here.stderr
    there = _run(tmp_path, [EMULATOR, "-cpu", OTHER], "there", extra)
    assert there.returncode == 0, there.stderr
    for name in ("runs", *TABLES):
        assert (tmp_path / "here" / f"{name}.parquet").read_bytes() == (tmp_path / "there" / f"{name}.parquet").read_bytes(), name
    here_files, there_files = (sorted((tmp_path / name).glob("snapshot_*.npz")) for name in ("here", "there"))
    assert [path.read_bytes() for path in here_files] == [path.read_bytes() for path in there_files] != []
