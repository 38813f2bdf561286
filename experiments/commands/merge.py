"""Join results that were made on several machines into one folder.

gradstab merge results/a results/b --output results/both
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from experiments.errors import UserError
from experiments.store.assembling import FileSource, Source
from experiments.store.columns import TABLES
from experiments.store.comparing import Pair, differences
from experiments.store.files import Staging
from experiments.store.folder import require_results
from experiments.store.locks import locked
from experiments.store.parts import snapshot_name
from experiments.store.reading import read_provenance, read_table
from experiments.store.settling import remove_half_written, stage_tables
from experiments.store.tables import runs_frame
from experiments.store.writing import stage_provenance
from experiments.text.numbers import count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folders", nargs="+", help="results folders; a run of several is taken from the first")
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="the folder to be made")


def execute(args: argparse.Namespace) -> int:
    """Compare what the folders share, then join them.

    Returns:
        0; 1 if a run has other numbers in another folder, and nothing is written.

    Raises:
        UserError: bad input.
    """
    folders, output = [Path(folder) for folder in args.folders], Path(args.output)
    if len(folders) < 2:
        raise UserError("merge needs two results folders or more; one is merged already")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"{output} exists; choose a new folder with --output")
    for folder in folders:
        require_results(folder)
    provenances = [read_provenance(folder / "provenance.json") for folder in folders]
    versions = {provenance.get("arithmetic_version") for provenance in provenances}
    if len(versions) > 1:
        raise UserError(
            f"the folders are of versions {', '.join(map(str, sorted(versions, key=str)))} of the core's arithmetic; run the older anew"
        )
    rows, holders, conflicts = _join(folders)
    for conflict in conflicts:
        print(f"gradstab: conflict: {conflict}", file=sys.stderr)
    if conflicts:
        print(f"gradstab: {count(len(conflicts), 'conflict')}; nothing is written", file=sys.stderr)
        return 1
    _write(output, rows, holders, _provenance(provenances, list(rows), args))
    print(f"{output}: {count(len(rows), 'run')} of {len(folders)} folders; `gradstab report {output}` draws them")
    return 0


def _join(folders: list[Path]) -> tuple[dict[str, dict[Any, Any]], dict[str, Path], list[str]]:
    """Return each run's row, where it is taken from, and a line for each conflict; a failed run gives way to one that is not."""
    rows: dict[str, dict[Any, Any]] = {}
    holders: dict[str, Path] = {}
    conflicts: list[str] = []
    for folder in folders:
        shared: dict[Path, list[Pair]] = {}
        for row in read_table(folder, "runs").to_dict("records"):
            run_id = row["run_id"]
            if run_id not in rows or (rows[run_id]["status"] == "failed" and row["status"] != "failed"):
                rows[run_id], holders[run_id] = row, folder
            elif row["status"] != "failed":
                shared.setdefault(holders[run_id], []).append(Pair(run_id, run_id, row["dtype"]))
        for first, pairs in shared.items():
            if differences(first, folder, pairs):
                unequal = [(pair, found) for pair in pairs if (found := differences(first, folder, [pair]))]
                conflicts += [f"run {pair.ours} in {first} and {folder}: {found[0]}" for pair, found in unequal]
    return rows, holders, conflicts


def _provenance(provenances: list[dict[str, Any]], run_ids: list[str], args: argparse.Namespace) -> dict[str, Any]:
    entries = {entry["run_id"]: entry for provenance in reversed(provenances) for entry in provenance["sweep"]}
    data = {entry["sha256"]: entry for provenance in provenances for entry in provenance.get("data", [])}
    targets: dict[str, dict[str, str]] = {}
    for provenance in provenances:
        for group, known in provenance.get("targets", {}).items():
            targets[group] = known | targets.get(group, {})
    made_by = [entry for provenance in provenances for entry in provenance.get("made_by", [])]
    return {
        **provenances[0],
        "command": f"gradstab merge {' '.join(args.folders)} --output {args.output}",
        "sweep": [entries.get(run_id, {"run_id": run_id, "overrides": []}) for run_id in run_ids],
        "data": list(data.values()),
        "targets": targets,
        "numerics": sorted({name for provenance in provenances for name in provenance.get("numerics", [])}),
        "wall_seconds": round(sum(entry["wall_seconds"] for entry in made_by), 3),
        "made_by": made_by,
    }


def _write(output: Path, rows: dict[str, dict[Any, Any]], holders: dict[str, Path], provenance: dict[str, Any]) -> None:
    places = [(run_id, place) for place, run_id in enumerate(rows)]
    runs = runs_frame([{**rows[run_id], "job": place} for run_id, place in places])
    sources: dict[str, list[Source]] = {name: [] for name in TABLES}
    for folder in dict.fromkeys(holders.values()):
        for name in TABLES:
            source = FileSource(folder, name)
            source.runs = {run_id: extent for run_id, extent in source.runs.items() if holders.get(run_id) == folder}
            sources[name].append(source)
    with locked(output):
        staging = Staging(output)
        try:
            stage_provenance(staging, provenance)
            for run_id, folder in holders.items():
                snapshot = folder / snapshot_name(run_id)
                if snapshot.is_file():
                    staging.add(snapshot.name, lambda path, snapshot=snapshot: shutil.copyfile(snapshot, path))  # type: ignore[misc]
            stage_tables(staging, runs, places, sources)
            staging.commit()
        except BaseException:
            staging.discard()
            remove_half_written(output)
            raise
