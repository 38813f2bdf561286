"""What is needed to explain a number later: versions, machine, code, command, data."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import threadpoolctl

from experiments.config import ARITHMETIC_VERSION, Job, build_cached

PACKAGES = ("gradstab", "numpy", "scipy", "pandas", "pyarrow", "hydra-core", "scikit-learn", "matplotlib")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _blas() -> list[dict[str, Any]]:
    keep = ("internal_api", "version", "architecture", "num_threads", "threading_layer")
    return [
        {key: library[key] for key in keep if key in library}
        for library in threadpoolctl.threadpool_info()
        if library.get("user_api") == "blas"
    ]


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git() -> dict[str, Any] | None:
    """Return commit and cleanliness of the checkout that this code runs from; None from a wheel."""
    folder = Path(__file__).resolve().parent.parent

    def ask(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    if not (folder / ".git").exists():
        return None
    try:
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _maker() -> dict[str, Any]:
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "blas": _blas(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "git": _git(),
    }


def differs(provenance: dict[str, Any]) -> str | None:
    """Tell whether results were made by another numpy or BLAS kernel than this process would use.

    Args:
        provenance: of the results.

    Returns:
        One line that names both, or None.
    """

    def bits(maker: dict[str, Any]) -> str:
        keys = ("internal_api", "version", "architecture")
        kernels = ", ".join(" ".join(str(blas.get(key)) for key in keys) for blas in maker.get("blas", []))
        return f"numpy {maker.get('versions', {}).get('numpy')} with {kernels or 'an unknown BLAS'}"

    old, new = bits(provenance), bits({"versions": {"numpy": _version("numpy")}, "blas": _blas()})
    return None if old == new else f"the results of before were made by {old}; those added now are made by {new}"


def describe(
    jobs: list[Job], earlier: list[dict[str, Any]], before: dict[str, Any], command: list[str], computed: int, wall_seconds: float
) -> dict[str, Any]:
    """Describe how a sweep came about.

    Args:
        jobs: all jobs of the sweep, finished or not.
        earlier: entries of runs that the folder held before and that are not of this sweep.
        before: provenance of the results that this invocation adds to, or empty.
        command: the command line.
        computed: number of runs that this invocation set out to compute.
        wall_seconds: spent on them.

    Returns:
        A JSON-ready dict; the makers of all parts stand under `made_by`, the latest at the top level too.
    """
    entries = [(job.index, {"run_id": job.run_id, "overrides": list(job.overrides)}) for job in jobs]
    places = {index for index, _ in entries}
    free = iter(index for index in range(len(earlier) + len(entries)) if index not in places)
    entries += [(next(free), entry) for entry in earlier]
    data = {entry["sha256"]: entry for entry in before.get("data", [])}
    for job in jobs:
        dataset = build_cached(job.config["data"])
        data[dataset.checksum] = {"name": job.config["data"]["name"], "origin": dataset.origin, "sha256": dataset.checksum}
    maker = _maker()
    invocation = {"command": " ".join(command), "runs": computed, "wall_seconds": round(wall_seconds, 3), **maker}
    made_by = [*before.get("made_by", []), invocation]
    return {
        "command": " ".join(command),
        "sweep": [entry for _, entry in sorted(entries, key=lambda pair: pair[0])],
        "arithmetic_version": ARITHMETIC_VERSION,
        **maker,
        "data": list(data.values()),
        "numerics": sorted({job.config["numerics"] for job in jobs} | set(before.get("numerics", []))),
        "wall_seconds": round(sum(part["wall_seconds"] for part in made_by), 3),
        "made_by": made_by,
    }
