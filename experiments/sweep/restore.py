"""From the record of a sweep, its tables and provenance alone, back to the jobs that made it."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf

from experiments.config.keys import ARITHMETIC_VERSION, GROUPS, SCALARS, UNIDENTIFYING, Config, Job, build_cached, run_id, uncell
from experiments.config.paths import CONF
from experiments.config.validation import validate
from experiments.errors import UserError
from experiments.store.tables import is_results, read_provenance, read_table


def choice(group: str, name: str) -> Config:
    """Return the node of a group's choice as its conf file has it; empty where there is no such file."""
    path = CONF / group / f"{name}.yaml"
    node = OmegaConf.to_container(OmegaConf.load(path)) if path.is_file() else {}
    assert isinstance(node, dict)
    return {str(key): value for key, value in node.items()}


def recorded_jobs(folder: Path, places: Config, sample: int | None = None) -> list[Job]:
    """Restore the jobs of a results folder from its record.

    Args:
        folder: of the results.
        places: the keys that no record holds: name, results_dir and executor.
        sample: how many of them; None for all. Which ones follows from their identities, which are as good as random.

    Returns:
        The jobs, each with the identity that this version of the core gives it and its place in the recorded sweep.

    Raises:
        UserError: a config cannot be restored, or its data are not the recorded ones.
    """
    if not is_results(folder):
        raise UserError(f"{folder} is no results folder: it has no runs.parquet; `gradstab run` writes one")
    provenance = read_provenance(folder / "provenance.json")
    rows = read_table(folder, "runs").to_dict("records")
    if sample is not None:
        chosen = set(sorted(row["run_id"] for row in rows)[:sample])
        rows = [row for row in rows if row["run_id"] in chosen]
    overrides = {entry["run_id"]: tuple(entry.get("overrides", ())) for entry in provenance["sweep"]}
    return [_job(row, provenance, places, overrides.get(row["run_id"], ()), folder) for row in rows]


def _job(row: dict[Any, Any], provenance: dict[str, Any], places: Config, overrides: tuple[str, ...], folder: Path) -> Job:
    try:
        config = validate(restore(row, provenance.get("targets", {}), places))
    except UserError as error:
        raise UserError(f"{folder}: the config of run {row['run_id']} cannot be restored: {error}") from error
    version = provenance.get("arithmetic_version", ARITHMETIC_VERSION)
    if run_id(config, version) != row["run_id"]:
        checksum = build_cached(config["data"]).checksum
        known = [entry["sha256"] for entry in provenance.get("data", []) if entry["name"] == config["data"]["name"]]
        if checksum not in known:
            recorded = ", ".join(known) or "none"
            raise UserError(
                f"{folder}: run {row['run_id']} had other data: data={config['data']['name']} has the checksum {checksum} here, "
                f"recorded is {recorded}; get the same data, or name their folder by data.dir"
            )
        if version == ARITHMETIC_VERSION:
            raise UserError(
                f"{folder}: the config of run {row['run_id']} cannot be restored: its identity comes out differently; run it anew"
            )
    return Job(int(row["job"]), config, run_id(config), overrides)


def restore(row: dict[Any, Any], targets: dict[str, dict[str, str]], places: Config) -> Config:
    """Turn a row of the runs table back into a config: dotted columns into groups, empty ones into what they stand for.

    Args:
        row: column -> value.
        targets: group -> choice -> dotted path of its factory.
        places: the keys that no row holds.

    Returns:
        The config, to be validated.
    """
    config: Config = dict(places)
    for key, declared in SCALARS.items():
        if key not in UNIDENTIFYING:
            config[key] = _plain(row[key]) if key in row else declared.default
    for group in GROUPS:
        if group in UNIDENTIFYING:
            continue
        name = str(row[group])
        keys = _own(row, group)
        target = targets.get(group, {}).get(name) or choice(group, name).get("_target_")
        config[group] = ({"_target_": target} if target else {}) | {"name": name} | keys
    return config


def _own(row: dict[Any, Any], group: str) -> Config:
    values = ((str(key).removeprefix(f"{group}."), _plain(value)) for key, value in row.items() if str(key).startswith(f"{group}."))
    return {key: value for key, value in values if value is not None}


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if hasattr(value, "item") else uncell(value)
