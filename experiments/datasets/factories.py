"""Data sets: examples in columns, targets as the losses take them, a checksum of both.

A factory per data set, named by a file of conf/data/. The data depend on `data.*` alone and never on a run's seed.
"""

import gzip
import importlib.util
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import platformdirs

from bpcore.arrays import Array, FloatArray
from experiments.datasets.dataset import Dataset, assemble, choose, count, one_hot
from experiments.errors import UserError
from experiments.text.quoting import quote


def _read_digits() -> tuple[FloatArray, Array]:
    """Return pixels (1797, 64) in 0…16 and labels.

    Importing scikit-learn takes longer than most runs, in every worker; its file is read directly where it lies in the
    place that it has had for a decade, and through scikit-learn otherwise.
    """
    spec = importlib.util.find_spec("sklearn")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            table = np.loadtxt(path, delimiter=",")
            return table[:, :-1], table[:, -1].astype(np.int64)
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.data, bunch.target


def digits(n_samples: int = 1000, shuffle: bool = True, seed: int = 0, standardize: bool = True) -> Dataset:
    """Return scikit-learn's bundled handwritten digits, 8×8 pixels in [0, 1], ten classes.

    Args:
        n_samples: training examples, 1…1797; the others are the test set.
        shuffle: whether they are chosen at random or are the first.
        seed: of the shuffle.
        standardize: whether every feature is brought to mean 0 and variance 1.

    Raises:
        ValueError: an argument is out of range.

    Source: Alpaydin & Kaynak 1998, UCI optical recognition of handwritten digits.
    """
    pixels, labels = _read_digits()
    x, y = pixels.T / 16.0, one_hot(labels, 10)
    train, rest = choose(x.shape[1], n_samples, shuffle, seed)
    return assemble(x[:, train], y[:, train], (x[:, rest], y[:, rest]), standardize, 10, "scikit-learn digits")


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
    return assemble(x[:, train], y[:, train], test, standardize, 10, f"MNIST, {paths[0].name}")


def gaussian(n_samples: int = 1000, n_features: int = 64, n_classes: int = 10, seed: int = 0, standardize: bool = False) -> Dataset:
    """Return standard normal inputs with labels drawn at random: nothing to learn, everything to propagate.

    Args:
        n_samples: training examples, ≥ 1; there are no test examples.
        n_features: n_0 ≥ 1.
        n_classes: n_L ≥ 2.
        seed: ≥ 0.
        standardize: whether the sample itself is brought to mean 0 and variance 1.

    Raises:
        ValueError: an argument is out of range.
    """
    count("n_samples", n_samples, 1)
    rng = np.random.default_rng(count("seed", seed, 0))
    x = rng.standard_normal((count("n_features", n_features, 1), n_samples))
    y = one_hot(rng.integers(0, count("n_classes", n_classes, 2), n_samples), n_classes)
    return assemble(x, y, None, standardize, n_classes, "standard normal inputs, random labels")


def spirals(
    n_samples: int = 600, n_classes: int = 3, noise: float = 0.1, turns: float = 0.75, seed: int = 0, standardize: bool = True
) -> Dataset:
    """Return interleaved spirals in the plane: class k's arm starts at the angle 2πk/K.

    r ~ U(0, 1), angle = 2π(k/K + turns·r) + noise·N(0, 1), x = r(cos, sin).

    Args:
        n_samples: training examples, ≥ 1; as many test examples are drawn.
        n_classes: K ≥ 2.
        noise: standard deviation of the angle in radians, ≥ 0.
        turns: revolutions of an arm.
        seed: ≥ 0.
        standardize: whether both coordinates are brought to mean 0 and variance 1.

    Raises:
        ValueError: an argument is out of range.
    """
    count("n_samples", n_samples, 1)
    count("n_classes", n_classes, 2)
    if not (np.isfinite(noise) and noise >= 0):
        raise ValueError(f"`noise` must be a finite number ≥ 0, got {noise}")
    if not np.isfinite(turns):
        raise ValueError(f"`turns` must be a finite number, got {turns}")
    rng = np.random.default_rng(count("seed", seed, 0))
    total = 2 * n_samples
    labels = np.arange(total) % n_classes
    radius = rng.uniform(0, 1, total)
    angle = 2 * np.pi * (labels / n_classes + turns * radius) + noise * rng.standard_normal(total)
    x, y = radius * np.stack([np.cos(angle), np.sin(angle)]), one_hot(labels, n_classes)
    test = (x[:, n_samples:], y[:, n_samples:])
    return assemble(x[:, :n_samples], y[:, :n_samples], test, standardize, n_classes, "planar spirals")


def chebyshev(n_samples: int = 20, degree: int = 4, seed: int = 0, standardize: bool = False) -> Dataset:
    """Return equally spaced points on [−1, 1] with T_k(x) = cos(k arccos x) as target, a regression.

    Args:
        n_samples: points, ≥ 2.
        degree: k ≥ 1.
        seed: unused, since nothing is random.
        standardize: whether x is brought to mean 0 and variance 1.

    Raises:
        ValueError: an argument is out of range.

    Source: Cohen et al. 2021, appendix A.
    """
    x = np.linspace(-1, 1, count("n_samples", n_samples, 2))[None]
    y = np.polynomial.Chebyshev.basis(count("degree", degree, 1))(x)
    count("seed", seed, 0)
    return assemble(x, np.asarray(y), None, standardize, None, f"Chebyshev polynomial of degree {degree}")


def point(x: float = 1.0, y: float = 0.0) -> Dataset:
    """Return one example, a number for a number: what a single neuron is studied on.

    Args:
        x: the input, finite.
        y: the target, finite; in [0, 1] for loss=sigmoid_cross_entropy.

    Raises:
        ValueError: an argument is not finite.
    """
    for name, value in (("x", x), ("y", y)):
        if not np.isfinite(value):
            raise ValueError(f"`{name}` must be a finite number, got {value}")
    return assemble(np.full((1, 1), float(x)), np.full((1, 1), float(y)), None, False, None, "one example")


def line(n_samples: int = 256, low: float = -2.0, high: float = 2.0, seed: int = 0, standardize: bool = False) -> Dataset:
    """Return equally spaced points on [low, high] with sin x as target: f: ℝ → ℝ on a grid.

    Args:
        n_samples: points, ≥ 2.
        low: the first point, finite.
        high: the last point, finite, > low.
        seed: unused, since nothing is random.
        standardize: whether x is brought to mean 0 and variance 1; the target stays.

    Raises:
        ValueError: an argument is out of range.

    Source: the default grid is that of Balduzzi et al. 2017.
    """
    count("n_samples", n_samples, 2)
    count("seed", seed, 0)
    if not np.isfinite(low):
        raise ValueError(f"`low` must be a finite number, got {low}")
    if not (np.isfinite(high) and high > low):
        raise ValueError(f"`high` must be a finite number > low = {low}, got {high}")
    x = np.linspace(low, high, n_samples)[None]
    return assemble(x, np.sin(x), None, standardize, None, "points on a line")


def modes(n_modes: int = 4, strength: float = 4.0, n_features: int = 16, n_outputs: int = 8, seed: int = 0) -> Dataset:
    """Return a linear task of known modes on white inputs: what a deep linear network learns mode by mode.

    x = √n₀ · (Q, −Q) with Q orthogonal, so that Σ_i x_i = 0, which leaves biases at 0, and (1/m) Σ_i x_i x_iᵀ = 1 with
    m = 2n₀ examples; y = Σ_α s_α u_α v_αᵀ x with random orthonormal u_α, v_α and s_α = strength · (n_modes − α + 1)/n_modes,
    α = 1…n_modes.

    Args:
        n_modes: modes of nonzero strength, 1…min(n_features, n_outputs).
        strength: s_1 > 0, finite.
        n_features: n_0 ≥ 1.
        n_outputs: n_L ≥ 1.
        seed: ≥ 0.

    Raises:
        ValueError: an argument is out of range.

    Source: Saxe et al. 2013.
    """
    most = min(count("n_features", n_features, 1), count("n_outputs", n_outputs, 1))
    if not 1 <= n_modes <= most:
        raise ValueError(f"`n_modes` must be an integer from 1 to {most}, the smaller of n_features and n_outputs, got {n_modes}")
    if not (np.isfinite(strength) and strength > 0):
        raise ValueError(f"`strength` must be a finite number > 0, got {strength}")
    rng = np.random.default_rng(count("seed", seed, 0))
    half = np.sqrt(n_features) * np.linalg.qr(rng.standard_normal((n_features, n_features)))[0]
    x = np.concatenate([half, -half], axis=1)
    u = np.linalg.qr(rng.standard_normal((n_outputs, n_modes)))[0]
    v = np.linalg.qr(rng.standard_normal((n_features, n_modes)))[0]
    s = strength * np.arange(n_modes, 0, -1) / n_modes
    return assemble(x, (u * s) @ (v.T @ x), None, False, None, f"linear task of {n_modes} modes")
