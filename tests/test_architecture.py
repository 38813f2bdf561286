"""The house: one rule a room, what it may import; a module is guarded by where it stands.

A room is a package, or the modules that lie flat in one. `MAY` says of each room which other rooms it may import, `OWNERS` which
rooms may use a library that is heavy or somebody's trade. The longest name counts, so that a new module needs no line here.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.every import every

ROOT = Path(__file__).parents[1]
MOST_LINES = 300

GROUND = {"bpcore.arrays", "bpcore.streams", "bpcore.norms"}
TEXTBOOK = {*GROUND, "bpcore", "bpcore.layers", "bpcore.mlp"}
"""`bpcore` itself stands for what nets are made of: the modules that lie flat in it and have no rule of their own."""

CORE = {*TEXTBOOK, "bpcore.measure", "bpcore.engine", "bpcore.training", "bpcore.theory"}
"""All of the core but the graph, which is its oracle."""

GIVEN = {"experiments.errors", "experiments.forks", "experiments.text", "experiments.datasets", "experiments.config"}
TABLES = {*GIVEN, "experiments.store", "experiments.statistics"}
JUDGED = {*TABLES, "experiments.theory", "experiments.diagnosis"}
FIGURES = {"experiments.figures", "experiments.figures.data", "experiments.figures.style"}
DRAWN = {*JUDGED, *FIGURES}
RUNNING = {"experiments.compose", "experiments.sweep"}
STATED = {"experiments.findings", "experiments.findings.published", "experiments.findings.figures"}

MAY: dict[str, set[str]] = {
    "bpcore": {*GROUND, "bpcore.layers"},
    **dict.fromkeys((*GROUND, "bpcore.layers"), GROUND),
    "bpcore.mlp": TEXTBOOK,
    "bpcore.measure": TEXTBOOK,
    "bpcore.engine": {*TEXTBOOK, "bpcore.measure"},
    "bpcore.engine.kernels": {"bpcore.engine", "bpcore.measure"},
    "bpcore.training": {*TEXTBOOK, "bpcore.measure", "bpcore.engine"},
    "bpcore.graph": set(),
    "bpcore.theory": {*GROUND, "bpcore"},
    "experiments": {"experiments.store"},
    "experiments.errors": set(),
    "experiments.forks": set(),
    "experiments.text": {"experiments.errors"},
    "experiments.datasets": {*GROUND, "experiments.errors", "experiments.text"},
    "experiments.config": {*CORE, *GIVEN},
    "experiments.compose": GIVEN,
    "experiments.store": {*CORE, *GIVEN},
    "experiments.statistics": {*GROUND, *GIVEN},
    "experiments.theory": {*CORE, *TABLES},
    "experiments.diagnosis": {*GROUND, "bpcore", *TABLES, "experiments.theory"},
    "experiments.sweep": {*CORE, *JUDGED, "experiments.compose", "experiments.sweep.executors"},
    "experiments.sweep.executors": {"experiments.errors", "experiments.forks"},
    "experiments.figures": {*CORE, *TABLES, "experiments.theory", *FIGURES},
    "experiments.figures.data": {*TEXTBOOK, *TABLES, "experiments.theory"},
    "experiments.figures.style": {"experiments.text", "experiments.figures.data"},
    "experiments.report": DRAWN,
    "experiments.findings": {*GROUND, *TABLES},
    "experiments.findings.published": {*TEXTBOOK, *TABLES, "bpcore.theory", "experiments.theory", "experiments.findings"},
    "experiments.findings.figures": {"experiments.text", "experiments.findings", "experiments.figures.style"},
    "experiments.atlas": {*DRAWN, *RUNNING, *STATED, "experiments.report"},
    "experiments.graphs": {*TEXTBOOK, "bpcore.graph", "experiments.errors", "experiments.text", "experiments.report"},
    "experiments.bench": {*CORE, "bpcore.engine.kernels", *JUDGED, *RUNNING, "experiments.report"},
    "experiments.commands": {*CORE, *DRAWN, *RUNNING, *STATED, "experiments.report", "experiments.atlas", "experiments.bench"},
    "experiments.commands.graph": {"bpcore.graph", "experiments.errors", "experiments.text", "experiments.graphs"},
    "experiments.cli": {"experiments", "experiments.errors", "experiments.text", "experiments.commands", "experiments.compose"},
    "experiments.__main__": {"experiments.cli"},
    "hydra_plugins": {"experiments.compose"},
    "tests.oracles": {"tests.normal_oracle", "tests.skip_oracle"},
    "tests.normal_oracle": set(),
    "tests.skip_oracle": set(),
}
"""room -> the rooms that it may import, itself aside."""

HARNESS = {name for name in MAY if name.startswith("experiments")}
DRAWING = {"experiments.figures", "experiments.figures.style", "experiments.findings.figures", "experiments.report", "experiments.atlas"}
OWNERS: dict[str, set[str]] = {
    "numpy": set(MAY),
    "scipy": set(MAY),
    "pandas": HARNESS - {f"experiments.{name}" for name in ("errors", "text", "compose", "config", "sweep.executors")},
    "pyarrow": {"experiments.datasets", "experiments.store", "experiments.sweep"},
    "matplotlib": {*DRAWING, "experiments.graphs", "experiments.commands"},
    "hydra": {"experiments.config", "experiments.compose", "hydra_plugins"},
    "omegaconf": {"experiments.config", "experiments.compose", "experiments.atlas", "hydra_plugins"},
    "sklearn": {"experiments.datasets"},
    "pooch": {"experiments.datasets"},
    "platformdirs": {"experiments.datasets", "bpcore.engine"},
    "loky": {"experiments.sweep.executors"},
    "filelock": {"experiments.store", "bpcore.engine"},
    "llvmlite": {"bpcore.engine", "bpcore.engine.kernels"},
    "numba": {"bpcore.engine.kernels", "experiments.bench"},
    "jinja2": {"experiments.report"},
    "torch": {"experiments.bench"},
    "jax": {"experiments.bench"},
}
"""library -> the rooms that may use it; of the core it is numpy and scipy, and the engine's compiler and its keeping."""

ALONE = ("experiments.figures", "experiments.findings.published", "experiments.findings.figures", "experiments.commands")
"""Rooms whose modules do not import each other: one can be added or taken away without a look at the rest."""

LIGHT = {"pandas", "pyarrow", "matplotlib", "sklearn", "scipy", "bpcore"}
"""What no Hydra application that has gradstab beside it may be made to import."""


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(file): file for folder in ("bpcore", "experiments", "hydra_plugins") for file in sorted((ROOT / folder).rglob("*.py"))}
FILES["tests.oracles"] = ROOT / "tests" / "oracles.py"
FILES |= {f"tests.{name}": ROOT / "tests" / f"{name}.py" for name in ("normal_oracle", "skip_oracle")}
PACKAGES = sorted(name for name, file in FILES.items() if file.stem == "__init__")


def lies_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def imported(source: str, module: str, is_package: bool = False, everywhere: bool = True) -> set[str]:
    """Return the dotted names that a source imports, those inside functions included unless only the top is asked for."""
    names: set[str] = set()
    tree = ast.parse(source)
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            prefix = base[: len(base) - node.level + is_package] if node.level else []
            origin = ".".join([*prefix, *([node.module] if node.module else [])])
            found = {f"{origin}.{alias.name}" for alias in node.names}
            names |= found if is_package_name(origin) else {origin}
    return names


def is_package_name(name: str) -> bool:
    return name in FILES and FILES[name].stem == "__init__"


@cache
def room(module: str) -> str:
    """Return the room that a module stands in: the longest name of a rule that it lies in."""
    found = [name for name in MAY if lies_in(module, name)]
    return max(found, key=len) if found else ""


def offences(source: str, module: str, is_package: bool = False) -> list[str]:
    """Return one line for each import that breaks a rule."""
    here = room(module)
    lines = []
    for name in sorted(imported(source, module, is_package)):
        top = name.partition(".")[0]
        if top in ("bpcore", "experiments", "hydra_plugins", "tests"):
            there = room(name)
            if there != here and there not in MAY[here]:
                lines.append(f"{module} imports {name}, but {here} may not import {there}")
            package = next((package for package in ALONE if here == package), None)
            sibling = package is not None and name != module and lies_in(name, package) and name.count(".") == package.count(".") + 1
            if sibling and there == here and is_leaf(module, package or ""):
                lines.append(f"{module} imports its sibling {name}")
        elif top in OWNERS and here not in OWNERS[top]:
            lines.append(f"{module} imports {name}, but {top} is not {here}'s to use")
    return lines


def is_leaf(module: str, package: str) -> bool:
    """Return whether a module lies flat in a package, as the members of a catalogue do."""
    return module.count(".") == package.count(".") + 1


@every(FILES, by=room)
def test_imports_run_one_way(module: str) -> None:
    file = FILES[module]
    found = offences(file.read_text(encoding="utf-8"), module, file.stem == "__init__")
    assert not found, "\n" + "\n".join(found)


def test_no_module_imports_itself_by_a_detour() -> None:
    needs = {
        module: imported(file.read_text(encoding="utf-8"), module, file.stem == "__init__", everywhere=False) & FILES.keys() - {module}
        for module, file in FILES.items()
    }
    while free := [module for module, names in needs.items() if not names & needs.keys()]:
        for module in free:
            del needs[module]
    assert not needs, {module: sorted(names & needs.keys()) for module, names in needs.items()}


def test_rules_run_one_way() -> None:
    below = {name: {other for other in allowed if other != name} for name, allowed in MAY.items()}
    free = {*GROUND, "bpcore.layers"}  # of these no module imports itself by a detour, which is tested above
    pairs = {(name, other) for name, allowed in below.items() for other in allowed if name in below.get(other, set())}
    assert not {pair for pair in pairs if not free.issuperset(pair)}, sorted(pairs)


def test_every_room_stands() -> None:
    for name in MAY:
        assert name in FILES or (ROOT / name.replace(".", "/")).is_dir(), f"the rule of {name} guards nothing"
    for package in PACKAGES:
        assert room(package), f"{package} has no rule"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_what_goes_in_and_what_comes_out(package: str) -> None:
    assert ast.get_docstring(ast.parse(FILES[package].read_text(encoding="utf-8"))), f"{package} has no docstring"


@every(FILES)
def test_a_module_is_one_idea(module: str) -> None:
    count = len(FILES[module].read_text(encoding="utf-8").splitlines())
    assert count <= MOST_LINES, f"{module} has {count} lines: is it still one idea?"


def test_the_harness_is_made_of_rooms() -> None:
    flat = {file.name for file in (ROOT / "experiments").glob("*.py")}
    assert flat == {"__init__.py", "__main__.py", "cli.py", "errors.py"}


def test_a_hydra_application_is_not_made_to_import_what_is_heavy() -> None:
    reached, waiting = set(), ["hydra_plugins.gradstab"]
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        file = FILES[module]
        names = imported(file.read_text(encoding="utf-8"), module, file.stem == "__init__", everywhere=False)
        assert not {name for name in names if name.partition(".")[0] in LIGHT}, (module, names)
        parents = {module.rpartition(".")[0]} & FILES.keys()
        waiting += sorted((names | parents) & FILES.keys())
    assert len(reached) > 3


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bpcore.mlp", "import experiments"),
        ("bpcore.mlp", "from experiments.store.tables import load"),
        ("bpcore.deep.new", "import pandas as pd"),
        ("bpcore.training", "def f():\n    from matplotlib import pyplot"),
        ("bpcore.activations", "from bpcore.mlp import forward"),
        ("bpcore.schedules", "from bpcore import theory"),
        ("bpcore.schedules", "from bpcore.engine.engine import Engine"),
        ("bpcore.losses", "from . import training"),
        ("bpcore.losses", "from .mlp import forward"),
        ("bpcore.theory.maps", "from bpcore import mlp"),
        ("bpcore.measure.extended", "from bpcore.training import train"),
        ("bpcore.measure.new", "from bpcore.engine.engine import Engine"),
        ("bpcore.mlp", "from bpcore.measure.modes import modes"),
        ("bpcore.mlp", "from bpcore.training import train"),
        ("bpcore.graph.gates", "from bpcore.activations import sigmoid"),
        ("bpcore.graph.paths", "from bpcore.arrays import Array"),
        ("bpcore.mlp", "from bpcore.graph.node import Node"),
        ("bpcore.theory.new", "from bpcore.graph import gates"),
        ("experiments.config.new", "from experiments.store.tables import load"),
        ("experiments.datasets.new", "from experiments.config.keys import GROUPS"),
        ("experiments.store.new", "from experiments.sweep.execution import execute"),
        ("experiments.store.new", "from experiments.theory.prediction import predict"),
        ("experiments.statistics.new", "import matplotlib.pyplot as plt"),
        ("experiments.statistics.new", "from experiments.diagnosis.signal import judge"),
        ("experiments.diagnosis.new", "from experiments.sweep.tile import run_tile"),
        ("experiments.sweep.executors.new", "from experiments.sweep.tile import run_tile"),
        ("experiments.sweep.new", "from experiments.report import terminal"),
        ("experiments.figures.curves", "from experiments.figures.heatmap import draw"),
        ("experiments.figures.curves", "from . import heatmap"),
        ("experiments.figures.curves", "from experiments.sweep.execution import execute"),
        ("experiments.figures.data.new", "from experiments.report.page import combine"),
        ("experiments.findings.published.new", "from experiments.findings.published import f_phase"),
        ("experiments.findings.published.new", "import experiments.sweep.execution"),
        ("experiments.findings.published.new", "from experiments.atlas.sweeps import compose_all"),
        ("experiments.findings.published.new", "from experiments.figures.style.look import figure"),
        ("experiments.findings.figures.new", "from bpcore.theory import chi"),
        ("experiments.findings.figures.new", "from experiments.findings.figures import f_phase"),
        ("experiments.findings.new", "from experiments.atlas import catalogue"),
        ("experiments.report.new", "from experiments.graphs.drawing import draw"),
        ("experiments.graphs.new", "from experiments.store.tables import load"),
        ("experiments.commands.new", "from experiments.commands.run import execute"),
        ("experiments.compose.new", "import pandas as pd"),
        ("hydra_plugins.gradstab", "from experiments.config import keys"),
        ("tests.oracles", "from bpcore.mlp import forward"),
    ],
)
def test_an_offending_import_is_caught(module: str, source: str) -> None:
    assert offences(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bpcore.mlp", "from bpcore.activations import Activation\nimport numpy as np"),
        ("bpcore.losses", "from bpcore.activations import sigmoid"),
        ("bpcore.theory.maps", "from bpcore.activations import Activation"),
        ("bpcore.graph.new", "from bpcore.graph.node import Gate\nfrom scipy import special"),
        ("experiments.figures.curves", "from experiments.figures.style import look\nimport matplotlib.pyplot as plt"),
        ("experiments.sweep.new", "from bpcore.training import train"),
        ("experiments.findings.published.new", "from bpcore.theory import chi\nfrom experiments.findings.finding import Estimate"),
        ("experiments.findings.figures.new", "from experiments.figures.style.panels import panels"),
        ("experiments.graphs.new", "from bpcore.graph.node import Node\nfrom bpcore.mlp import backward"),
        ("hydra_plugins.gradstab", "from experiments.compose import launcher, sweeper"),
        ("experiments.commands.graph", "from bpcore.graph import gates\nfrom experiments.graphs.drawing import draw"),
    ],
)
def test_a_proper_import_is_let_through(module: str, source: str) -> None:
    assert not offences(source, module)
