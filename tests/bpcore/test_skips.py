"""What is added to what, and with which factor; its gradients are held against the oracles elsewhere."""

import numpy as np
import pytest

from bpcore import mlp, skips
from bpcore.activations import identity, tanh
from bpcore.initializers import he
from bpcore.losses import mse
from bpcore.network import Network
from bpcore.normalization import none
from bpcore.skips import Skip

FACTORIES = {"preactivation": skips.preactivation, "block": skips.block, "postactivation": skips.postactivation}


def net(skip: Skip, *hidden: int) -> Network:
    return Network((4, *hidden, 3), tanh(), identity(), mse(), none(), skip)


@pytest.mark.parametrize(
    ("skip", "hidden", "sources"),
    [
        (skips.none(), (5, 5, 5), {}),
        (skips.preactivation(), (5, 5, 5), {2: 1, 3: 2}),
        (skips.preactivation(), (5, 6, 6, 5, 5), {3: 2, 5: 4}),
        (skips.preactivation(), (5,), {}),
        (skips.postactivation(), (5, 5, 6), {2: 1}),
        (skips.block(), (5, 9, 5, 7, 5), {3: 1, 5: 3}),
        (skips.block(), (5, 5, 6, 6, 6), {5: 3}),
        (skips.block(), (5,), {}),
    ],
)
def test_blocks_of_one_size_have_a_skip(skip: Skip, hidden: tuple[int, ...], sources: dict[int, int]) -> None:
    network = net(skip, *hidden)
    assert network.sources == sources
    assert network.targets == {below: l for l, below in sources.items()}


def test_sums_of_blocks_have_no_activation_and_their_insides_no_normalization() -> None:
    network = net(skips.block(), 5, 5, 5)
    assert [network.phi(l).name for l in range(1, 5)] == ["identity", "tanh", "identity", "identity"]
    assert [skips.block().is_normalized(l) for l in (1, 2, 3)] == [True, False, True]
    assert network.bypassed == {2}
    assert net(skips.preactivation(), 5, 5, 5).bypassed == {1, 2}
    assert net(skips.postactivation(), 5, 5, 5).bypassed == {2, 3}


@pytest.mark.parametrize("skip", FACTORIES.values(), ids=FACTORIES)
def test_a_branch_of_factor_0_leaves_the_sum(skip: object) -> None:
    network = net(skip(scale=0.0), 5, 5, 5)  # type: ignore[operator]
    params = mlp.initialize(network, [he(bias_std=0.2)], [0], "float64")
    trace = mlp.forward(network, params, np.random.default_rng(0).standard_normal((1, 4, 7)))
    sums = trace.a if network.skip.onto_a else trace.z
    np.testing.assert_array_equal(sums[3], sums[1])


def test_factors() -> None:
    sizes = (4, *[5] * 10, 3)
    assert skips.preactivation().alpha(sizes) == 1
    assert skips.preactivation("depth").alpha(sizes) == pytest.approx(1 / 3)
    assert skips.block("depth").alpha((4, *[5] * 9, 3)) == 0.5
    assert skips.preactivation(init="rezero").start(sizes) == 0
    assert skips.preactivation(init="skipinit").start(sizes) == 0
    assert skips.preactivation("depth", init="skipinit").start(sizes) == pytest.approx(1 / 3)


def test_starts() -> None:
    hidden = (5, 6, 5, 6, 5)
    drawn = mlp.initialize(net(skips.block(), *hidden), [he(bias_std=0.2)], [3], "float64")
    fixed = mlp.initialize(net(skips.block(init="fixup"), *hidden), [he(bias_std=0.2)], [3], "float64")
    for l in (1, 6):
        np.testing.assert_array_equal(fixed.W[l], drawn.W[l])
    for l in (2, 4):
        np.testing.assert_allclose(fixed.W[l], drawn.W[l] / np.sqrt(2), rtol=1e-15)
    for l in (3, 5):
        assert not fixed.W[l].any()
        assert not fixed.b[l].any()
        np.testing.assert_array_equal(fixed.alpha[l], np.ones((1, 1, 1)))
    last = mlp.initialize(net(skips.preactivation(init="zero_last"), 5, 5, 6), [he()], [0], "float64")
    assert not last.W[2].any()
    assert last.W[3].any()
    assert not last.alpha


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("preactivation", {"scale": -1.0}, "`scale` must be a finite number ≥ 0, or depth for 1/√(number of blocks), got -1.0"),
        ("preactivation", {"scale": "deep"}, "`scale` must be a number ≥ 0, or depth for 1/√(number of blocks), got deep"),
        ("block", {"norm": "after"}, "`norm` must be one of pre, post, got after"),
        ("block", {"init": "zero"}, "`init` must be one of plain, zero_last, rezero, skipinit, fixup, got zero"),
        ("block", {"init": "rezero", "scale": 1.0}, "`scale` must be null with init=rezero, whose α begins at 0, got 1.0"),
        ("block", {"init": "fixup", "scale": 2.0}, "`scale` must be null with init=fixup, whose α begins at 1, got 2.0"),
        ("preactivation", {"init": "fixup"}, "`init=fixup` goes with skip=block alone"),
        ("postactivation", {"init": "zero_last"}, "`init` must not be zero_last with skip=postactivation"),
    ],
)
def test_what_is_out_of_range_is_refused_in_one_line(name: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as raised:
        FACTORIES[name](**arguments)  # type: ignore[arg-type]
    assert message in str(raised.value)
