"""What nobody wrote a kernel for is trained as the textbook says: by the functions that it consists of."""

from dataclasses import replace

import numpy as np
import pytest

from bpcore import mlp
from bpcore.measure.extended import extended_backward
from bpcore.measure.shattering import gradient_cosine
from bpcore.network import Network
from bpcore.normalization import Kept, Normalization, Own, RunningStatistics
from bpcore.parametrization import Parametrization, mup, ntk
from bpcore.training import StackSettings
from tests.bpcore.engine.test_step import BOUND, compare, data
from tests.bpcore.runs import CLIPS, OPTIMIZERS, SCHEDULES, run, stack, train_one
from tests.oracles import STEP, Array


class OverUnits(Normalization):
    """Normalize each example over the units of its layer: a kind of which neither walks nor engine know."""

    name = "over_units"

    def initial(self, bias: Array) -> dict[str, Array]:
        return {"gamma": np.ones_like(bias), "beta": np.zeros_like(bias)}

    def forward(self, z: Array, own: Own) -> tuple[Array, Kept]:
        centered = z - z.mean(axis=-2, keepdims=True)
        std = np.sqrt((centered * centered).mean(axis=-2, keepdims=True) + 1e-5)
        z_hat = centered / std
        return own["gamma"] * z_hat + own["beta"], (z_hat, std)

    def backward(self, error: Array, own: Own, kept: Kept) -> tuple[Array, dict[str, Array]]:
        z_hat, std = kept
        g = own["gamma"] * error
        delta = (g - g.mean(axis=-2, keepdims=True) - z_hat * (g * z_hat).mean(axis=-2, keepdims=True)) / std
        return delta, {"gamma": (error * z_hat).mean(axis=-1, keepdims=True), "beta": error.mean(axis=-1, keepdims=True)}

    def backward_fixed(self, error: Array, own: Own, kept: Kept) -> Array:
        return self.backward(error, own, kept)[0]

    def evaluate(self, z: Array, own: Own, running: RunningStatistics, layer: int) -> Array:
        return self.forward(z, own)[0]


def settings(steps: int = 3) -> StackSettings:
    plain = stack("tanh", "none", "mse", depth=2, batch_size=None, steps=steps)
    network = Network(plain.network.sizes, plain.network.activation, plain.network.output_activation, plain.network.loss, OverUnits())
    return StackSettings(network, plain.optimizer, plain.clip, plain.batch_size, plain.steps, plain.dtype, plain.recording)


def test_a_kind_of_ones_own_is_trained_as_the_textbook_trains_it() -> None:
    compare(settings(), run(2, lr=0.05, weight_decay=0.02, bias_lr_factor=0.5), data("mse"), BOUND["float64"])


@pytest.mark.parametrize("clip", CLIPS)
def test_it_is_clipped_by_any_rule_and_follows_a_schedule(clip: str) -> None:
    ruled = replace(settings(steps=4), clip=CLIPS[clip](), schedule=SCHEDULES["cosine"](warmup=2))
    compare(ruled, run(2, lr=0.05, clip_threshold=0.2), data("mse"), BOUND["float64"])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("kind", [ntk(), mup(2)], ids=["ntk", "mup"])
def test_its_layers_have_the_learning_rates_of_a_parametrization(kind: Parametrization, optimizer: str) -> None:
    plain = settings()
    scaled = replace(plain, network=replace(plain.network, parametrization=kind), optimizer=OPTIMIZERS[optimizer]())
    compare(scaled, run(2, lr=0.05, bias_lr_factor=0.5), data("mse"), BOUND["float64"])
    one, other = (train_one(which, run(2), data("mse")).layers["update_ratio"] for which in (plain, scaled))
    assert not np.isclose(one, other, rtol=0.01, equal_nan=True).all()


def test_every_walk_goes_through_a_kind_of_ones_own() -> None:
    """δ of the one backward walk is the complex step through the one forward walk, and the measurements see the same δ."""
    network = settings().network
    params = mlp.initialize(network, [run(0).initializer], [0], "float64")
    x, y = np.random.default_rng(2).standard_normal((2, 1, 4, 6))
    y = y[:, :3]
    trace = mlp.forward(network, params, x)
    nothing = np.zeros((1, 1, 1))
    delta, gradients = mlp.backward(network, params, trace, y, nothing)
    for key, array in params.items():
        direction = np.random.default_rng(3).standard_normal(array.shape)
        step = {key: 1j * STEP * direction}
        moved = params.map(lambda k, a, step=step: a + step.get(k, 0))
        expected = mlp.objective(network, moved, mlp.forward(network, moved, x), y, nothing)[0].imag / STEP
        assert (gradients[key] * direction).sum() == pytest.approx(expected, rel=1e-10)
    mantissas, exponents = extended_backward(network, params, trace, y)
    for l, array in delta.items():
        np.testing.assert_array_equal(np.ldexp(mantissas[l], exponents[l][:, None, None]), array)
    assert np.isfinite(gradient_cosine(network, params, trace)).all()
