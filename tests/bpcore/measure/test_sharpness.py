"""Sharpness and Hessian-vector products against a dense Hessian."""

from dataclasses import replace

import numpy as np
import pytest

from bpcore.measure.sharpness import hessian_vector_product, sharpness
from tests.bpcore.cases import Built, Case, build
from tests.oracles import STEP, Array, complex_step_gradients, forward


def dense_hessian(built: Built) -> Array:
    """Return the Hessian by differences of the oracle's own exact gradients, in the order of `Layers.items`."""
    keys = [key for key, _ in built.params.items()]
    columns = []
    for key in keys:
        for index in np.ndindex(built.params[key].shape):
            ends = []
            for sign in (1, -1):
                moved = {k: array.copy() for k, array in built.problem.parameters.items()}
                moved[key][index] += sign * 1e-5
                gradients = complex_step_gradients(replace(built.problem, parameters=moved))
                ends.append(np.concatenate([gradients[k].ravel() for k in keys]))
            columns.append((ends[0] - ends[1]) / 2e-5)
    return np.stack(columns, axis=1)


CASES = [
    (Case("tanh", "softmax_cross_entropy", "identity", "none", 1), 0.0),
    (Case("sigmoid", "mse", "tanh", "none", 2), 0.1),
    (Case("softplus", "sigmoid_cross_entropy", "identity", "batch", 1), 0.0),
]


@pytest.mark.parametrize(("case", "decay"), CASES, ids=str)
def test_hessian_and_its_largest_eigenvalue(case: Case, decay: float) -> None:
    built = build(case, (("fan_in", decay),))
    dense = dense_hessian(built)
    scale = np.abs(dense).max()
    np.testing.assert_allclose(dense, dense.T, atol=1e-7 * scale)  # so that it may serve as a reference
    for v in np.eye(len(dense))[:: max(1, len(dense) // 7)]:
        product = hessian_vector_product(built.network, built.params, built.x, built.y, built.weight_decay, v)
        np.testing.assert_allclose(product, dense @ v, atol=1e-7 * scale)
    value = sharpness(built.network, built.params, built.x, built.y, built.weight_decay)
    assert value == pytest.approx(np.linalg.eigvalsh((dense + dense.T) / 2).max(), rel=1e-5)


def test_sharpness_is_the_largest_eigenvalue_even_where_a_negative_one_is_larger_in_size() -> None:
    plain = build(Case("tanh", "mse", "identity", "none", 1), (("fan_in", 0.0),))
    y = 20 * plain.y
    built = replace(plain, y=y, problem=replace(plain.problem, y=y))
    eigenvalues = np.linalg.eigvalsh(dense_hessian(built))
    assert -eigenvalues.min() > 1.05 * eigenvalues.max() > 0
    value = sharpness(built.network, built.params, built.x, built.y, built.weight_decay)
    assert value == pytest.approx(eigenvalues.max(), rel=1e-5)


def test_sharpness_of_a_linear_network_without_hidden_layers_is_that_of_the_data() -> None:
    """With J = ½‖Wx + b − y‖², the Hessian is the second-moment matrix of (x, 1), whatever W is."""
    built = build(Case("tanh", "mse", "identity", "none", 0), (("fan_in", 0.0),))
    data = np.vstack([built.x[0], np.ones((1, built.x.shape[-1]))])
    expected = np.linalg.eigvalsh(data @ data.T / data.shape[1]).max()
    assert sharpness(built.network, built.params, built.x, built.y, built.weight_decay) == pytest.approx(expected, rel=1e-6)


def test_the_product_is_symmetric_and_its_value_is_the_second_derivative() -> None:
    built = build(CASES[0][0], (("fan_in", 0.3),))
    generator = np.random.default_rng(0)
    n = sum(array.size for _, array in built.params.items())
    u, v = generator.standard_normal((2, n))

    def product(w: Array) -> Array:
        return hessian_vector_product(built.network, built.params, built.x, built.y, built.weight_decay, w)

    assert u @ product(v) == pytest.approx(v @ product(u), rel=1e-10)
    starts = np.cumsum([0, *(array.size for _, array in built.params.items())])
    moves = {
        key: v[start : start + array.size].reshape(array.shape) for (key, array), start in zip(built.params.items(), starts, strict=False)
    }

    def slope_along(t: float) -> float:
        point = {key: array + (t + 1j * STEP) * moves[key] for key, array in built.problem.parameters.items()}
        return float(forward(built.problem, point).J[0].imag / STEP)

    assert v @ product(v) == pytest.approx((slope_along(1e-5) - slope_along(-1e-5)) / 2e-5, rel=1e-7)


def test_without_finite_parameters_there_is_no_sharpness() -> None:
    built = build(CASES[0][0], (("fan_in", 0.0),))
    built.params.W[1][0, 0, 0] = np.nan
    assert np.isnan(sharpness(built.network, built.params, built.x, built.y, built.weight_decay))


def test_where_the_hessian_overflows_there_is_no_sharpness_and_no_word_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    built = build(Case("identity", "mse", "identity", "none", 2), (("fan_in", 0.0),))
    params = built.params.map(lambda key, array: array * 1e120)
    with np.errstate(all="ignore"):
        assert np.isnan(sharpness(built.network, params, built.x, built.y, built.weight_decay))
    assert capfd.readouterr() == ("", "")
