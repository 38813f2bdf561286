"""One process at a time writes a results folder."""

import contextlib
import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from experiments.errors import UserError
from experiments.store.folder import LOCK, prepare

_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""What file systems without locks answer, some network mounts among them."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a results folder for this process; where another holds it, say so and wait.

    The kernel releases the lock when its holder ends, however it ends: there is no stale lock, and no clock is asked.

    Args:
        folder: of the results; made where it does not exist.

    Raises:
        UserError: the folder cannot be written.
    """
    descriptor = _acquire(folder)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / LOCK).unlink()  # while it is held: who waits for it sees that it is gone, and asks anew
            folder.rmdir()  # fails where it holds anything
        os.close(descriptor)


def _acquire(folder: Path) -> int:
    told = False
    while True:
        prepare(folder)
        path = folder / LOCK
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # its holder has just removed the folder
            continue
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror or error}; choose another results_dir") from error
        try:
            told = _wait(descriptor, folder, told)
            if _is_current(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _wait(descriptor: int, folder: Path, told: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not told:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            print(f"gradstab: {folder} is being written by another process ({holder}); waiting for it", file=sys.stderr)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        print(f"gradstab: warning: {folder} lies on a file system without locks; do not write it from two processes", file=sys.stderr)
    return told


def _is_current(descriptor: int, path: Path) -> bool:
    """Return whether the locked file is still the one of that name: its last holder may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
