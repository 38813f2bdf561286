"""Kill a sweep and its workers at random moments, again and again, and check that it always ends in the same bytes.

python -m tests.faults.kill_sweep --kills 100

Every sweep is started anew after each kill until it is whole, then compared with one that nobody disturbed; then the
next sweep begins. A kill is SIGKILL of the parent, of one worker, or of the parent with all of its workers. A third of the
sweeps replace finished ones (--fresh), a third extend one (--extend).
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.processes import end, environment

TABLES = ("runs", "layers", "steps", "histograms")
SWEEP = [
    "width=8", "data=gaussian", "data.n_samples=60", "data.n_features=8", "data.n_classes=3", "depth=2,3,4,6", "activation=tanh,relu",
    "clip=none,norm", "seed=range(3)", "steps=300", "record.snapshot=0", "executor.max_workers=2", "results_dir=results",
]  # fmt: skip
PART = [override if not override.startswith("depth=") else "depth=2,3" for override in SWEEP]


def start(cwd: Path, overrides: list[str], *flags: str, name: str) -> subprocess.Popen[str]:
    """Start `gradstab run -m` in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "experiments", "run", "-m", *overrides, f"name={name}", *flags],
        cwd=cwd, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a sweep that must succeed, and return what it said."""
    err = said(process)
    if process.returncode != 0:
        raise AssertionError(f"exit code {process.returncode}: {err}")
    return err


def said(process: subprocess.Popen[str]) -> str:
    """Return what a sweep said on stderr until it ended, and leave none of its processes behind."""
    try:
        return process.communicate(timeout=300)[1]
    finally:
        end(process)


def content(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all tables and snapshots; nothing else may lie there but the provenance."""
    files = {path.name: path for path in folder.iterdir()}
    assert files.pop("provenance.json").is_file()
    strangers = [name for name in files if name not in {f"{table}.parquet" for table in TABLES} and not name.startswith("snapshot_")]
    assert not strangers, strangers
    return {name: path.read_bytes() for name, path in files.items()}


def _workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if "popen_loky" in " ".join(child.cmdline())]
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def strike(process: subprocess.Popen[str], rng: random.Random) -> str | None:
    """Kill the sweep, a worker, or all; return what was killed, or None where it had ended."""
    if process.poll() is not None:
        return None
    workers = _workers(process)
    what = rng.choice(["parent", "worker", "worker", "all"]) if workers else "parent"
    victims = [rng.choice(workers).pid] if what == "worker" else [process.pid, *(w.pid for w in workers if what == "all")]
    for victim in victims:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return None
    return what


def torment(kills: int, seed: int, scratch: Path, quiet: bool = False) -> dict[str, int]:
    """Kill sweeps until there were enough kills, each time to the end; check bytes after each sweep.

    Args:
        kills: at least this many.
        seed: of the moments and victims.
        scratch: an empty folder.
        quiet: whether nothing is printed.

    Returns:
        How often each kind of victim was killed, and `sweeps`.
    """
    rng = random.Random(seed)
    began = time.monotonic()
    finish(start(scratch, SWEEP, name="whole"))
    takes = time.monotonic() - began
    began = time.monotonic()
    finish(start(scratch, PART, name="part"))
    begins = min(takes, time.monotonic() - began) / 2
    expected = content(scratch / "results" / "whole")
    # --extend puts its runs behind those that are there, so its tables are compared with its own undisturbed ones
    shutil.copytree(scratch / "results" / "part", scratch / "results" / "extended")
    finish(start(scratch, SWEEP, "--extend", name="extended"))
    modes = {"plain": ([], None, expected), "fresh": (["--fresh"], "part", expected)}
    modes["extend"] = (["--extend"], "part", content(scratch / "results" / "extended"))
    tally = {"sweeps": 0, "parent": 0, "worker": 0, "all": 0}
    while sum(tally.values()) - tally["sweeps"] < kills:
        mode = rng.choice(list(modes))
        flags, before, wanted = modes[mode]
        folder = scratch / "results" / "x"
        shutil.rmtree(folder, ignore_errors=True)
        if before is not None:
            shutil.copytree(scratch / "results" / before, folder)
        while True:
            began = time.monotonic()
            process = start(scratch, SWEEP, *flags, name="x")
            deadline = began + rng.uniform(0.6 * begins, takes)
            while time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.01)
            killed = strike(process, rng)
            err = said(process)
            if killed is not None:
                tally[killed] += 1
            else:  # it was faster than thought: the machine is less busy now, or less was left to do
                takes = max(2 * begins, 0.9 * takes)
            if process.returncode == 0:
                break
            if process.returncode not in (-signal.SIGKILL, 1):  # 1: a run was twice under way in a worker that was killed
                raise AssertionError(f"{mode}, {killed} killed, exit code {process.returncode}: {err}")
        finish(start(scratch, SWEEP, *(flags if mode != "fresh" else []), name="x"))  # nothing is left to do
        found = content(folder)
        assert found.keys() == wanted.keys(), (mode, found.keys() ^ wanted.keys())
        unequal = [name for name in found if found[name] != wanted[name]]
        assert not unequal, (mode, unequal)
        tally["sweeps"] += 1
        if not quiet:
            print(f"{mode}: the same bytes; {tally}", flush=True)
    return tally


def main() -> None:
    """Read the arguments and begin."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="at least so many")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and victims")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gradstab-faults-") as scratch:
        print(torment(args.kills, args.seed, Path(scratch)))


if __name__ == "__main__":
    main()
