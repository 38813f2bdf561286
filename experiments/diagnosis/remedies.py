"""The remedies as changes of a configuration, the five of the literature also in pairs, and the sweep that tries them.

Each remedy is a file in conf/remedy: what it changes, who advises it, why it should work, what it costs. A change replaces
a group's choice with the defaults of its file, as typing `init=he` would; `multiply` scales a number of the configuration.
"""

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config.files import catalogue, choice
from experiments.config.keys import DEPTH, GROUPS
from experiments.config.run import Run
from experiments.config.validation import validate
from experiments.errors import UserError
from experiments.text.quoting import quote

BATCH_SIZE = 64
"""What is taken where the configuration says nothing: remedies show in the first steps, and full batches take ten times as long."""

RECORDS = 10
"""Rows of a run at most, besides the first, where `record.every` is not given."""


@dataclass(frozen=True)
class Level:
    """Hold one way to apply a remedy.

    Args:
        remedy: its title.
        cost: rank of the remedy's price; 1 is the cheapest.
        change: key -> value; a group's value is the name of its choice.
        multiply: key -> factor.
        advice: what the textbook says, as an imperative.
        reason: why theory expects what it expects.
        source: of advice and reason.
        name: of its file, by which causes point to it.
        alone: whether it is left out of the pairs.
        bracket: a key whose value is searched for over decades, in place of a change; nothing where there is one.
    """

    remedy: str
    cost: int
    change: Mapping[str, Any]
    multiply: Mapping[str, float]
    advice: str
    reason: str
    source: str
    name: str = ""
    alone: bool = False
    bracket: str = ""


@dataclass(frozen=True)
class Candidate:
    """Hold a configuration to be tried: none, one or two levels applied.

    Args:
        label: what is changed, as overrides joined by a plus; `unchanged` for the ailing configuration.
        levels: applied.
        run: with the first seed; its overrides are those of the ailing configuration, as far as they stand, and of the change.
    """

    label: str
    levels: tuple[Level, ...]
    run: Run

    @property
    def cost(self) -> tuple[int, int]:
        """Return what the changes cost: their number first, then the sum of their ranks."""
        return len(self.levels), sum(level.cost for level in self.levels)


UNCHANGED = "unchanged"


def levels() -> list[Level]:
    """Return all levels of all remedies, the cheapest remedy first."""
    result = []
    for name in catalogue("remedy"):
        node = choice("remedy", name)
        for entry in node["levels"]:
            change, multiply = entry.get("change", {}), entry.get("multiply", {})
            said = entry["advice"], entry["reason"], entry["source"]
            alone, bracket = bool(entry.get("alone", False)), str(entry.get("bracket", ""))
            result.append(Level(node["title"], node["cost"], change, multiply, *said, name, alone, bracket))
    return sorted(result, key=lambda level: level.cost)


def prepare(run: Run) -> Run:
    """Fill in what the sweep of remedies takes by default where the command line says nothing.

    Args:
        run: as the command line asks for it.

    Returns:
        The run with a batch size and a recording interval, and the overrides with these.
    """
    given = {_key(override) for override in run.overrides}
    config, added = copy.deepcopy(run.config), []
    if "batch_size" not in given and run.facts.n_examples > BATCH_SIZE:
        config["batch_size"] = BATCH_SIZE
        added.append(f"batch_size={BATCH_SIZE}")
    if "record.every" not in given and run.steps > RECORDS:
        config["record"]["every"] = -(-run.steps // RECORDS)
        added.append(f"record.every={config['record']['every']}")
    typed = tuple(f"steps={run.steps}" if _key(override) == "epochs" else override for override in run.overrides)
    if run.depth != DEPTH and not any(_key(override) == "depth" and override.partition("=")[2] != "null" for override in typed):
        typed = (*(override for override in typed if _key(override) != "depth"), f"depth={run.depth}")  # a change may replace the list
    return validate(config, overrides=(*typed, *added))


def ranks(pointed: Sequence[str]) -> Callable[[Level], int]:
    """Return the place of a level's remedy among those that causes point to; the others stand behind them."""
    return lambda level: pointed.index(level.name) if level.name in pointed else len(pointed)


def candidates(run: Run, pointed: Sequence[str] = ()) -> list[Candidate]:
    """Return the configuration as it is, then every level alone, then every pair of levels of two remedies.

    What changes nothing, because the configuration has it already, is left out, and so is what it cannot have, and what is searched for.

    Args:
        run: the ailing one.
        pointed: names of the remedies that are to come first, as the causes point to them.

    Returns:
        Distinct candidates, the ailing configuration first.
    """
    known = sorted((level for level in levels() if not level.bracket), key=ranks(pointed))
    found: dict[str, Candidate] = {run.run_id: apply(run, ())}
    singles = []
    for level in known:
        candidate = _possible(run, (level,))
        if candidate is not None and candidate.run.run_id not in found:
            found[candidate.run.run_id] = candidate
            singles.append(level)
    paired = [level for level in singles if not level.alone]
    for pair in itertools.combinations(paired, 2):
        if pair[0].remedy != pair[1].remedy:
            candidate = apply(run, pair)
            found.setdefault(candidate.run.run_id, candidate)
    return list(found.values())


def proposed(run: Run, names: Sequence[str]) -> list[Candidate]:
    """Return every level of some remedies alone, in the order of the names, as far as the configuration can have it and does not yet.

    Args:
        run: the ailing one.
        names: of files in conf/remedy.
    """
    found = {run.run_id: apply(run, ())}
    for name in names:
        for level in levels():
            if level.name == name and (candidate := _possible(run, (level,))) is not None:
                found.setdefault(candidate.run.run_id, candidate)
    return list(found.values())[1:]


def _possible(run: Run, applied: tuple[Level, ...]) -> Candidate | None:
    """Apply levels, or return nothing where the configuration lacks a key that they set, or refuses its value."""
    for level in applied:
        nodes = {**run.config, **{key: choice(key, value) for key, value in level.change.items() if key in GROUPS}}
        for key in level.change:
            group, _, leaf = key.partition(".")
            if leaf and leaf not in nodes[group]:
                return None
    try:
        return apply(run, applied)
    except UserError:  # a regression's remedy on classes, say; the configuration itself has passed
        return None


def apply(run: Run, applied: tuple[Level, ...]) -> Candidate:
    """Return a configuration with levels applied.

    Args:
        run: the configuration.
        applied: the levels; none for the configuration as it is.

    Raises:
        UserError: it cannot have what they set.
    """
    changed = copy.deepcopy(run.config)
    overrides = []
    for level in applied:
        for key, value in level.change.items():
            group, _, leaf = key.partition(".")
            if key in GROUPS:
                changed[key] = choice(key, value)
            elif (changed[group][leaf] if leaf else changed[key]) == value:
                continue
            else:
                (changed[group] if leaf else changed)[leaf or key] = value
            overrides.append(f"{key}={str(value).lower() if isinstance(value, bool) else value}")
        for key, factor in level.multiply.items():
            changed[key] *= factor
            overrides.append(f"{key}={changed[key]:.6g}")
            changed[key] = float(f"{changed[key]:.6g}")
    keys = {_key(override) for override in overrides}
    replaced = tuple(f"{key}." for key in keys if key in GROUPS)  # the keys of a group's choice of before would not fit
    own = [override for override in run.overrides if _key(override) not in keys and not _key(override).startswith(replaced)]
    return Candidate(" + ".join(overrides) or UNCHANGED, applied, validate(changed, overrides=(*own, *overrides)))


def runs_of(tried: list[Candidate], seeds: int) -> list[Run]:
    """Return the sweep: every candidate with every seed, from the configuration's own on.

    Args:
        tried: the candidates.
        seeds: number of repetitions, ≥ 1.

    Returns:
        Runs in the order of the candidates.

    Raises:
        UserError: there are too few seeds to compare anything.
    """
    check_seeds(seeds)
    runs: list[Run] = []
    for candidate in tried:
        first = candidate.run
        overrides = tuple(override for override in first.overrides if _key(override) != "seed")
        for seed in range(first.seed, first.seed + seeds):
            runs.append(validate({**first.config, "seed": seed}, len(runs), (*overrides, f"seed={seed}")))
    return runs


def check_seeds(seeds: int) -> None:
    """Refuse a number of seeds that gives no interval."""
    if seeds < 2:
        raise UserError(f"`--seeds` must be an integer ≥ 2, got {quote(seeds)}; intervals come from the scatter over seeds")


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")


def folder_of(run: Run, default: str) -> Path:
    """Return the results folder: `name`, or the default, in results_dir."""
    return Path(run.results_dir) / (run.name or default)
