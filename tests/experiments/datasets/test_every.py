"""What holds of every data set that needs no files."""

import numpy as np
import pytest

from experiments.config.checking import check_group
from experiments.config.files import catalogue, choice
from experiments.datasets.digits import digits
from experiments.datasets.synthetic import chebyshev, gaussian, line, spirals
from experiments.errors import UserError

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

    def test_the_scale_multiplies_the_features_after_that(self, name):
        factory, arguments, *_ = FACTORIES[name]
        for standardize in (False, True):
            plain, scaled = (factory(**arguments, standardize=standardize, scale=scale) for scale in (1.0, 255.0))
            np.testing.assert_array_equal(scaled.x, plain.x * 255)
            np.testing.assert_array_equal(scaled.y, plain.y)
            if plain.test_x is not None:
                np.testing.assert_array_equal(scaled.test_x, plain.test_x * 255)

    def test_targets_are_standardized_where_they_are_numbers(self, name):
        factory, arguments, *_ = FACTORIES[name]
        if factory(**arguments).classes is not None:
            with pytest.raises(ValueError, match="`standardize_target` must be false for classes"):
                factory(**arguments, standardize_target=True)
        else:
            y = factory(**arguments, standardize_target=True).y
            np.testing.assert_allclose([y.mean(), y.std()], [0, 1], atol=1e-12)

    def test_no_samples_are_refused(self, name):
        factory, arguments, *_ = FACTORIES[name]
        with pytest.raises(ValueError, match="`n_samples`"):
            factory(**{**arguments, "n_samples": 0})

    def test_the_global_generator_is_not_touched(self, name):
        factory, arguments, *_ = FACTORIES[name]
        before = np.random.get_state()[1].copy()  # noqa: NPY002  it is what must not move
        factory(**arguments)
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_every_data_set_has_a_scale_and_a_unit_of_its_target():
    assert [name for name in catalogue("data") if not {"scale", "standardize_target"} <= choice("data", name).keys()] == []
    assert all(choice("data", name)["scale"] == 1 and choice("data", name)["standardize_target"] is False for name in catalogue("data"))


@pytest.mark.parametrize("scale", [0.0, float("inf"), float("nan")])
def test_a_scale_of_nothing_is_refused_in_one_line(scale):
    with pytest.raises(UserError, match=r"`data\.scale` must be a finite number other than 0"):
        check_group("data", {**choice("data", "line"), "scale": scale})
