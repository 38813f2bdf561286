"""The handwritten digits that come with scikit-learn."""

import importlib.util
from pathlib import Path

import numpy as np

from bpcore.arrays import Array, FloatArray
from experiments.datasets.dataset import Dataset, assemble, choose, one_hot


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


def digits(
    n_samples: int = 1000,
    shuffle: bool = True,
    seed: int = 0,
    standardize: bool = True,
    scale: float = 1.0,
    standardize_target: bool = False,
) -> Dataset:
    """Return scikit-learn's bundled handwritten digits, 8×8 pixels in [0, 1], ten classes.

    Args:
        n_samples: training examples, 1…1797; the others are the test set.
        shuffle: whether they are chosen at random or are the first.
        seed: of the shuffle.
        standardize: whether every feature is brought to mean 0 and variance 1.
        scale: multiplies the features after that, finite and not 0.
        standardize_target: true is refused: it is for the numbers of a regression.

    Raises:
        ValueError: an argument is out of range.

    Source: Alpaydin & Kaynak 1998, UCI optical recognition of handwritten digits.
    """
    pixels, labels = _read_digits()
    x, y = pixels.T / 16.0, one_hot(labels, 10)
    train, rest = choose(x.shape[1], n_samples, shuffle, seed)
    return assemble(x[:, train], y[:, train], (x[:, rest], y[:, rest]), standardize, 10, "scikit-learn digits", scale, standardize_target)
