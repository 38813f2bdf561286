from typing import Any

import numpy as np
import pytest

from experiments.datasets import Dataset, from_arrays

X = np.arange(12.0).reshape(6, 2)
LABELS = np.array([0, 1, 1, 0, 2, 2])


def test_examples_in_rows_become_columns() -> None:
    data = from_arrays(X, X[:, 0], test_x=X[:3], test_y=X[:3, 0], origin="here", features=["a", "b"], notes=["so"])
    assert isinstance(data, Dataset)
    np.testing.assert_array_equal(data.x, X.T)
    np.testing.assert_array_equal(data.y, X[:, :1].T)
    assert data.test_x is not None
    assert data.test_x.shape == (2, 3)
    assert (data.classes, data.origin, data.names.features, data.notes) == (None, "here", ("a", "b"), ("so",))
    assert data.x.flags.c_contiguous
    assert data.y.flags.c_contiguous


def test_classes() -> None:
    data = from_arrays(X, LABELS, classes=["u", "v", "w"])
    np.testing.assert_array_equal(data.y.argmax(axis=0), LABELS)
    assert (data.y.shape, data.classes, data.names.classes) == ((3, 6), 3, ("u", "v", "w"))
    two = LABELS % 2
    assert from_arrays(X, two, classes=["u", "v"]).y.shape == (2, 6)
    for outputs in ("one", "auto"):
        np.testing.assert_array_equal(from_arrays(X, two, classes=["u", "v"], outputs=outputs).y, [two])


def test_units() -> None:
    y = np.array([1e5, 2e5, 3e5, 4e5, 5e5, 9e5])
    data = from_arrays(X, y, standardize=True, scale=2.0, standardize_target=True)
    np.testing.assert_allclose(data.x.std(axis=1), 2)
    np.testing.assert_allclose([data.y.mean(), data.y.std()], [0, 1], atol=1e-15)


def test_the_checksum_covers_numbers_and_names() -> None:
    makers: list[dict[str, Any]] = [{}, {"features": ["a", "b"]}, {"targets": ["t"]}, {"scale": 2.0}, {"test_x": X, "test_y": X[:, 1]}]
    assert len({from_arrays(X, X[:, 1], **options).checksum for options in makers}) == len(makers)
    assert from_arrays(X, X[:, 1]).checksum == from_arrays(X.copy(), list(X[:, 1]), notes=["a note is no number"]).checksum


@pytest.mark.parametrize(
    ("x", "y", "options", "words"),
    [
        (X[0], LABELS, {}, r"`x` must have shape \(examples, features\)"),
        (X * [np.nan, 1], LABELS, {}, "`x` must be finite, got nan in row 0, column 0"),
        (X, LABELS[:5], {}, "`y` must have one row for each of the 6 examples"),
        (X, ["a"] * 6, {}, "`y` must hold numbers"),
        (X, LABELS, {"classes": ["u", "v"]}, "`y` must hold indices from 0 to 1, got 0 to 2"),
        (X, LABELS, {"classes": ["u", "u", "v"]}, "`classes` must be two or more different names"),
        (X, X[:, 0], {"classes": ["u", "v"]}, "`y` must hold the index"),
        (X, LABELS, {"classes": ["u", "v", "w"], "outputs": "one"}, "`outputs` must be one_hot with 3 classes"),
        (X, LABELS, {"outputs": "two"}, "`outputs` must be auto or one or one_hot"),
        (X, LABELS, {"classes": ["u", "v", "w"], "standardize_target": True}, "`standardize_target` must be false for classes"),
        (X, LABELS, {"scale": np.inf}, "`scale` must be a finite number other than 0"),
        (X, LABELS, {"scale": 1e308}, "`scale` must leave the features finite"),
        (X, LABELS, {"test_x": X[:, :1], "test_y": LABELS}, "`test_x` must have the 2 features of x"),
        (X, LABELS, {"test_x": X}, "`test_y` must be given with test_x"),
    ],
)
def test_what_does_not_fit_is_refused(x: Any, y: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        from_arrays(x, y, **options)
