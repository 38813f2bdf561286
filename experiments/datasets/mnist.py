"""MNIST from local idx files, which `downloads` fetches and nothing else."""

import gzip
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import platformdirs

from bpcore.arrays import Array, FloatArray
from experiments.datasets.dataset import Dataset, assemble, choose, one_hot
from experiments.errors import UserError
from experiments.text.quoting import quote

MNIST_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


def mnist_folders(directory: str | None) -> list[Path]:
    """Return where MNIST is looked for: `data.dir` alone, else $GRADSTAB_DATA/mnist and then the user's cache."""
    if directory is not None:
        return [Path(directory)]
    shared = os.environ.get("GRADSTAB_DATA")
    return [*([Path(shared) / "mnist"] if shared else []), mnist_cache()]


def mnist_cache() -> Path:
    """Return the folder of the user's cache that `gradstab data mnist` fills."""
    return Path(platformdirs.user_cache_dir("gradstab")) / "mnist"


def _find(folder: Path, name: str) -> Path | None:
    """Return the idx file, compressed or not, or None."""
    plain = name.removesuffix(".gz")
    candidates = (folder / name, folder / plain, folder / plain.replace("-idx", ".idx"))
    return next((path for path in candidates if path.is_file()), None)


def read_idx(path: Path) -> Array:
    """Read an idx file of unsigned bytes, gzip-compressed or not.

    Magic number 0x00 0x00 0x08 d, then d sizes as big-endian 32-bit integers, then the bytes.

    Args:
        path: the file.

    Returns:
        uint8 array of the file's shape.

    Raises:
        UserError: the file cannot be read, is truncated or is no idx file.

    Source: Y. LeCun, the MNIST database, "file formats".
    """
    hint = "fetch it anew with `gradstab data mnist`, or name another folder by data.dir"
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"cannot read idx file {path}: {error}; {hint}") from error
    if len(raw) < 4 or raw[:3] != b"\0\0\x08":
        raise UserError(f"{path} is no idx file of bytes: expected magic number 00 00 08, got {raw[:3].hex(' ')}; {hint}")
    dimensions = raw[3]
    header = 4 + 4 * dimensions
    if len(raw) < header:
        raise UserError(f"{path} is truncated: {len(raw)} bytes, its header alone has {header}; {hint}")
    shape = struct.unpack(f">{dimensions}I", raw[4:header])
    expected = header + int(np.prod(shape, dtype=np.int64))
    if len(raw) != expected:
        raise UserError(f"{path} is truncated or overlong: {len(raw)} bytes, its header promises {expected}; {hint}")
    return np.frombuffer(raw, dtype=np.uint8, offset=header).reshape(shape)


def _locate(folders: list[Path], split: str) -> tuple[Path, Path] | None:
    """Return the image and label file of a split from the first folder that has both."""
    for folder in folders:
        images, labels = (_find(folder, name) for name in MNIST_FILES[split])
        if images is not None and labels is not None:
            return images, labels
    return None


def _read_mnist(paths: tuple[Path, Path]) -> tuple[FloatArray, FloatArray]:
    images, labels = read_idx(paths[0]), read_idx(paths[1])
    if images.ndim != 3 or labels.shape != images.shape[:1] or labels.max(initial=0) > 9:
        shapes = f"shapes {images.shape} and {labels.shape}"
        raise UserError(f"{paths[0]} and {paths[1]} do not match: {shapes}; expected (n, 28, 28) and (n,), labels 0…9")
    return images.reshape(len(images), -1).T / 255.0, one_hot(labels, 10)


def mnist(
    split: str = "train",
    dir: str | None = None,
    n_samples: int = 1000,
    shuffle: bool = False,
    seed: int = 0,
    standardize: bool = True,
    scale: float = 1.0,
    standardize_target: bool = False,
) -> Dataset:
    """Return MNIST from local idx files; nothing is ever downloaded here.

    Args:
        split: which file the training examples come from, train or test. The test set is the other file where it is
            to be had, else what is left of this one.
        dir: folder of the idx files; None for $GRADSTAB_DATA/mnist and then the user's cache.
        n_samples: training examples.
        shuffle: whether they are chosen at random or are the first of the file.
        seed: of the shuffle.
        standardize: whether every feature is brought to mean 0 and variance 1; else pixels are in [0, 1].
        scale: multiplies the features after that, finite and not 0.
        standardize_target: true is refused: it is for the numbers of a regression.

    Raises:
        UserError: files are missing or damaged.
        ValueError: an argument is out of range.

    Source: LeCun et al. 1998.
    """
    if split not in MNIST_FILES:
        raise ValueError(f"`split` must be train or test, got {quote(split)}")
    folders = mnist_folders(dir)
    paths = _locate(folders, split)
    if paths is None:
        other = "test" if split == "train" else "train"
        remedy = "run `gradstab data mnist` once, or name their folder by data.dir"
        if _locate(folders, other) is not None:
            remedy = f"use data.split={other}, whose files are there, or {remedy}"
        looked = " or ".join(str(folder) for folder in folders)
        raise UserError(f"data=mnist: {' and '.join(MNIST_FILES[split])} not found in {looked}; {remedy}")
    x, y = _read_mnist(paths)
    train, rest = choose(x.shape[1], n_samples, shuffle, seed)
    held_out = _locate(folders, "test") if split == "train" else None
    test = _read_mnist(held_out) if held_out is not None else (x[:, rest], y[:, rest])
    return assemble(x[:, train], y[:, train], test, standardize, 10, f"MNIST, {paths[0].name}", scale, standardize_target)
