"""A data set: examples in columns, targets as the losses take them, a checksum of both; and what every factory needs.

A factory a data set, named by a file of conf/data/.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray
from experiments.datasets.units import scaled, standardized


@dataclass(frozen=True)
class Names:
    """Hold what rows of x and y are called; empty where nobody gave them names.

    Args:
        features: one a row of x.
        targets: of what is to be learned.
        classes: in their order.
    """

    features: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


NAMELESS = Names()


@dataclass(frozen=True)
class Range:
    """Hold the smallest and the largest of some numbers, and their root mean square."""

    low: float
    high: float
    rms: float


def range_of(values: FloatArray) -> Range:
    """Return the range of an array."""
    return Range(float(values.min()), float(values.max()), float(np.sqrt(np.mean(values**2))))


LOUDEST = 3
"""Features that are told by name: who sees which kind of column it is knows the rest."""


def loudest(x: FloatArray, names: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """Return the named features of largest root mean square, the largest first, and it.

    Args:
        x: (n_0, m).
        names: one a row; may be empty.
    """
    if not names:
        return ()
    rms = np.sqrt((x**2).mean(axis=1))
    return tuple((names[row], float(rms[row])) for row in np.argsort(-rms, kind="stable")[:LOUDEST])


@dataclass(frozen=True)
class Facts:
    """Hold what is known of a data set without its arrays.

    Args:
        n_inputs: n_0.
        n_outputs: n_L.
        n_examples: m, for training.
        classes: number of classes, or None for a regression.
        probabilities: whether all targets of the training examples are in [0, 1].
        checksum: SHA-256 of all arrays.
        origin: where the examples came from, for provenance.
        nbytes: of all arrays.
        x_nbytes: of the training examples' inputs.
        names: of features, targets and classes.
        notes: what was decided on the way, one sentence each.
        inputs: range of the training examples' features.
        targets: range of their targets.
        n_test: m_test, 0 where there are no test examples.
        loudest: the features of largest root mean square, which are some at most, with it; none where they have no names.
    """

    n_inputs: int
    n_outputs: int
    n_examples: int
    classes: int | None
    probabilities: bool
    checksum: str
    origin: str
    nbytes: int
    x_nbytes: int
    names: Names
    notes: tuple[str, ...]
    inputs: Range
    targets: Range
    n_test: int
    loudest: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Dataset:
    """Hold training examples and, where there are any, test examples.

    Args:
        x: (n_0, m).
        y: (n_L, m), one-hot for classes; or one row of 0 and 1 for two.
        test_x: (n_0, m_test) or None.
        test_y: (n_L, m_test) or None.
        classes: number of classes, or None for a regression.
        checksum: SHA-256 of all arrays.
        origin: where the examples came from, for provenance.
        names: of features, targets and classes.
        notes: what was decided on the way, one sentence each.
    """

    x: FloatArray
    y: FloatArray
    test_x: FloatArray | None
    test_y: FloatArray | None
    classes: int | None
    checksum: str
    origin: str
    names: Names = NAMELESS
    notes: tuple[str, ...] = ()

    def facts(self) -> Facts:
        """Return what is known of these data without their arrays."""
        arrays = (self.x, self.y, self.test_x, self.test_y)
        return Facts(
            n_inputs=self.x.shape[0],
            n_outputs=self.y.shape[0],
            n_examples=self.x.shape[1],
            classes=self.classes,
            probabilities=bool(((self.y >= 0) & (self.y <= 1)).all()),
            checksum=self.checksum,
            origin=self.origin,
            nbytes=sum(array.nbytes for array in arrays if array is not None),
            x_nbytes=self.x.nbytes,
            names=self.names,
            notes=self.notes,
            inputs=range_of(self.x),
            targets=range_of(self.y),
            n_test=0 if self.test_x is None else self.test_x.shape[1],
            loudest=loudest(self.x, self.names.features),
        )


def assemble(
    x: FloatArray,
    y: FloatArray,
    test: tuple[FloatArray, FloatArray] | None,
    standardize: bool,
    classes: int | None,
    origin: str,
    scale: float = 1.0,
    standardize_target: bool = False,
    names: Names = NAMELESS,
) -> Dataset:
    """Make a data set of its arrays.

    Args:
        x: (n_0, m).
        y: (n_L, m), one-hot for classes.
        test: the same for testing, or None.
        standardize: whether every feature is brought to mean 0 and variance 1 of the training examples.
        classes: number of classes, or None for a regression.
        origin: where the examples came from.
        scale: multiplies the features after that, finite and not 0.
        standardize_target: whether the targets of a regression are brought to mean 0 and variance 1, by the training examples.
        names: of features, targets and classes.

    Returns:
        The data set, its checksum taken of the arrays.

    Raises:
        ValueError: the numbers cannot be brought to these units.
    """
    test_x, test_y = test if test is not None and test[0].shape[1] else (None, None)
    if standardize_target and classes is not None:
        raise ValueError("`standardize_target` must be false for classes; it is for the numbers of a regression")
    if standardize:
        x, test_x = standardized(x, test_x, names.features)
    x, test_x = scaled(x, test_x, scale)
    if standardize_target:
        y, test_y = standardized(y, test_y, names.targets)
    digest = hashlib.sha256()
    for array in (x, y, test_x, test_y):
        if array is not None:
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return Dataset(x, y, test_x, test_y, classes, digest.hexdigest(), origin, names)


def one_hot(labels: Array, classes: int) -> FloatArray:
    """Return labels 0…K−1, shape (m,), as columns of the unit matrix, (K, m)."""
    return np.ascontiguousarray(np.eye(classes)[labels].T)


def count(name: str, value: int, low: int, high: int | None = None) -> int:
    """Return an integer argument, checked.

    Args:
        name: of the argument.
        value: as given.
        low: smallest value.
        high: largest value, which is the size of the data; None for no bound.

    Raises:
        ValueError: it is out of range.
    """
    if value < low or (high is not None and value > high):
        span = f"≥ {low}" if high is None else f"from {low} to {high}, the size of the data"
        raise ValueError(f"`{name}` must be an integer {span}, got {value}")
    return value


def choose(m: int, n_samples: int, shuffle: bool, seed: int) -> tuple[Array, Array]:
    """Choose the training examples.

    Args:
        m: number of examples.
        n_samples: how many of them are for training, 1…m.
        shuffle: whether they are chosen at random or are the first.
        seed: of the shuffle.

    Returns:
        The indices of the training examples and of the rest.

    Raises:
        ValueError: an argument is out of range.
    """
    count("n_samples", n_samples, 1, m)
    order = np.random.default_rng(count("seed", seed, 0)).permutation(m) if shuffle else np.arange(m)
    return order[:n_samples], order[n_samples:]
