"""A results folder, and what stands in it beside the tables."""

import tempfile
from pathlib import Path

from experiments.errors import UserError
from experiments.store.files import is_staged

PARTS, MANIFEST, LOCK = "parts", "sweep.json", ".lock"
"""What a sweep under way has in its folder beside the tables: its finished tiles with their manifest, and its lock."""


def is_results(folder: Path) -> bool:
    """Return whether a folder holds the tables of a sweep."""
    return (folder / "runs.parquet").is_file()


def require_results(folder: Path) -> None:
    """Refuse what is no results folder.

    Args:
        folder: as it was named.

    Raises:
        UserError: it is not there, is a file, or holds no tables.
    """
    if is_results(folder):
        return
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UserError(f"{folder} {what}; expected a results folder such as `gradstab run` writes")
    raise UserError(f"{folder} is no results folder: it has no runs.parquet; `gradstab run` writes one")


def prepare(folder: Path) -> None:
    """Make a results folder, and make sure that it can be written before anything is computed.

    Args:
        folder: of the results.

    Raises:
        FileNotFoundError: it cannot be made, or was removed at the same time.
        FileExistsError: likewise, or something else has its name.
        UserError: it cannot be written, or holds something else.
    """
    if folder.is_file():
        raise UserError(f"{folder} is a file, and the results need a folder of that name; choose another name or results_dir")
    own = is_results(folder) or any((folder / name).is_file() for name in ("provenance.json", f"{PARTS}/{MANIFEST}"))
    if folder.is_dir() and not own and not all(is_staged(path) or path.name in (PARTS, LOCK) for path in folder.iterdir()):
        raise UserError(f"{folder} is not empty and is no results folder; choose another name or results_dir")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe.", suffix=".tmp"):
            pass
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(path: Path, error: OSError) -> UserError:
    """Return what a user is told of a place that cannot be written."""
    return UserError(f"cannot write to {path}: {error.strerror or error}; choose another results_dir")
