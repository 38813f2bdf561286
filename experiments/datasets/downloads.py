"""Fetch data sets once, by name and checksum, into the user's cache. Nothing else in the project downloads."""

import hashlib
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from experiments.errors import UserError
from experiments.store.files import write_bytes

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
    paths = []
    bar = tqdm(checksums.items(), unit="file", file=sys.stderr, disable=None, leave=False)
    for name, checksum in bar:
        path = folder / name
        if not (path.is_file() and _md5(path.read_bytes()) == checksum):
            content = _download(name, checksum, mirrors, folder)
            write_bytes(path, content)
        paths.append(path)
    return paths


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _download(name: str, checksum: str, mirrors: tuple[str, ...], folder: Path) -> bytes:
    reasons = []
    for mirror in mirrors:
        try:
            with urllib.request.urlopen(mirror + name, timeout=_TIMEOUT_SECONDS) as response:
                content: bytes = response.read()
        except (urllib.error.URLError, OSError, ValueError) as error:
            reasons.append(f"{mirror}: {getattr(error, 'reason', error)}")
            continue
        if _md5(content) == checksum:
            return content
        reasons.append(f"{mirror}: MD5 {_md5(content)}, expected {checksum}")
    raise UserError(f"cannot fetch {name} ({'; '.join(reasons)}); try again, or put the file into {folder} by hand")
