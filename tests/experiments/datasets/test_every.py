"""What holds of every data set that needs no files."""

import numpy as np
import pytest

from experiments.datasets.digits import digits
from experiments.datasets.synthetic import chebyshev, gaussian, line, spirals

FACTORIES = {
    "digits": (digits, {"n_samples": 100}, 64, 10),
    "gaussian": (gaussian, {"n_samples": 100, "n_features": 7, "n_classes": 4}, 7, 4),
    "spirals": (spirals, {"n_samples": 100, "n_classes": 3}, 2, 3),
    "chebyshev": (chebyshev, {"n_samples": 100, "degree": 3}, 1, 1),
    "line": (line, {"n_samples": 100}, 1, 1),
}


@pytest.mark.parametrize("name", FACTORIES)
class TestEveryDataSet:
    def test_shapes(self, name):
        factory, arguments, n_0, n_out = FACTORIES[name]
        data = factory(**arguments)
        assert data.x.shape == (n_0, 100)
        assert data.y.shape == (n_out, 100)
        assert data.x.dtype == data.y.dtype == np.float64
        if data.classes is not None:
            np.testing.assert_array_equal(data.y.sum(axis=0), 1)
        if data.test_x is not None:
            assert data.test_x.shape[0] == n_0
            assert data.test_y.shape[0] == n_out

    def test_the_same_arguments_give_the_same_checksum_and_others_another(self, name):
        factory, arguments, *_ = FACTORIES[name]
        assert factory(**arguments).checksum == factory(**arguments).checksum
        assert factory(**{**arguments, "n_samples": 99}).checksum != factory(**arguments).checksum

    def test_standardizing_brings_features_to_mean_0_and_variance_1(self, name):
        factory, arguments, *_ = FACTORIES[name]
        x = factory(**arguments, standardize=True).x
        varies = x.std(axis=1) > 0
        np.testing.assert_allclose(x[varies].std(axis=1), 1)
        np.testing.assert_array_less(np.abs(x.mean(axis=1)), 1e-12)
        assert varies.any()

    def test_no_samples_are_refused(self, name):
        factory, arguments, *_ = FACTORIES[name]
        with pytest.raises(ValueError, match="`n_samples`"):
            factory(**{**arguments, "n_samples": 0})

    def test_the_global_generator_is_not_touched(self, name):
        factory, arguments, *_ = FACTORIES[name]
        before = np.random.get_state()[1].copy()  # noqa: NPY002  it is what must not move
        factory(**arguments)
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
