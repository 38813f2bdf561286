"""Find and read findings: a conf file and a module of the same name, in the package or in a folder of the user's."""

import difflib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pandas as pd
from matplotlib.figure import Figure

from experiments.config.files import load
from experiments.config.paths import CONF
from experiments.errors import UserError
from experiments.findings import figures, published
from experiments.findings.finding import CERTAINTIES, KNOBS, MODES, Estimate, Finding, Sweep, Threshold
from experiments.store.tables import Results
from experiments.text.quoting import quote

FOLDER = CONF / "finding"
Shown = TypeVar("Shown", Figure, str)
_REQUIRED = {
    "title": str,
    "claim": str,
    "source": str,
    "certainty": str,
    "published": str,
    "knobs": list,
    "sweeps": dict,
    "accept": str,
    "reason": str,
    "refuted_if": str,
}
_OPTIONAL = {"values": dict, "control": bool, "thresholds": dict, "caveat": str}
_PLACES = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_KINDS = {str: "a text", list: "a list", dict: "a mapping", bool: "true or false"}


@dataclass(frozen=True)
class Entry:
    """Hold a finding with its code.

    Args:
        finding: as its conf file states it.
        estimate: (sweep name -> results, finding) -> estimate.
        draw: tables -> figure, or (tables, finding) -> figure where numbers of the rule are drawn; or None.
        caption: the same -> how to read the figure.
        origin: folder of the user's that it came from, or None for the package's own.
    """

    finding: Finding
    estimate: Callable[[Mapping[str, Results], Finding], Estimate]
    draw: Callable[..., Figure] | None
    caption: Callable[..., str] | None
    origin: Path | None = None

    def figure(self, tables: Mapping[str, pd.DataFrame]) -> Figure:
        """Draw the figure of an estimate's tables.

        Raises:
            ValueError: the finding has none.
        """
        if self.draw is None:
            raise ValueError(f"{self.finding.id} has no draw(tables)")
        return self._called(self.draw, tables)

    def words(self, tables: Mapping[str, pd.DataFrame]) -> str:
        """Return the figure's caption, empty where there is none."""
        return "" if self.caption is None else self._called(self.caption, tables)

    def _called(self, function: Callable[..., Shown], tables: Mapping[str, pd.DataFrame]) -> Shown:
        """Call with the tables, and with the finding where the function takes it."""
        places = [one for one in inspect.signature(function).parameters.values() if one.kind in _PLACES]
        return function(tables, self.finding) if len(places) > 1 else function(tables)


def ids(folder: Path = FOLDER) -> list[str]:
    """Return the findings of a folder: the eight claims S-* first, then by name."""
    return sorted((path.stem for path in folder.glob("*.yaml")), key=lambda name: (not name.startswith("s_"), name))


def titles(folder: Path = FOLDER) -> dict[str, str]:
    """Return id -> title of a folder's findings, without importing their code."""
    return {name: read(folder / f"{name}.yaml").title for name in ids(folder)}


def select(names: list[str] | None, own: Path | None = None) -> list[Entry]:
    """Load findings.

    Args:
        names: ids, in any case, with hyphens or underscores; None for all.
        own: a folder of the user's with more of them; without `names`, its findings alone are taken.

    Returns:
        The findings, in the order of the page.

    Raises:
        UserError: a finding does not exist, or its conf file or module is not valid.
    """
    if own is not None and not own.is_dir():
        what = "is a file" if own.exists() else "does not exist"
        raise UserError(f"--findings {own} {what}; expected a folder with <id>.yaml and <id>.py of each finding")
    mine = ids(own) if own is not None else []
    if own is not None and not mine:
        raise UserError(f"--findings {own} holds no finding; expected <id>.yaml and <id>.py of each")
    known = [*mine, *(name for name in ids() if name not in mine)]
    if names is None:
        chosen = mine or known
    else:
        chosen = [name.strip().lower().replace("-", "_") for name in names if name.strip()]
        for name in chosen:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                raise UserError(
                    f"unknown finding {quote(name)}; {f'did you mean {close[0]}? ' if close else ''}findings: {', '.join(known)}"
                )
        if not chosen:
            raise UserError(f"--finding names no finding; findings: {', '.join(known)}")
        chosen = [name for name in known if name in chosen]
    return [_entry(name, own if name in mine else None) for name in chosen]


def _entry(name: str, own: Path | None) -> Entry:
    finding = read((own or FOLDER) / f"{name}.yaml")
    module = _module(name, own)
    if own is None:
        found = importlib.util.find_spec(f"{figures.__name__}.{name}")
        drawing: ModuleType | None = importlib.import_module(f"{figures.__name__}.{name}") if found else None
    else:
        drawing = module
    if not callable(getattr(module, "estimate", None)):
        raise UserError(f"{module.__file__} has no function estimate(results, finding); it must return an Estimate")
    return Entry(finding, module.estimate, getattr(drawing, "draw", None), getattr(drawing, "caption", None), own)


def _module(name: str, own: Path | None) -> ModuleType:
    if own is None:
        if importlib.util.find_spec(f"{published.__name__}.{name}") is None:
            raise UserError(
                f"conf/finding/{name}.yaml has no module experiments/findings/published/{name}.py; add one with estimate(results, finding)"
            )
        return importlib.import_module(f"{published.__name__}.{name}")
    path = own / f"{name}.py"
    if not path.is_file():
        raise UserError(f"{own / name}.yaml has no module {path} beside it; add one with estimate(results, finding)")
    spec = importlib.util.spec_from_file_location(f"gradstab_finding_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # so that its dataclasses can be defined
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"cannot import {path}: {type(error).__name__}: {error}; correct the module") from error
    return module


def read(path: Path) -> Finding:
    """Read a finding's conf file.

    Args:
        path: of <id>.yaml.

    Returns:
        The finding.

    Raises:
        UserError: the file cannot be read, lacks a key, or a value is not what it must be.
    """
    node = load(path)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem):
        raise UserError(f"{path}: a finding's id is lower case with underscores, got {quote(path.stem)}")
    for key in node:
        if key not in _REQUIRED and key not in _OPTIONAL:
            raise UserError(f"{path}: unknown key {quote(key)}; keys: {', '.join([*_REQUIRED, *_OPTIONAL])}")
    for key, kind in {**_REQUIRED, **_OPTIONAL}.items():
        if key not in node and key in _REQUIRED:
            raise UserError(f"{path} lacks the key `{key}`; it must be {_KINDS[kind]}")
        if key in node and (not isinstance(node[key], kind) or (kind is str and not node[key].strip())):
            raise UserError(f"{path}: `{key}` must be {_KINDS[kind]}{' that is not empty' if kind is str else ''}, got {quote(node[key])}")
    _choice(path, "certainty", node["certainty"], list(CERTAINTIES))
    for knob in node["knobs"]:
        _choice(path, "knobs", knob, list(KNOBS))
    texts = {key: " ".join(node[key].split()) for key, kind in {**_REQUIRED, **_OPTIONAL}.items() if kind is str and key in node}
    return Finding(
        id=path.stem,
        values=node.get("values", {}),
        knobs=tuple(node["knobs"]),
        control=node.get("control", False),
        sweeps={str(name): _sweep(path, str(name), sweep) for name, sweep in node["sweeps"].items()},
        thresholds={str(name): _threshold(path, str(name), threshold) for name, threshold in node.get("thresholds", {}).items()},
        **texts,
    )


def _choice(path: Path, key: str, value: Any, choices: list[str]) -> None:
    if value not in choices:
        raise UserError(f"{path}: `{key}` must be of {', '.join(choices)}, got {quote(value)}")


def _threshold(path: Path, name: str, node: Any) -> Threshold:
    if not isinstance(node, dict) or set(node) != {"value", "reason"} or not isinstance(node["reason"], str) or not node["reason"].strip():
        raise UserError(f"{path}: `thresholds.{name}` must be {{value: …, reason: …}}, got {quote(node)}")
    return Threshold(node["value"], " ".join(node["reason"].split()))


def _sweep(path: Path, name: str, node: Any) -> Sweep:
    where = f"{path}: `sweeps.{name}"
    if not isinstance(node, dict) or "overrides" not in node:
        raise UserError(f"{where}` must be a mapping with the key `overrides`, got {quote(node)}")
    for key in node:
        if key not in ("overrides", "data", *MODES):
            raise UserError(f"{where}.{key}` is unknown; keys: overrides, data, {', '.join(MODES)}")
    data = node.get("data", [])
    if not isinstance(data, list):
        raise UserError(f"{where}.data` must be a list of lists of overrides, best first, got {quote(data)}")
    alternatives = tuple(_overrides(f"{where}.data`", alternative) for alternative in data)
    modes = {mode: _overrides(f"{where}.{mode}`", node.get(mode, [])) for mode in MODES}
    return Sweep(name, _overrides(f"{where}.overrides`", node["overrides"]), modes, alternatives)


def _overrides(where: str, node: Any) -> tuple[str, ...]:
    if not isinstance(node, list) or not all(isinstance(item, str) and "=" in item for item in node):
        raise UserError(f'{where} must be a list of Hydra overrides such as "depth=2,5,10", got {quote(node)}')
    return tuple(node)
