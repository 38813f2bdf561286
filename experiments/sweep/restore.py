"""From the record of a sweep, its tables and provenance alone, back to the runs that made it."""

import json
from pathlib import Path
from typing import Any, get_args

from experiments.config.files import own_target
from experiments.config.identity import ARITHMETIC_VERSION, uncell
from experiments.config.keys import GROUPS, SCALARS, UNIDENTIFYING, Config, kind_of
from experiments.config.run import Run
from experiments.config.validation import validate
from experiments.errors import UserError
from experiments.store.folder import require_results
from experiments.store.provenance import factories
from experiments.store.reading import read_provenance, read_table
from experiments.text.numbers import missing


def recorded_runs(folder: Path, places: Config, sample: int | None = None) -> list[Run]:
    """Restore the runs of a results folder from its record.

    Args:
        folder: of the results.
        places: the keys that no record holds: name, results_dir and executor.
        sample: how many of them; None for all. Which ones follows from their identities, which are as good as random.

    Returns:
        The runs, each with the identity that this version of the core gives it and its place in the recorded sweep.

    Raises:
        UserError: a config cannot be restored, or its data are not the recorded ones.
    """
    require_results(folder)
    provenance = read_provenance(folder / "provenance.json")
    rows = read_table(folder, "runs").to_dict("records")
    if sample is not None:
        chosen = set(sorted(row["run_id"] for row in rows)[:sample])
        rows = [row for row in rows if row["run_id"] in chosen]
    overrides = {entry["run_id"]: tuple(entry.get("overrides", ())) for entry in provenance["sweep"]}
    return [_run(row, provenance, places, overrides.get(row["run_id"], ()), folder) for row in rows]


def _run(row: dict[Any, Any], provenance: dict[str, Any], places: Config, overrides: tuple[str, ...], folder: Path) -> Run:
    try:
        run = validate(restore(row, factories(provenance), places), int(row["job"]), overrides)
    except UserError as error:
        raise UserError(f"{folder}: the config of run {row['run_id']} cannot be restored: {error}") from error
    version = provenance.get("arithmetic_version", ARITHMETIC_VERSION)
    if version != ARITHMETIC_VERSION or run.run_id != row["run_id"]:
        name, checksum = run.choice("data"), run.facts.checksum
        known = [entry["sha256"] for entry in provenance.get("data", []) if entry["name"] == name]
        if checksum not in known:
            recorded = ", ".join(known) or "none"
            raise UserError(
                f"{folder}: run {row['run_id']} had other data: data={name} has the checksum {checksum} here, "
                f"recorded is {recorded}; get the same data, or name their folder by data.dir"
            )
        if version == ARITHMETIC_VERSION:
            raise UserError(
                f"{folder}: the config of run {row['run_id']} cannot be restored: its identity comes out differently; run it anew"
            )
    return run


def restore(row: dict[Any, Any], targets: dict[str, dict[str, str]], places: Config) -> Config:
    """Turn a row of the runs table back into a config: dotted columns into groups, empty ones into what they stand for.

    Args:
        row: column -> value.
        targets: group -> choice -> dotted path of its factory, where that is not the package's own.
        places: the keys that no row holds.

    Returns:
        The config, to be validated.
    """
    config: Config = dict(places)
    for key, declared in SCALARS.items():
        if key not in UNIDENTIFYING:
            config[key] = _scalar(key, row[key]) if key in row else declared.default
    for group in GROUPS:
        if group in UNIDENTIFYING:
            continue
        name = str(row[group])
        keys = _own(row, group)
        target = targets.get(group, {}).get(name) or own_target(group, name)
        config[group] = ({"_target_": target} if target else {}) | {"name": name} | keys
    return config


def _scalar(key: str, value: Any) -> Any:
    """Return a scalar key's value; where some runs of a folder have lists, the numbers of the others are words too."""
    plain = _plain(value)
    return json.loads(plain) if isinstance(plain, str) and str not in (kind_of(key), *get_args(kind_of(key))) else plain


def _own(row: dict[Any, Any], group: str) -> Config:
    values = ((str(key).removeprefix(f"{group}."), _plain(value)) for key, value in row.items() if str(key).startswith(f"{group}."))
    return {key: value for key, value in values if value is not None}


def _plain(value: Any) -> Any:
    if missing(value):
        return None
    return value.item() if hasattr(value, "item") else uncell(value)
