"""Where a pass leaves the finite numbers: the quantity and the layer that do so first."""

import numpy as np
import pytest

from bpcore import mlp
from bpcore.measure.overflow import first_nonfinite
from bpcore.network import Network, Trace
from bpcore.training import train_stack
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS
from tests.bpcore.runs import examples, run, stack


def passed(scale: float = 1.0) -> tuple[Network, mlp.Layers, Trace, dict[int, np.ndarray], mlp.Layers]:
    """Return two runs of a net, of which the second is put out of order by the caller."""
    network = Network((3, 4, 4, 2), ACTIVATIONS["tanh"](), ACTIVATIONS["identity"](), LOSSES["mse"](), NORMALIZATIONS["none"]())
    generator = np.random.default_rng(0)
    params = mlp.Layers()
    for l in (1, 2, 3):
        params.W[l] = scale * generator.standard_normal((2, network.sizes[l], network.sizes[l - 1]))
        params.b[l] = np.zeros((2, network.sizes[l], 1))
    trace = mlp.forward(network, params, generator.standard_normal((1, 3, 5)))
    delta, gradients = mlp.backward(network, params, trace, np.zeros((1, 2, 5)), np.zeros((1, 1, 1)))
    return network, params, trace, delta, gradients


def test_all_finite_is_none() -> None:
    assert first_nonfinite(*passed()) == [None, None]


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(
    ("quantity", "layer", "later"),
    [("W", 2, "z"), ("z", 1, "a"), ("z", 3, "δ"), ("a", 2, "δ"), ("δ", 2, "∂J/∂W"), ("∂J/∂W", 3, "∂J/∂b"), ("∂J/∂b", 1, "∂J/∂b")],
)
def test_the_first_in_the_order_of_a_step_is_named(quantity: str, layer: int, later: str, bad: float) -> None:
    network, params, trace, delta, gradients = passed()
    places = {"W": params.W, "b": params.b, "z": trace.z, "a": trace.a, "δ": delta, "∂J/∂W": gradients.W, "∂J/∂b": gradients.b}
    places[later][1 if later.startswith("∂J") else 3][1, 0, 0] = bad
    places[quantity][layer][1, 1, 0] = bad
    assert first_nonfinite(network, params, trace, delta, gradients) == [None, (quantity, layer)]


def test_a_run_tells_it() -> None:
    record = train_stack(stack("relu", depth=30, steps=3), [run(0), run(3, "normal", scale=1e150)], examples())
    assert record.diverged_at_step == [None, 0]
    assert record.nonfinite == [None, ("z", 3)]  # 1e150³ is beyond the largest double, 1.8e308
