import numpy as np

from experiments.datasets import digits as module
from experiments.datasets.digits import digits


def test_digits_train_and_test_are_disjoint_and_complete():
    data = digits(n_samples=1000, standardize=False)
    assert data.x.shape[1] + data.test_x.shape[1] == 1797
    everything = {column.tobytes() for part in (data.x, data.test_x) for column in np.ascontiguousarray(part.T)}
    from sklearn.datasets import load_digits

    assert everything == {row.tobytes() for row in load_digits().data / 16.0}


def test_digits_read_directly_are_scikit_learns():
    from sklearn.datasets import load_digits

    pixels, labels = module._read_digits()
    np.testing.assert_array_equal(pixels, load_digits().data)
    np.testing.assert_array_equal(labels, load_digits().target)


def test_digits_in_file_order():
    from sklearn.datasets import load_digits

    np.testing.assert_array_equal(digits(n_samples=5, shuffle=False, standardize=False).x, load_digits().data[:5].T / 16)
