"""What is needed to explain a number later: versions, machine, code, command, data."""

import functools
import importlib.metadata
import os
import platform
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

from bpcore.blas import cython_blas
from experiments.config.files import catalogue
from experiments.config.identity import ARITHMETIC_VERSION, elsewhere
from experiments.config.keys import FORMER, GROUPS, UNIDENTIFYING
from experiments.config.run import Run

PACKAGES = ("gradstab", "numpy", "scipy", "pandas", "pyarrow", "hydra-core", "scikit-learn", "matplotlib", "numba")


@functools.cache
def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _blas() -> list[dict[str, Any]]:
    cython_blas()  # SciPy's BLAS is to be seen, whatever else is imported
    keep = ("internal_api", "version", "architecture", "num_threads", "threading_layer")
    found = [
        {key: library[key] for key in keep if key in library}
        for library in threadpoolctl.threadpool_info()
        if library.get("user_api") == "blas"
    ]
    return sorted(found, key=str)  # they are listed in the order in which they happen to be loaded


@functools.cache
def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@functools.cache
def _git() -> dict[str, Any] | None:
    """Return commit and cleanliness of the checkout that this code runs from, asked once: what is loaded stays; None from a wheel."""
    folder = Path(__file__).resolve().parents[2]

    def ask(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    if not (folder / ".git").exists():
        return None
    try:
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _simd() -> list[str]:
    """Return the vector units that numpy's loops use here, which bits depend on as they do on the BLAS kernel."""
    config: Any = np.show_config(mode="dicts")
    return sorted(config.get("SIMD Extensions", {}).get("found", []))


def _target() -> str:
    """Return the processor that the engine is compiled for: this one, or the one that numerics=portable names."""
    return os.environ.get("NUMBA_CPU_NAME", "native")


def _maker() -> dict[str, Any]:
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "blas": _blas(),
        "simd": _simd(),
        "target": _target(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "git": _git(),
    }


def differs(provenance: dict[str, Any]) -> str | None:
    """Tell whether results were made by another arithmetic, numpy, numba or BLAS kernel than this process would use.

    Args:
        provenance: of the results.

    Returns:
        One line that names both, or None.
    """

    def bits(maker: dict[str, Any]) -> str:
        keys = ("internal_api", "version", "architecture")
        kernels = ", ".join(sorted({" ".join(str(blas.get(key)) for key in keys) for blas in maker.get("blas", [])}))
        units = f" on {' '.join(maker['simd'])}" if maker.get("simd") else ""
        versions = maker.get("versions", {})
        engine = f", numba {versions.get('numba')} for {maker['target']}" if maker.get("target") else ""
        return f"numpy {versions.get('numpy')}{units}{engine} with {kernels or 'an unknown BLAS'}"

    version = provenance.get("arithmetic_version", ARITHMETIC_VERSION)
    if version != ARITHMETIC_VERSION:
        return f"the results of before were made by version {version} of the arithmetic; this is version {ARITHMETIC_VERSION}"
    own = {"versions": {name: _version(name) for name in ("numpy", "numba")}, "blas": _blas(), "simd": _simd(), "target": _target()}
    for old in reversed([provenance, *provenance.get("made_by", [])]):
        new = bits(own if old.get("simd") else {**own, "simd": []})
        if bits(old) != new:
            return f"the results of before were made by {bits(old)}; this process uses {new}"
    return None


_NAMES_ALL_FACTORIES = 3
"""Up to this version of the arithmetic a record names the package's own factories too, some of which have moved since."""

_PACKAGE = ("bpcore.", "experiments.")


def factories(provenance: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the factories from elsewhere that a record names; those of the package are known by the names of their choices.

    Args:
        provenance: of results, whichever version made them; or empty.

    Returns:
        Group -> choice -> dotted path.
    """
    targets: dict[str, dict[str, str]] = provenance.get("targets", {})
    names_all = provenance.get("arithmetic_version", ARITHMETIC_VERSION) <= _NAMES_ALL_FACTORIES
    found: dict[str, dict[str, str]] = {}
    for group, known in targets.items():
        for name, target in known.items():
            if not (names_all and FORMER.get((group, name), name) in catalogue(group) and target.startswith(_PACKAGE)):
                found.setdefault(group, {})[name] = target
    return found


def describe(
    runs: list[Run],
    earlier: list[dict[str, Any]],
    before: dict[str, Any],
    command: list[str],
    computed: int,
    wall_seconds: float | None = None,
) -> dict[str, Any]:
    """Describe how a sweep comes about.

    Args:
        runs: all runs of the sweep, finished or not.
        earlier: entries of runs that the folder held before and that are not of this sweep.
        before: provenance of the results that this invocation adds to, or empty.
        command: the command line.
        computed: number of runs that this invocation sets out to compute.
        wall_seconds: spent on them; None before they are done, for `conclude` to fill in.

    Returns:
        A JSON-ready dict; the makers of all parts stand under `made_by`, the latest at the top level too.
    """
    entries = [(run.index, {"run_id": run.run_id, "overrides": list(run.overrides)}) for run in runs]
    places = {index for index, _ in entries}
    free = iter(index for index in range(len(earlier) + len(entries)) if index not in places)
    entries += [(next(free), entry) for entry in earlier]
    data = {entry["sha256"]: entry for entry in before.get("data", [])}
    targets = factories(before)
    seen: set[tuple[str, int]] = set()  # runs share most of their nodes
    for run in runs:
        facts = run.facts
        if facts.checksum not in data:
            named = asdict(facts.names) | {"notes": facts.notes}
            data[facts.checksum] = {"name": run.choice("data"), "origin": facts.origin, "sha256": facts.checksum} | {
                key: list(names) for key, names in named.items() if names
            }
        for group in GROUPS:
            if group in UNIDENTIFYING or (group, id(run.config[group])) in seen:
                continue
            seen.add((group, id(run.config[group])))
            target = elsewhere(group, run.config[group])
            if target is not None:
                targets.setdefault(group, {})[run.choice(group)] = target
    maker = _maker()
    invocation = {"command": " ".join(command), "runs": computed, "wall_seconds": wall_seconds, **maker}
    return {
        "command": " ".join(command),
        "sweep": [entry for _, entry in sorted(entries, key=lambda pair: pair[0])],
        "arithmetic_version": ARITHMETIC_VERSION,
        **maker,
        "data": list(data.values()),
        "targets": targets,
        "numerics": sorted({run.numerics for run in runs} | set(before.get("numerics", []))),
        "wall_seconds": None,
        "made_by": [*before.get("made_by", []), invocation],
    }


def conclude(provenance: dict[str, Any], spent: dict[int, tuple[int, float]]) -> dict[str, Any]:
    """Return the provenance of a sweep whose invocations have ended, some of them by a kill.

    Args:
        provenance: as `describe` gave it.
        spent: entry of `made_by` -> number of runs that it finished and seconds that their tiles took.

    Returns:
        The same with all wall times filled in: where a process did not live to tell, its tiles' own; an invocation that
        finished nothing is left out.
    """
    made_by = []
    for index, entry in enumerate(provenance["made_by"]):
        if entry["wall_seconds"] is None:
            if index not in spent:
                continue
            runs, seconds = spent[index]
            entry = {**entry, "runs": runs, "wall_seconds": round(seconds, 3)}
        made_by.append(entry)
    return {**provenance, "wall_seconds": round(sum(entry["wall_seconds"] for entry in made_by), 3), "made_by": made_by}
