"""LayerNorm, RMSNorm and GroupNorm: worked by hand, what a scale of the weights does, and what an example may depend on."""

from typing import Any

import numpy as np
import pytest

from bpcore import example_normalization as kinds
from bpcore import mlp
from bpcore.layers import Layers
from bpcore.network import Network
from tests.bpcore.cases import ACTIVATIONS, LOSSES
from tests.oracles import Array

UNIT = {"gamma": np.ones((1, 4, 1)), "beta": np.zeros((1, 4, 1))}


def test_worked_by_hand() -> None:
    z = np.array([1.0, 3.0, 5.0, 7.0]).reshape(1, 4, 1)
    layer = kinds.layer(eps=4.0).forward(z, UNIT)[0].ravel()  # mean 4, variance 5, √9
    np.testing.assert_allclose(layer, [-1, -1 / 3, 1 / 3, 1], rtol=1e-15)
    rms = kinds.rms(eps=4.0).forward(z, UNIT)[0].ravel()  # mean square 21, √25
    np.testing.assert_allclose(rms, [0.2, 0.6, 1, 1.4], rtol=1e-15)
    group = kinds.group(groups=2, eps=3.0).forward(z, UNIT)[0].ravel()  # means 2 and 6, variances 1, √4
    np.testing.assert_allclose(group, [-0.5, 0.5, -0.5, 0.5], rtol=1e-15)


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (kinds.layer, {"eps": 0.0}, "`eps` must be a finite number > 0, got 0.0"),
        (kinds.rms, {"eps": np.nan}, "`eps` must be a finite number"),
        (kinds.group, {"groups": 0}, "`groups` must be an integer ≥ 1, got 0"),
        (kinds.layer, {"place": "between"}, r"`place` must be before or after \(φ\), got between"),
    ],
)
def test_arguments_out_of_range(make: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def test_groups_fit_where_they_are_equal() -> None:
    assert kinds.group(groups=3).fits(12)
    assert not kinds.group(groups=3).fits(10)


def gradients(kind: Any, activation: str, W2: float = 1.0, b2: float = 0.0, row: float = 1.0) -> tuple[Array, Layers, Layers]:
    """Return J, its gradients and the parameters of a net whose W^2, b^2 and first row of W^2 are scaled."""
    network = Network((5, 6, 8, 3), ACTIVATIONS[activation](), ACTIVATIONS["identity"](), LOSSES["mse"](), kind)
    generator = np.random.default_rng(4)
    params = Layers()
    for l in range(1, 4):
        n, fan_in = network.sizes[l], network.sizes[l - 1]
        params.W[l] = generator.standard_normal((1, n, fan_in)) / np.sqrt(fan_in)
        params.b[l] = 0.3 * generator.standard_normal((1, n, 1)) * (l != 2)
        for name, array in network.norm(l).initial(params.b[l]).items():
            params[name, l] = array
    params.b[2] = b2 * generator.standard_normal((1, 8, 1))
    params.W[2], params.b[2] = W2 * params.W[2], W2 * params.b[2]
    params.W[2][:, 0] *= row
    x, y, nothing = generator.standard_normal((1, 5, 7)), generator.standard_normal((1, 3, 7)), np.zeros((1, 1, 1))
    trace = mlp.forward(network, params, x)
    return mlp.objective(network, params, trace, y, nothing), mlp.backward(network, params, trace, y, nothing)[1], params


MAKES = {"layer": kinds.layer, "rms": kinds.rms, "group": kinds.group}
TINY = 1e-300  # ε so small that invariance is exact
INVARIANT = [(name, place, phi) for name in MAKES for place, phi in (("before", "tanh"), ("before", "gelu"), ("after", "relu"))]


@pytest.mark.parametrize(("name", "place", "phi"), INVARIANT)
@pytest.mark.parametrize("scale", [1e-3, 7.0])
def test_scaled_weights_leave_the_loss_and_divide_the_gradient(name: str, place: str, phi: str, scale: float) -> None:
    """J(aW) = J(W), ∂J/∂(aW) = a⁻¹ ∂J/∂W, ⟨W, ∂J/∂W⟩ = 0: before φ for any φ, after it where φ is homogeneous."""
    kind = MAKES[name](eps=TINY, place=place)
    (J, plain, params), (other, scaled, _) = gradients(kind, phi), gradients(kind, phi, W2=scale)
    np.testing.assert_allclose(other, J, rtol=1e-12)
    np.testing.assert_allclose(scale * scaled.W[2], plain.W[2], rtol=1e-9, atol=1e-12 * np.abs(plain.W[2]).max())
    np.testing.assert_allclose(scaled.W[3], plain.W[3], rtol=1e-9)
    products = params.W[2] * plain.W[2]
    assert abs(products.sum()) <= 1e-12 * np.abs(products).sum()


@pytest.mark.parametrize("name", MAKES)
def test_with_biases_weights_and_biases_are_invariant_together_alone(name: str) -> None:
    kind = MAKES[name](eps=TINY)
    (J, plain, params), (other, _, _) = gradients(kind, "tanh", b2=1.0), gradients(kind, "tanh", b2=1.0, W2=3.0)
    np.testing.assert_allclose(other, J, rtol=1e-12)
    W, b = (params[key] * plain[key] for key in (("W", 2), ("b", 2)))
    assert abs(W.sum() + b.sum()) <= 1e-12 * (np.abs(W).sum() + np.abs(b).sum())
    assert abs(W.sum()) >= 1e-3 * np.abs(W).sum()


@pytest.mark.parametrize("name", MAKES)
def test_what_is_not_invariant_is_told_from_it(name: str) -> None:
    """tanh behind which it is normalized, a single unit's weights, and an ε that is felt."""
    after, before = MAKES[name](eps=TINY, place="after"), MAKES[name](eps=TINY)
    for kind, scaled in ((after, {"W2": 3.0}), (before, {"row": 3.0}), (MAKES[name](eps=0.1), {"W2": 3.0})):
        assert abs(gradients(kind, "tanh", **scaled)[0] / gradients(kind, "tanh")[0] - 1).max() >= 1e-3
