"""The import directions of the house: who may know of whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FIGURES_AND_TABLES = {"matplotlib", "pandas", "hydra", "omegaconf", "pyarrow", "sklearn"}
HARNESS = {"experiments", "hydra_plugins", "tests"}
PROBES = {f"bpcore.{name}" for name in ("curvature", "extended", "shattering", "modes", "probes")}
"""Measurements that read a network and its pass; the step loop calls them, and they do not know of it."""

ENGINE = {f"bpcore.{name}" for name in ("batches", "engine", "evaluation", "measurements", "workspace")}
"""The equations in place. The textbook, which they are held against, does not know of them."""

LAYERED = {f"bpcore.{name}" for name in ("mlp", "training", "recording", "instruments", "layers")} | PROBES | ENGINE
PARTS = {f"bpcore.{name}" for name in ("activations", "initializers", "losses", "normalization", "clipping", "optimizers")}
GRAPH = {f"bpcore.{name}" for name in ("graph", "gates", "composite", "paths", "perturb")}
"""The computation graph, the oracle of the rest of the core: no module of either half imports the other half."""

RUNNING = {f"experiments.{name}" for name in ("launcher", "runner", "tile", "executors", "composition", "cli", "commands", "report")}
TRAINING = {"bpcore.mlp", "bpcore.training"}
PLUGINS = ("hydra_plugins", *(f"experiments.compose.{name}" for name in ("launcher", "sweeper", "fast", "bases", "plain_values")))
"""What every Hydra application imports where gradstab is installed: it must be light."""
ATLAS = {f"experiments.atlas.{name}" for name in ("catalogue", "composing", "sweeps", "judging", "figures", "page", "glyph")}
"""The atlas's own part; what findings are written with (finding, intervals, frames) is not of it."""

# module (or package) -> what it must not import, with everything below
FORBIDDEN: dict[str, set[str]] = {
    "bpcore": HARNESS | FIGURES_AND_TABLES,
    **{part: LAYERED - {"bpcore.layers"} | {"bpcore.theory"} for part in PARTS},
    "bpcore.activations": LAYERED | {"bpcore.theory"} | PARTS - {"bpcore.activations"},
    **{probe: {"bpcore.training", "bpcore.measure.recording", "bpcore.theory"} for probe in PROBES},
    "bpcore.engine.tabulated": LAYERED | PARTS | {"bpcore.theory"},
    "bpcore.engine.step": PROBES | {"bpcore.training", "bpcore.measure.recording", "bpcore.measure.instruments"},
    "bpcore.engine.evaluation": PROBES
    | {"bpcore.engine.step", "bpcore.training", "bpcore.measure.recording", "bpcore.measure.instruments"},
    "bpcore.mlp": PROBES | ENGINE | {"bpcore.training", "bpcore.measure.recording", "bpcore.theory", "bpcore.optimizers"},
    "bpcore.theory": LAYERED | PARTS - {"bpcore.activations", "bpcore.losses"},
    **{part: GRAPH - {part, "bpcore.graph.node"} for part in GRAPH},
    "bpcore.norms": LAYERED | PARTS | {"bpcore.theory"},
    "experiments.store.tables": {"matplotlib", "experiments.figures", "experiments.findings", "experiments.report.page"},
    **{
        f"experiments.{part}": RUNNING | TRAINING | {"matplotlib", "hydra", "experiments.figures", "experiments.findings"}
        for part in ("factors", "intervals", "verdicts", "statistics", "remedy_effects")
    },
    **{
        f"experiments.{part}": RUNNING | TRAINING | {"matplotlib", "hydra", "experiments.figures", "experiments.findings"}
        for part in ("files", "locks", "parts", "compaction", "settling", "verification")
    },
    "experiments.sweep.tiles": RUNNING | TRAINING | {"pandas", "matplotlib"},
    "experiments.sweep.tile": RUNNING - {"experiments.sweep.tile"} | {"matplotlib", "experiments.store.settling", "experiments.figures"},
    "experiments.figures": RUNNING | TRAINING | ATLAS | {"experiments.findings", "hydra"},
    "experiments.findings.figures": {"bpcore", "experiments.atlas", "experiments.store.tables", "experiments.statistics.groups"},
    "experiments.findings": RUNNING | TRAINING | ATLAS | {"experiments.figures", "matplotlib", "hydra"},
    **{
        f"experiments.atlas.{name}": RUNNING | TRAINING | ATLAS | {"experiments.figures", "experiments.findings", "matplotlib", "hydra"}
        for name in ("finding", "intervals", "frames")
    },
    "experiments.graphs": RUNNING | FIGURES_AND_TABLES - {"matplotlib"} | {"experiments.store.tables", "experiments.figures"},
    **{f"experiments.graphs.{name}": {"matplotlib", "experiments.graphs.drawing"} for name in ("reader", "expression", "text", "layout")},
    **{
        part: {"bpcore", "matplotlib", "pandas", "sklearn", "experiments.config.keys", "experiments.compose.composition"}
        for part in PLUGINS
    },
    "tests.oracles": {"bpcore"},
}

SHARED = {"experiments.figures.style"}
"""What sibling figures may share; otherwise they do not import each other, nor do findings."""

TEACHING = {"experiments.graphs", "experiments.commands.graph"}
"""Who may use the graph; the harness does without."""


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(source: str, module: str, is_package: bool = False) -> set[str]:
    """Return the dotted names that a source imports anywhere, those inside functions included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            prefix = base[: len(base) - node.level + is_package] if node.level else []
            origin = ".".join([*prefix, *([node.module] if node.module else [])])
            names |= {origin} | {f"{origin}.{alias.name}" for alias in node.names}
    return names


def lies_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def of_the_graph(name: str) -> bool:
    return any(lies_in(name, part) for part in GRAPH)


def siblings(module: str) -> set[str]:
    """Return the package whose modules must not import each other, if the module stands in one."""
    return {package for package in ("experiments.figures", "experiments.findings") if module.startswith(package + ".")}


def offences(source: str, module: str, is_package: bool = False) -> list[str]:
    """Return one line for each import that breaks a rule."""
    names = imported(source, module, is_package)
    lines = [
        f"{module} imports {name}, but {holder} must not import {target}"
        for holder, targets in FORBIDDEN.items()
        if lies_in(module, holder)
        for target in sorted(targets)
        for name in sorted(names)
        if lies_in(name, target)
    ]
    if lies_in(module, "bpcore"):
        half, other = ("graph", "layered") if of_the_graph(module) else ("layered", "graph")
        across = {name for name in names if name.startswith("bpcore.") and of_the_graph(name) != of_the_graph(module)}
        lines += [f"{module} imports {name}, but the {half} half must not import the {other} half" for name in sorted(across)]
    elif not any(lies_in(module, teaching) for teaching in TEACHING):
        targets = GRAPH | {"experiments.graphs"}
        lines += [f"{module} imports {name}, of the graph" for name in sorted(names) if any(lies_in(name, target) for target in targets)]
    for package in siblings(module) if module not in SHARED else set():
        others = {name for name in names if name.startswith(package + ".") and not lies_in(name, module)}
        lines += [f"{module} imports its sibling {name}" for name in sorted(others) if not any(lies_in(name, free) for free in SHARED)]
    return lines


FILES = sorted(
    [
        *(ROOT / "bpcore").rglob("*.py"),
        *(ROOT / "experiments").rglob("*.py"),
        *(ROOT / "hydra_plugins").rglob("*.py"),
        ROOT / "tests" / "oracles.py",
    ]
)


@pytest.mark.parametrize("file", FILES, ids=module_name)
def test_imports_run_one_way(file: Path) -> None:
    found = offences(file.read_text(encoding="utf-8"), module_name(file), file.stem == "__init__")
    assert not found, "\n" + "\n".join(found)


def test_the_core_has_no_cycle() -> None:
    files = {module_name(file): file.read_text(encoding="utf-8") for file in (ROOT / "bpcore").rglob("*.py")}
    needs = {
        module: {name for name in imported(source, module) if name in files and name not in ("bpcore", module)}
        for module, source in files.items()
    }
    while free := [module for module, names in needs.items() if not names & needs.keys()]:
        for module in free:
            del needs[module]
    assert not needs


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bpcore.mlp", "import experiments"),
        ("bpcore.mlp", "from experiments.store.tables import read"),
        ("bpcore.deep.new", "import pandas as pd"),
        ("bpcore.training", "def f():\n    from matplotlib import pyplot"),
        ("bpcore.activations", "from bpcore.mlp import forward"),
        ("bpcore.activations", "from bpcore import theory"),
        ("bpcore.losses", "from . import training"),
        ("bpcore.losses", "from .mlp import forward"),
        ("bpcore.theory", "from bpcore import mlp"),
        ("bpcore.measure.extended", "from bpcore.training import train"),
        ("bpcore.mlp", "from bpcore.measure.modes import modes"),
        ("bpcore.mlp", "from bpcore.training import train"),
        ("experiments.figures.curves", "from experiments.figures.heatmap import draw"),
        ("experiments.figures.curves", "from . import heatmap"),
        ("experiments.figures.curves", "from bpcore.training import train"),
        ("experiments.findings.phase", "from experiments.findings import depth"),
        ("experiments.findings.phase", "import experiments.sweep.execution"),
        ("experiments.findings.phase", "from experiments.atlas.sweeps import compose_all"),
        ("experiments.findings.phase", "from experiments.figures.style.look import figure"),
        ("experiments.findings.figures.phase", "from bpcore.theory import chi"),
        ("experiments.findings.figures.phase", "from experiments.findings.figures import depth"),
        ("experiments.findings.frames", "from experiments.atlas import catalogue"),
        ("experiments.statistics.groups", "import matplotlib.pyplot as plt"),
        ("experiments.statistics.groups", "from experiments import figures"),
        ("experiments.diagnosis.signal", "from experiments.sweep.tile import run_tile"),
        ("experiments.store.settling", "from experiments.sweep.execution import execute"),
        ("experiments.sweep.tile", "from experiments import runner"),
        ("experiments.diagnosis.effects", "from experiments.sweep.execution import execute"),
        ("bpcore.graph.node", "from bpcore import gates"),
        ("bpcore.graph.gates", "from bpcore.graph.composite import composite"),
        ("bpcore.graph.gates", "from bpcore.activations import sigmoid"),
        ("bpcore.graph.paths", "from bpcore.arrays import Array"),
        ("bpcore.mlp", "from bpcore.graph.node import Node"),
        ("bpcore.theory", "from bpcore import gates"),
        ("bpcore.deep.new", "import bpcore.graph.perturb"),
        ("experiments.sweep.execution", "from bpcore.graph.gates import sigmoid"),
        ("experiments.report.page", "from experiments.graphs.drawing import draw"),
        ("experiments.graphs.gallery", "from experiments.report.page import write_report"),
        ("experiments.graphs.reader", "from experiments.graphs import drawing"),
        ("hydra_plugins.gradstab", "from experiments import config"),
        ("experiments.compose.sweeper", "import pandas as pd"),
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
        ("bpcore.theory", "from bpcore.activations import Activation"),
        ("experiments.figures.curves", "from experiments.figures.style import palette\nimport matplotlib.pyplot as plt"),
        ("experiments.figures.curves", "from experiments.figures import style"),
        ("experiments.figures.__init__", "from bpcore.activations import tanh"),
        ("experiments.sweep.execution", "from bpcore.training import train"),
        ("experiments.findings.phase", "from bpcore.theory import chi\nfrom experiments.findings.finding import Estimate"),
        ("experiments.findings.figures.phase", "from experiments.figures.style.panels import panels"),
        ("bpcore.graph.gates", "from bpcore.graph.node import Gate\nfrom scipy import special"),
        ("experiments.graphs.networks", "from bpcore.graph.node import Node\nfrom bpcore.mlp import backward"),
        ("hydra_plugins.gradstab", "from experiments import launcher, sweeper"),
        ("experiments.commands.graph", "from bpcore import gates\nfrom experiments.graphs.drawing import draw"),
    ],
)
def test_a_proper_import_is_let_through(module: str, source: str) -> None:
    assert not offences(source, module)
