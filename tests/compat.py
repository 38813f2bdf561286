"""Run the plain suite under every Python that is here: with the newest dependencies each, and the lowest declared on the oldest.

make compat
python tests/compat.py newest-3.13    # only some

uv makes the environments, one a cell, in `.compat/`; it finds interpreters that are not on PATH and downloads none.
"""

import argparse
import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / ".compat"
RESOLUTIONS = {"newest": "highest", "lowest": "lowest-direct"}
SHOWN = ("numpy", "scipy", "pandas")
TELL = "import sys, sysconfig; print(*sys.version_info[:4], sys.implementation.name, sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"
STAMP = "gradstab-cell"
KEYS = ("tests", "failures", "errors", "skipped")


@dataclass(frozen=True, order=True)
class Interpreter:
    """A Python that is here: its version and its executable."""

    version: tuple[int, int, int]
    path: Path

    @property
    def minor(self) -> str:
        """Return its version as in 3.11."""
        return f"{self.version[0]}.{self.version[1]}"

    @property
    def full(self) -> str:
        """Return its version as in 3.11.7."""
        return ".".join(map(str, self.version))


@dataclass(frozen=True)
class Cell:
    """One environment: `newest` or `lowest` dependencies on an interpreter."""

    resolution: str
    interpreter: Interpreter

    @property
    def name(self) -> str:
        """Return its name, which its folder has too."""
        return f"{self.resolution}-{self.interpreter.minor}"

    @property
    def folder(self) -> Path:
        """Return where it lies."""
        return PLACE / self.name

    @property
    def python(self) -> Path:
        """Return its own executable."""
        return self.folder / "bin" / "python"


@dataclass(frozen=True)
class Outcome:
    """What came of one cell.

    Args:
        cell: which.
        versions: of what is installed, by name.
        counts: passed, failed, skipped; None where no test was run.
        seconds: that the suite took.
        note: what went wrong, or nothing.
    """

    cell: Cell
    versions: Mapping[str, str]
    counts: tuple[int, int, int] | None
    seconds: float
    note: str = ""

    @property
    def passed(self) -> bool:
        """Return whether there were tests, and none of them failed."""
        return not self.note and self.counts is not None and self.counts[0] > 0 and self.counts[1] == 0


def promised(project: Mapping[str, Any]) -> list[str]:
    """Return the versions of Python that the project's classifiers name."""
    return re.findall(r"Python :: (\d+\.\d+)", "\n".join(project["classifiers"]))


def candidates(uv: str, environment: Mapping[str, str]) -> set[Path]:
    """Return executables that may be a Python: this one, what uv knows, what PATH and pyenv hold."""
    found = {Path(sys.executable)}
    listed = subprocess.run(
        [uv, "python", "list", "--only-installed", "--all-versions", "--output-format", "json"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        found |= {Path(entry["path"]) for entry in json.loads(listed.stdout) if entry.get("path")}
    for folder in os.get_exec_path():
        found |= {path for path in Path(folder).glob("python3*") if re.fullmatch(r"python3(\.\d+)?", path.name)}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))  # its shims on PATH run the chosen version only
    found |= set(pyenv.glob("versions/*/bin/python3"))
    return found


def told(path: Path) -> Interpreter | None:
    """Ask an executable what it is.

    Returns:
        The interpreter behind it, or None where it is broken, unfinished, not CPython or without its lock.
    """
    script = f"{TELL}; print(getattr(sys, '_base_executable', sys.executable))"
    try:
        done = subprocess.run([path, "-I", "-c", script], capture_output=True, text=True, timeout=60, check=True)
        first, base = done.stdout.splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    major, minor, micro, level, name, free = first.split()
    if (level, name, free) != ("final", "cpython", "0"):
        return None
    return Interpreter((int(major), int(minor), int(micro)), Path(base))


def newest_of_each(found: Iterable[Interpreter], requires: str) -> list[Interpreter]:
    """Return the newest interpreter of every version that `requires-python` allows, oldest version first."""
    oldest = tuple(map(int, requires.removeprefix(">=").split(".")))
    best = {interpreter.minor: interpreter for interpreter in sorted(found) if interpreter.version >= oldest}
    return sorted(best.values())


def cells(interpreters: list[Interpreter]) -> list[Cell]:
    """Return the cells: the newest of everything under each, the lowest under the oldest."""
    return [Cell("lowest", interpreter) for interpreter in interpreters[:1]] + [Cell("newest", interpreter) for interpreter in interpreters]


def with_pips_index(environment: Mapping[str, str], config: str) -> dict[str, str]:
    """Return the environment in which uv asks where pip asks; what is set for uv already stays.

    Args:
        environment: of this process.
        config: what `pip config list` prints.
    """
    settings: dict[str, str] = {}
    for line in config.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if name in ("index-url", "extra-index-url", "find-links") and section in ("global", "install", ":env:"):
            text = " ".join(ast.literal_eval(value).split()) if value[:1] in "'\"" else value
            if section == ":env:" or name not in settings:  # the environment comes before files
                settings[name] = text
    named = {
        "UV_DEFAULT_INDEX": settings.get("index-url"),
        "UV_INDEX": settings.get("extra-index-url"),
        "UV_FIND_LINKS": ",".join(settings.get("find-links", "").split()),
        "UV_INDEX_STRATEGY": "unsafe-best-match" if "extra-index-url" in settings else None,  # as pip does, which knows no order
    }
    own = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")  # of this process; compiling anew each time takes long
    here = {key: value for key, value in environment.items() if key not in own}
    return {key: value for key, value in named.items() if value} | here | {"UV_PYTHON_DOWNLOADS": "never"}


def make(cell: Cell, uv: str, environment: Mapping[str, str], requirements: str) -> str:
    """Make a cell's environment, or bring the one that is there up to date.

    It is made anew where the requirements or the interpreter changed since; the newest releases are looked up every time.

    Returns:
        What went wrong, or nothing. Where newer releases cannot be asked for, those that are installed are good enough.
    """
    key = hashlib.sha256(f"{requirements} {cell.name} {cell.interpreter.full} {cell.interpreter.path} {ROOT}".encode()).hexdigest()
    stamp = cell.folder / STAMP
    whole = cell.python.exists() and stamp.is_file() and stamp.read_text() == key
    options = ["--quiet", "--compile-bytecode", "--upgrade", "--resolution", RESOLUTIONS[cell.resolution]]
    install = [uv, "pip", "install", *options, "--python", str(cell.python), "--editable", f"{ROOT}[test]"]
    if whole and cell.resolution == "lowest":
        return ""
    if not whole:
        shutil.rmtree(cell.folder, ignore_errors=True)
        created = _tried([uv, "venv", "--quiet", "--python", str(cell.interpreter.path), str(cell.folder)], environment)
        if created:
            return created
    failed = _tried(install, environment)
    if failed and whole:
        print(f"== {cell.name}: newer releases cannot be looked up ({failed}); as installed", file=sys.stderr)
        return ""
    if not failed:
        stamp.write_text(key)
    return failed


def _tried(command: list[str], environment: Mapping[str, str]) -> str:
    """Return the last line of what a command complains about, or nothing."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    print(done.stderr, file=sys.stderr)
    return f"`{' '.join(Path(part).name if part == command[0] else part for part in command[:3])}` failed"


def versions(cell: Cell) -> dict[str, str]:
    """Return the versions of what the table shows, as installed."""
    script = f"import importlib.metadata as m; print(*(m.version(name) for name in {SHOWN}))"
    done = subprocess.run([cell.python, "-I", "-c", script], capture_output=True, text=True, check=True)
    return dict(zip(SHOWN, done.stdout.split(), strict=True))


def run(cell: Cell, environment: Mapping[str, str]) -> Outcome:
    """Run the plain suite in a cell; what it prints is kept beside it, and shown where something fails."""
    report, log = PLACE / f"{cell.name}.xml", PLACE / f"{cell.name}.log"
    report.unlink(missing_ok=True)
    options = ["-q", "-n", "auto", "--dist", "worksteal", "-p", "no:cacheprovider"]
    command = [str(cell.python), "-m", "pytest", *options, f"--junitxml={report}"]
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as out:
        code = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False).returncode
    seconds = time.monotonic() - began
    counts = counted(report.read_text(encoding="utf-8")) if report.is_file() else None
    note = "" if code == 0 else f"pytest ended with {code}"
    if note:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        print("\n".join([line for line in lines if line.startswith(("FAILED", "ERROR"))][:50] or lines[-20:]))
        print(f"== {log} tells more")
    return Outcome(cell, versions(cell), counts, seconds, note)


def counted(report: str) -> tuple[int, int, int]:
    """Read passed, failed (errors are failures) and skipped off a report in JUnit's form."""
    suites = list(ElementTree.fromstring(report).iter("testsuite"))
    total, failures, errors, skipped = (sum(int(suite.get(key, 0)) for suite in suites) for key in KEYS)
    return total - failures - errors - skipped, failures + errors, skipped


def table(outcomes: list[Outcome], missing: Iterable[str]) -> str:
    """Return the table that is printed at the end."""
    rows = [["environment", "Python", *SHOWN, "passed", "failed", "skipped", "seconds", "verdict"]]
    for outcome in outcomes:
        counts = [str(count) for count in outcome.counts or ("–", "–", "–")]
        verdict = "pass" if outcome.passed else f"FAIL: {outcome.note or 'no test passed, or some failed'}"
        named = [outcome.versions.get(name, "–") for name in SHOWN]
        rows.append([outcome.cell.name, outcome.cell.interpreter.full, *named, *counts, f"{outcome.seconds:.0f}", verdict])
    rows += [[f"newest-{version}", "–", *["–"] * (len(SHOWN) + 4), "no such Python here"] for version in missing]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def main(arguments: list[str] | None = None) -> int:
    """Make the environments, run the suite in each, print the table.

    Returns:
        0 where every cell passed, else 1; 2 where there is no such cell.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", nargs="*", metavar="CELL", help="only these, as in newest-3.13 or lowest-3.11; all without")
    wanted = parser.parse_args(arguments).cells
    from uv import find_uv_bin  # of the extra `compat`, so that reading this module needs nothing

    uv = os.fsdecode(find_uv_bin())
    config = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    environment = with_pips_index(os.environ, config)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {interpreter for path in candidates(uv, environment) if (interpreter := told(path)) is not None}
    interpreters = newest_of_each(asked, project["requires-python"])
    known = cells(interpreters)
    if strangers := set(wanted) - {cell.name for cell in known}:
        print(f"no such cell: {', '.join(sorted(strangers))}; there are {', '.join(cell.name for cell in known)}", file=sys.stderr)
        return 2
    PLACE.mkdir(exist_ok=True)
    requirements = json.dumps([project["dependencies"], project["optional-dependencies"]["test"]])
    outcomes = []
    for cell in known:
        if wanted and cell.name not in wanted:
            continue
        print(f"== {cell.name}: {cell.interpreter.path}", flush=True)
        failed = make(cell, uv, environment, requirements)
        outcomes.append(Outcome(cell, {}, None, 0.0, failed) if failed else run(cell, environment))
    missing = [] if wanted else [version for version in promised(project) if version not in {one.minor for one in interpreters}]
    print(table(outcomes, missing))
    return 0 if outcomes and all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
