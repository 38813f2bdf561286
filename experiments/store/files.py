"""Writing files so that they are either the old or the new ones, whole, whatever happens meanwhile."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from operator import methodcaller
from pathlib import Path

from experiments.errors import UserError


def flush_folder(folder: Path) -> None:
    """Make the names in a folder outlive a power cut, where the file system lets a folder be flushed."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Staging:
    """Write several files so that they appear in a folder together, once all of them are whole.

    Args:
        folder: exists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staged: dict[str, Path] = {}

    def add(self, name: str, write: Callable[[Path], object]) -> None:
        """Write a file under a temporary name, and flush it to disk.

        Args:
            name: its final name.
            write: called with the temporary path.

        Raises:
            UserError: the disk is full or the folder cannot be written; what was written of this file is then gone. The others stay
                until `discard`: another thread may be writing one, whose failure for want of its file would hide this one.
        """
        temporary = self._folder / f".{name}.{os.getpid()}.tmp"
        self._staged[name] = temporary
        try:
            with self._in_one_line(name):
                write(temporary)
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
        except BaseException:  # an interrupt too: this file is not whole
            del self._staged[name]
            with suppress(OSError):
                temporary.unlink()
            raise

    def commit(self) -> None:
        """Give all files their names, in the order in which they were added.

        Raises:
            UserError: a name cannot be taken; what has no name yet is then gone.
        """
        for name in list(self._staged):
            try:
                with self._in_one_line(name):
                    self._staged[name].replace(self._folder / name)
            except BaseException:
                self.discard()
                raise
            del self._staged[name]
        flush_folder(self._folder)

    @contextmanager
    def _in_one_line(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(f"cannot write {self._folder / name}: {error.strerror or error}; free space or write elsewhere") from error

    def discard(self) -> None:
        """Remove what was staged; no thread may still be adding a file."""
        staged, self._staged = self._staged, {}
        for temporary in staged.values():
            with suppress(OSError):
                temporary.unlink()


def atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that it is either the old or the new one, whole.

    Args:
        path: the file.
        write: called with a temporary path in the same folder.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    staging = Staging(path.parent)
    staging.add(path.name, write)
    staging.commit()


def is_staged(path: Path) -> bool:
    """Return whether a file is one that a killed process left half-written."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file of bytes atomically."""
    atomically(path, methodcaller("write_bytes", content))


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    atomically(path, methodcaller("write_text", text, encoding="utf-8"))
