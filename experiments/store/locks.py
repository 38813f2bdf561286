"""One process at a time writes a results folder."""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.store.folder import LOCK, prepare, unwritable

_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""What file systems without locks answer, some network mounts among them."""

_POLL_SECONDS = 0.1


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a results folder for this process; where another holds it, say so and wait.

    The system releases the lock when its holder ends, however it ends: there is no stale lock, and no clock is asked.

    Args:
        folder: of the results; made where it does not exist.

    Raises:
        UserError: the folder cannot be written.
    """
    lock = _acquire(folder)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / LOCK).unlink()  # while it is held: who waits for it sees that it is gone, and asks anew
            folder.rmdir()  # fails where it holds anything
        lock.release()


def _acquire(folder: Path) -> FileLock:
    path, told = folder / LOCK, False
    # A lock that is a file's mere existence would outlive a holder that is killed: better none, and a warning.
    lock = FileLock(path, poll_interval=_POLL_SECONDS, fallback_to_soft=False)
    while True:
        try:
            prepare(folder)
            lock.acquire(blocking=told)
        except Timeout:
            told = True
            print(f"gradstab: {folder} is being written by another process ({_holder(path)}); waiting for it", file=sys.stderr)
            continue
        except (FileNotFoundError, FileExistsError) as error:  # its last holder removed the folder while it was being made
            if _is_no_folder(folder) or not folder.parent.is_dir():
                raise unwritable(folder, error) from error
            continue
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise unwritable(path, error) from error
            print(f"gradstab: warning: {folder} lies on a file system without locks; do not write it from two processes", file=sys.stderr)
        with contextlib.suppress(OSError):  # a courtesy to those who wait
            path.write_text(f"{os.getpid()}\n")
        return lock


def _is_no_folder(path: Path) -> bool:
    try:
        return not stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    try:
        return path.read_text(errors="replace")[:20].strip()
    except OSError:  # it has just let go
        return ""
