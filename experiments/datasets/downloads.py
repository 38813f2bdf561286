"""Fetch data sets once, by name and checksum, into the user's cache. Nothing else in the project downloads."""

import sys
from pathlib import Path

from experiments.errors import UserError

MNIST_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
"""The canonical files and their published MD5 sums."""

MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_TIMEOUT_SECONDS = 30

_HEADERS = {"Accept-Encoding": "identity"}
"""The files are compressed themselves; a server that says so in its answer would have them unpacked on the way."""


def fetch(folder: Path, checksums: dict[str, str], mirrors: tuple[str, ...]) -> list[Path]:
    """Download the files that are missing or damaged.

    Args:
        folder: where they go; made if need be.
        checksums: file name -> MD5.
        mirrors: base addresses, tried in turn.

    Returns:
        The paths of all files, each with the right checksum.

    Raises:
        UserError: no mirror gave the right bytes, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {folder}: {error.strerror or error}; choose another with --dir") from error
    import pooch  # costly to import, and only what downloads needs it

    pooch.get_logger().setLevel("WARNING")
    return [_fetch(folder, name, checksum, mirrors) for name, checksum in checksums.items()]


def _fetch(folder: Path, name: str, checksum: str, mirrors: tuple[str, ...]) -> Path:
    import pooch

    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=_TIMEOUT_SECONDS, headers=_HEADERS)
    reasons = []
    for mirror in mirrors or ("",):  # a file that is there needs none
        try:
            return Path(pooch.retrieve(mirror + name, f"md5:{checksum}", name, folder, _readable, downloader))
        except (OSError, ValueError) as error:
            reasons.append(f"{mirror}: {_innermost(error)}")
    raise UserError(f"cannot fetch {name} ({'; '.join(reasons)}); try again, or put the file into {folder} by hand")


def _readable(path: str, action: str, _: object) -> str:
    """Let others read what was downloaded, where a folder is shared; pooch leaves it to its owner alone."""
    if action != "fetch":
        Path(path).chmod(0o644)
    return path


def _innermost(error: BaseException) -> str:
    """Return the reason that lies under the layers of a refused connection, in one line."""
    while error.__context__ is not None:
        error = error.__context__
    return " ".join(str(error).split())
