"""The parts of a sweep under way: each finished tile is a file of its own, whole or absent, with a checksum.

A part holds what its runs left, under their identities; their places in the sweep are given when the parts become tables.

Layout: a line that names the format, the SHA-256 of all that follows in hexadecimal digits and a newline, 8 bytes with the
length of the header, the header (JSON, the rows of the runs table by columns), then one Arrow stream a table.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from bpcore.measure.columns import ColumnError, agree
from experiments.errors import UserError
from experiments.store.columns import KEYS, RUN_RESULTS
from experiments.store.files import atomically
from experiments.store.rows import by_columns
from experiments.store.tables import SCHEMAS

_MAGIC = b"gradstab part 2\n"
_CHECKED = len(_MAGIC) + 65
"""Where the bytes begin that the checksum is of."""

PART_SCHEMAS = {name: pa.schema([column for column in schema if column.name not in KEYS]) for name, schema in SCHEMAS.items()}


@dataclass
class Content:
    """Hold what a tile of runs left.

    Args:
        runs: per run its row of the runs table, without its place in the sweep.
        tables: the long tables without run_id and job, each run's rows together, in the order of `runs`.
        rows: per table the number of rows of each run.
        snapshots: run_id -> bytes of the snapshot file, where one was asked for.
        seconds: that the tile took.
    """

    runs: list[dict[str, Any]]
    tables: dict[str, pa.Table]
    rows: dict[str, list[int]]
    snapshots: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Part:
    """Describe a part on disk.

    Args:
        path: the file.
        run_ids: the identities of its runs.
        failed: whether it holds a run that failed; such a run stands alone in its part.
        rows: per table the number of rows of each run.
        extents: per table where its stream lies in the file: offset and length in bytes.
        snapshots: run_id -> SHA-256 of its snapshot file, which lies beside the part until the tables are written.
        invocation: which entry of the sweep's makers made it.
        seconds: that the tile took.
    """

    path: Path
    run_ids: list[str]
    failed: bool
    rows: dict[str, list[int]]
    extents: dict[str, tuple[int, int]]
    snapshots: dict[str, str]
    invocation: int
    seconds: float

    def results(self) -> dict[str, list[Any]]:
        """Read its rows of the runs table, by columns; they have no places in the sweep yet.

        Raises:
            UserError: the file is damaged.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(_CHECKED)
                columns: dict[str, list[Any]] = json.loads(file.read(int.from_bytes(file.read(8), "little")))["runs"]
                return columns
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"cannot read {self.path}: {error}; the same command makes it anew") from error

    def read(self, name: str) -> pa.Table:
        """Read one table.

        Raises:
            UserError: the file is damaged.
        """
        offset, length = self.extents[name]
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                return pa.ipc.open_stream(file.read(length)).read_all()
        except (OSError, pa.ArrowException) as error:
            raise UserError(f"cannot read {self.path}: {error}; the same command makes it anew") from error


def snapshot_name(run_id: str) -> str:
    """Return the name of a run's snapshot file."""
    return f"snapshot_{run_id}.npz"


def part_path(folder: Path, run_ids: Iterable[str]) -> Path:
    """Return where the part of a tile lies, which is known before it is made.

    Args:
        folder: of the parts.
        run_ids: of the tile's runs, in their order.
    """
    return folder / f"{hashlib.sha256(','.join(run_ids).encode()).hexdigest()[:16]}.part"


def write_part(folder: Path, content: Content, invocation: int) -> Part:
    """Write a part, and before it the snapshots of its runs.

    Args:
        folder: of the parts; exists.
        content: what the tile left.
        invocation: which entry of the sweep's makers this process belongs to.

    Returns:
        The part.

    Raises:
        UserError: the disk is full or the folder cannot be written; nothing is then left of the part.
    """
    checksums = {}
    for run_id, snapshot in content.snapshots.items():
        checksums[run_id] = hashlib.sha256(snapshot).hexdigest()
        atomically(folder / snapshot_name(run_id), lambda path, snapshot=snapshot: path.write_bytes(snapshot))  # type: ignore[misc]
    streams, extents, end = [], {}, 0
    for name, schema in PART_SCHEMAS.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
            writer.write_table(content.tables[name])
        streams.append(sink.getvalue())
        extents[name] = (end, streams[-1].size)
        end += streams[-1].size
    rest: dict[str, Any] = {"rows": content.rows, "extents": extents, "snapshots": checksums}
    rest |= {"invocation": invocation, "seconds": content.seconds}
    runs = by_columns(content.runs)
    header = json.dumps({"runs": runs, **rest}).encode()
    pieces = [len(header).to_bytes(8, "little"), header, *streams]
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    path = part_path(folder, runs["run_id"])
    atomically(path, lambda temporary: _write(temporary, [_MAGIC, digest.hexdigest().encode() + b"\n", *pieces]))
    return _part(path, len(header), runs, **rest)


def _write(path: Path, pieces: list[Any]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def _part(path: Path, header: int, runs: dict[str, list[Any]], extents: dict[str, tuple[int, int]], **rest: Any) -> Part:
    """Return a part, its extents counted from the beginning of the file instead of the end of the header."""
    start = _CHECKED + 8 + header
    placed = {name: (start + offset, length) for name, (offset, length) in extents.items()}
    return Part(path=path, run_ids=runs["run_id"], failed="failed" in runs["status"], extents=placed, **rest)


def read_part(path: Path) -> Part:
    """Read a part's header and check all of its bytes, and those of its snapshots.

    Raises:
        UserError: the part or a snapshot is damaged or cut short.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_CHECKED)
            if not start.startswith(_MAGIC):
                raise ValueError("it does not begin as a part does")
            body = io.BytesIO(file.read())
        if hashlib.sha256(body.getbuffer()).hexdigest() != start[len(_MAGIC) : -1].decode():
            raise ValueError("its checksum does not agree")
        length = int.from_bytes(body.read(8), "little")
        header = json.loads(body.read(length))
        part = _part(path, length, **header)
        _check_columns(part, header["runs"], body)
    except (OSError, ValueError, TypeError, KeyError, ColumnError) as error:
        raise UserError(f"{path} is damaged ({error})") from error
    for run_id, checksum in part.snapshots.items():
        places = (path.parent / snapshot_name(run_id), path.parent.parent / snapshot_name(run_id))
        if not any(place.is_file() and hashlib.sha256(place.read_bytes()).hexdigest() == checksum for place in places):
            raise UserError(f"{places[0]} is damaged or missing")
    return part


def _check_columns(part: Part, runs: dict[str, list[Any]], body: io.BytesIO) -> None:
    """Make sure that a part has the columns of the tables: another version may have made it."""
    for name, schema in PART_SCHEMAS.items():
        body.seek(part.extents[name][0] - _CHECKED)
        agree(name, schema.names, pa.ipc.open_stream(body).schema.names, "the part")
    agree("runs", RUN_RESULTS, RUN_RESULTS.keys() & runs.keys(), "the part")


def read_parts(folder: Path) -> tuple[list[Part], list[tuple[Path, str]]]:
    """Read all parts of a folder.

    Returns:
        The whole ones, and the path of each damaged one with what is wrong with it.
    """
    whole, damaged = [], []
    for path in sorted(folder.glob("*.part")):
        try:
            whole.append(read_part(path))
        except UserError as error:
            damaged.append((path, str(error)))
    return whole, damaged


def slices(rows: list[int]) -> Iterator[tuple[int, int]]:
    """Yield (first row, number of rows) of each run."""
    start = 0
    for count in rows:
        yield start, count
        start += count
