"""The five remedies of the literature as changes of a configuration, alone and in pairs, and the sweep that tries them.

Each remedy is a file in conf/remedy: what it changes, who advises it, why it should work, what it costs. A change replaces
a group's choice with the defaults of its file, as typing `init=he` would; `multiply` scales a number of the configuration.
"""

import copy
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from experiments.config.keys import GROUPS, Config, Job, build_cached, catalogue, run_id
from experiments.config.paths import CONF
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
    """

    remedy: str
    cost: int
    change: Mapping[str, Any]
    multiply: Mapping[str, float]
    advice: str
    reason: str
    source: str


@dataclass(frozen=True)
class Candidate:
    """Hold a configuration to be tried: none, one or two levels applied.

    Args:
        label: what is changed, as overrides joined by a plus; `unchanged` for the ailing configuration.
        levels: applied.
        overrides: of the change.
        config: with the first seed, validated.
    """

    label: str
    levels: tuple[Level, ...]
    overrides: tuple[str, ...]
    config: Config

    @property
    def cost(self) -> tuple[int, int]:
        """Return what the changes cost: their number first, then the sum of their ranks."""
        return len(self.levels), sum(level.cost for level in self.levels)


UNCHANGED = "unchanged"


def levels() -> list[Level]:
    """Return all levels of all remedies, the cheapest remedy first."""
    result = []
    for name in catalogue("remedy"):
        node: Any = OmegaConf.to_container(OmegaConf.load(CONF / "remedy" / f"{name}.yaml"))
        for entry in node["levels"]:
            change, multiply = entry.get("change", {}), entry.get("multiply", {})
            result.append(Level(node["title"], node["cost"], change, multiply, entry["advice"], entry["reason"], entry["source"]))
    return sorted(result, key=lambda level: level.cost)


def prepare(config: Config, overrides: tuple[str, ...]) -> tuple[Config, tuple[str, ...]]:
    """Fill in what the sweep of remedies takes by default where the command line says nothing.

    Args:
        config: composed and validated.
        overrides: of the command line.

    Returns:
        The configuration with a batch size and a recording interval, and the overrides with these.
    """
    given = {override.partition("=")[0] for override in overrides}
    config, added = copy.deepcopy(config), []
    examples = build_cached(config["data"]).x.shape[1]
    if "batch_size" not in given and examples > BATCH_SIZE:
        config["batch_size"] = BATCH_SIZE
        added.append(f"batch_size={BATCH_SIZE}")
    if "record.every" not in given and config["steps"] > RECORDS:
        config["record"]["every"] = -(-config["steps"] // RECORDS)
        added.append(f"record.every={config['record']['every']}")
    return validate(config), (*overrides, *added)


def candidates(config: Config) -> list[Candidate]:
    """Return the configuration as it is, then every level alone, then every pair of levels of two remedies.

    What changes nothing, because the configuration has it already, is left out.

    Args:
        config: validated.

    Returns:
        Distinct candidates, the ailing configuration first.
    """
    known = levels()
    pairs = [pair for pair in itertools.combinations(known, 2) if pair[0].remedy != pair[1].remedy]
    found: dict[str, Candidate] = {}
    effective = {run_id(config)}
    singles = []
    for level in known:
        changed, _ = _apply(config, (level,))
        if run_id(changed) not in effective:
            effective.add(run_id(changed))
            singles.append(level)
    for combination in [(), *((level,) for level in singles), *(pair for pair in pairs if all(level in singles for level in pair))]:
        changed, overrides = _apply(config, combination)
        found.setdefault(run_id(changed), Candidate(" + ".join(overrides) or UNCHANGED, combination, overrides, changed))
    return list(found.values())


def _apply(config: Config, applied: tuple[Level, ...]) -> tuple[Config, tuple[str, ...]]:
    changed = copy.deepcopy(config)
    overrides = []
    for level in applied:
        for key, value in level.change.items():
            group, _, leaf = key.partition(".")
            if key in GROUPS:
                changed[key] = OmegaConf.to_container(OmegaConf.load(CONF / key / f"{value}.yaml"))
            else:
                (changed[group] if leaf else changed)[leaf or key] = value
            overrides.append(f"{key}={value}")
        for key, factor in level.multiply.items():
            changed[key] *= factor
            overrides.append(f"{key}={changed[key]:.6g}")
            changed[key] = float(f"{changed[key]:.6g}")
    return validate(changed), tuple(overrides)


def jobs_of(tried: list[Candidate], overrides: tuple[str, ...], seeds: int) -> list[Job]:
    """Return the sweep: every candidate with every seed, from the configuration's own on.

    Args:
        tried: the candidates.
        overrides: that the ailing configuration was composed from.
        seeds: number of repetitions, ≥ 1.

    Returns:
        Jobs in the order of the candidates.

    Raises:
        UserError: there are too few seeds to compare anything.
    """
    check_seeds(seeds)
    jobs: list[Job] = []
    for candidate in tried:
        keys = {override.partition("=")[0] for override in candidate.overrides}
        replaced = {key for key in keys if key in GROUPS}
        own = [o for o in overrides if _key(o) not in keys | {"seed"} and _key(o).partition(".")[0] not in replaced]
        first = candidate.config["seed"]
        for seed in range(first, first + seeds):
            config = {**candidate.config, "seed": seed}
            jobs.append(Job(len(jobs), config, run_id(config), (*own, *candidate.overrides, f"seed={seed}")))
    return jobs


def check_seeds(seeds: int) -> None:
    """Refuse a number of seeds that gives no interval."""
    if seeds < 2:
        raise UserError(f"`--seeds` must be an integer ≥ 2, got {quote(seeds)}; intervals come from the scatter over seeds")


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")


def folder_of(config: Config, default: str) -> Path:
    """Return the results folder: `name`, or the default, in results_dir."""
    return Path(config["results_dir"]) / (config["name"] or default)
