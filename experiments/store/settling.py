"""What a sweep under way has in its folder, and how it becomes the tables.

`parts/` holds a manifest, `sweep.json`, and one file a finished tile. The manifest is the sweep's provenance so far, with
`replaces` (the tables in the folder are another sweep's, which stay until this one is whole) and `committing` (all parts are
there and the tables are getting their names: whoever finds it so finishes that first).
"""

import contextlib
import json
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.errors import UserError
from experiments.store.assembling import FileSource, Source, part_sources, pieces
from experiments.store.columns import TABLES
from experiments.store.files import Staging, is_staged, write_text
from experiments.store.folder import LOCK, MANIFEST, PARTS, is_results
from experiments.store.parts import Part, read_parts, snapshot_name
from experiments.store.provenance import conclude
from experiments.store.reading import read_provenance, read_table
from experiments.store.rows import Rows
from experiments.store.tables import WRITE_ORDER
from experiments.store.writing import stage_provenance, write_pieces, write_runs


@dataclass
class Unfinished:
    """Hold what a folder has of a sweep under way.

    Args:
        manifest: its provenance so far.
        parts: its finished tiles.
        damaged: the path of each damaged part, with what is wrong with it.
    """

    manifest: dict[str, Any] = field(repr=False)
    parts: list[Part] = field(repr=False)
    damaged: list[tuple[Path, str]] = field(default_factory=list)

    @property
    def run_ids(self) -> list[str]:
        """Return the runs of the sweep, in their order."""
        return [entry["run_id"] for entry in self.manifest["sweep"]]


def unfinished(folder: Path) -> Unfinished | None:
    """Read what a folder has of a sweep under way; None where there is nothing that could be used."""
    path = folder / PARTS / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest = read_provenance(path)
        if not (isinstance(manifest["replaces"], bool) and isinstance(manifest["committing"], bool) and manifest["made_by"]):
            raise KeyError("replaces")
    except (UserError, KeyError):
        return Unfinished({"sweep": [], "replaces": True, "committing": False, "made_by": []}, [], [(path, f"{path} is damaged")])
    return Unfinished(manifest, *read_parts(path.parent))


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of the sweep under way."""
    write_text(folder / PARTS / MANIFEST, json.dumps(manifest, ensure_ascii=False))


def discard_parts(folder: Path) -> None:
    """Remove what there is of a sweep under way; the manifest goes first, without which the rest is nothing."""
    with contextlib.suppress(FileNotFoundError):
        (folder / PARTS / MANIFEST).unlink()
    shutil.rmtree(folder / PARTS, ignore_errors=True)


def remove_half_written(folder: Path) -> None:
    """Remove what killed processes left half-written; nobody else writes while the folder is locked."""
    for place in (folder, folder / PARTS):
        for path in place.glob(".*.tmp") if place.is_dir() else ():
            if is_staged(path):
                path.unlink(missing_ok=True)


def has_leftovers(folder: Path) -> bool:
    """Return whether a folder has anything of a sweep under way, or of a process that was killed."""
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else iter(())
    return any(name in (PARTS, LOCK) or is_staged(folder / name) for name in names)


def recover(folder: Path) -> None:
    """Finish what a process began that was killed while the tables got their names, and clear away what is of no use."""
    remove_half_written(folder)
    begun = unfinished(folder)
    if begun is None:
        discard_parts(folder)
    elif begun.manifest["committing"]:
        settle(folder, begun.manifest, begun.parts)


def settle(folder: Path, manifest: dict[str, Any], parts: list[Part]) -> pd.DataFrame:
    """Make the tables of a sweep from its parts, and from the tables that the folder has unless they are replaced.

    Doing it again after a kill at any moment gives the same tables.

    Args:
        folder: of the results.
        manifest: of the sweep.
        parts: of the sweep; where one and the tables hold a run, the part counts.

    Returns:
        The runs table.

    Raises:
        UserError: the disk is full or the folder cannot be written; parts and tables of before are then still there.
    """
    places = [(entry["run_id"], place) for place, entry in enumerate(manifest["sweep"])]
    old = is_results(folder) and not manifest["replaces"]
    spent: dict[int, tuple[int, float]] = {}
    for part in parts:
        count, seconds = spent.get(part.invocation, (0, 0.0))
        spent[part.invocation] = (count + len(part.run_ids), seconds + part.seconds)
    provenance = {key: value for key, value in conclude(manifest, spent).items() if key not in ("replaces", "committing")}
    sources: dict[str, list[Source]] = {name: [FileSource(folder, name)] if old else [] for name in TABLES}
    staging = Staging(folder)
    try:
        stage_provenance(staging, provenance)
        runs = _runs(folder if old else None, parts, places)
        stage_tables(staging, runs, places, {name: [*sources[name], *part_sources(parts, name)] for name in TABLES})
        write_manifest(folder, {**manifest, "committing": True})
        for run_id in {run_id for part in parts for run_id in part.snapshots}:
            with contextlib.suppress(FileNotFoundError):  # it has its name already
                (folder / PARTS / snapshot_name(run_id)).replace(folder / snapshot_name(run_id))
        staging.commit()
    except BaseException:
        staging.discard()
        remove_half_written(folder)
        raise
    discard_parts(folder)
    _remove_stale_snapshots(folder, {run_id for run_id, _ in places})
    return runs


def _runs(old: Path | None, parts: list[Part], places: list[tuple[str, int]]) -> pd.DataFrame:
    rows = Rows()
    if old is not None:
        rows.add({str(name): values for name, values in read_table(old, "runs").to_dict("list").items()})
    for part in parts:
        rows.add(part.results())
    return rows.frame(places)


def stage_tables(staging: Staging, runs: pd.DataFrame, places: list[tuple[str, int]], sources: dict[str, list[Source]]) -> None:
    """Stage the tables of a sweep, the long ones piece by piece and at the same time; runs last, which is what counts.

    Args:
        staging: of the results folder.
        runs: the runs table.
        places: (run_id, place) of each run, by place.
        sources: per long table.
    """
    kept = set(runs["run_id"])
    places = [(run_id, place) for run_id, place in places if run_id in kept]

    errors: list[Exception] = []

    def stage(name: str) -> None:
        try:
            staging.add(f"{name}.parquet", partial(write_pieces, name=name, pieces=pieces(name, places, sources[name])))
        except Exception as error:
            errors.append(error)

    names = [name for name in WRITE_ORDER if name != "runs"]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(stage, names))
    if errors:
        raise errors[0]  # it came first; all have ended, so that the caller may discard what is staged
    staging.add("runs.parquet", partial(write_runs, frame=runs))


def _remove_stale_snapshots(folder: Path, known: Iterable[str]) -> None:
    names = {snapshot_name(run_id) for run_id in known}
    for path in folder.glob("snapshot_*.npz"):
        if path.name not in names:
            path.unlink()
