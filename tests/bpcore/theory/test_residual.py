"""Theory of residual nets against published numbers and against nets that are drawn."""

import numpy as np
import pytest

from bpcore import mlp, skips
from bpcore.activations import Activation, relu, sigmoid, tanh
from bpcore.arrays import FloatArray
from bpcore.initializers import fan_in
from bpcore.network import Network
from bpcore.skips import Skip
from bpcore.theory import Division, Stack, residual_factors
from tests.bpcore.cases import LOSSES, NORMALIZATIONS, SKIPS, fits

N = 300
BATCH, LAYER = Division(0.0, over_batch=True), Division(0.0)


def squares(skip: Skip, phi: Activation, blocks: int, sigma_w2: float, division: Division | None = None) -> tuple[FloatArray, FloatArray]:
    """Return ‖δ^l‖²/‖δ^L‖² for l = 0…L and q^L of a net whose first sum has variance 1."""
    depth = 1 + blocks * skip.span
    stack = Stack(skip, phi, (N,) * (depth + 1) + (10,), [1 / N] + [sigma_w2 / N] * depth, [0.0] * (depth + 1), division)
    factors, output = residual_factors(stack, np.array([float(N)]), float(N))
    return np.append(np.cumprod(factors[::-1] ** 2)[::-1], 1.0), output


def total(skip: Skip, phi: Activation, blocks: int, sigma_w2: float, division: Division | None = None) -> float:
    """Return the factor of ‖δ‖² from the last sum to the first."""
    found, _ = squares(skip, phi, blocks, sigma_w2, division)
    return float(found[1] / found[-2])


@pytest.mark.parametrize(("alpha", "sigma_w2", "rate"), [(1, 2, 2.0), (1, 1, 1.5), (0.5, 2, 1.25)])
def test_rectifiers_explode_with_a_known_base(alpha: float, sigma_w2: float, rate: float) -> None:
    """Yang & Schoenholz 2017: 1 + α²σ_w²/2 a block, of two matrices 1 + α²σ_v²σ_w²/2."""
    assert total(skips.preactivation(alpha), relu(), 20, sigma_w2) == pytest.approx(rate**20, rel=1e-12)
    two = 1 + alpha**2 * sigma_w2**2 / 2
    assert total(skips.block(alpha), relu(), 20, sigma_w2) == pytest.approx(two**20, rel=1e-12)


@pytest.mark.parametrize(("blocks", "published"), [(10, "14.06"), (20, "66.10"), (50, "1361")])
def test_tanh_nets_explode_by_the_root_of_depth(blocks: int, published: str) -> None:
    digits = len(published.partition(".")[2])
    assert f"{total(skips.preactivation(), tanh(), blocks, 1.0):.{digits}f}" == published


@pytest.mark.parametrize(("blocks", "published"), [(10, "2.594"), (50, "2.692"), (100, "2.705")])
def test_branches_scaled_by_depth_keep_delta(blocks: int, published: str) -> None:
    """Hayou et al. 2021: (1 + σ_w²/2L)^L."""
    assert f"{total(skips.preactivation('depth'), relu(), blocks, 2.0):.3f}" == published


@pytest.mark.parametrize(("phi", "sigma_w2", "published"), [(relu(), 2.0, "153.4"), (relu(), 1.0, "63.1"), (tanh(), 1.0, "34.3")])
def test_batch_normalization_in_the_branch_makes_a_power_of_it(phi: Activation, sigma_w2: float, published: str) -> None:
    assert f"{total(skips.preactivation(), phi, 50, sigma_w2, BATCH):.1f}" == published


def test_rectifiers_at_the_end_shift_the_mean() -> None:
    """Brock et al. 2021: the growth of E a² a block, 2 without the shift, tends to 2.904; δ's stays at 2."""
    (found, one), (_, more) = (squares(skips.postactivation(), relu(), blocks, 2.0) for blocks in (39, 40))
    assert f"{float(more[0] / one[0]):.3f}" == "2.904"
    np.testing.assert_allclose(found[1:-3] / found[2:-2], 2.0, rtol=1e-12)


@pytest.mark.parametrize("blocks", [4, 16, 64])
def test_layernorm_in_the_branch_damps_the_last_block(blocks: int) -> None:
    """Xiong et al. 2020: ‖δ^L‖² ∝ 1/v_L behind LN(z^L), and the first block's does not depend on L."""
    found, _ = squares(skips.preactivation(), relu(), blocks, 2.0, LAYER)
    reference = 2.0 / 2  # the readout's: n Var(W) E φ′²
    assert found[-2] / reference == pytest.approx(1 / (1 + blocks), rel=1e-12)
    assert found[1] / reference == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("phi", "sigma_w2", "published"), [(relu(), 2.0, 1.0), (tanh(), 1.0, 1.0503), (sigmoid(), 1.0, 0.8078)])
def test_layernorm_after_the_addition_has_one_factor(phi: Activation, sigma_w2: float, published: float) -> None:
    found, _ = squares(skips.preactivation(norm="post"), phi, 20, sigma_w2, LAYER)
    assert found[10] / found[11] == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize("init", ["rezero", "skipinit"])
def test_an_alpha_of_zero_lets_delta_through_as_it_is(init: str) -> None:
    assert total(skips.preactivation(init=init), tanh(), 100, 3.0) == 1


@pytest.mark.parametrize("normalization", ["none", "batch", "layer", "rms", "layer-after", "rms-after"])
@pytest.mark.parametrize("name", [name for name in SKIPS if name != "none"])
@pytest.mark.parametrize("phi", [tanh(), relu()], ids=["tanh", "relu"])
def test_nets_that_are_drawn(phi: Activation, name: str, normalization: str) -> None:
    """Widths that differ, so that a block has no skip; the mean over nets, to four standard errors and what width and batch leave."""
    if not fits(name, normalization) or (normalization == "batch" and name.startswith("postactivation")):
        return
    skip, kind = SKIPS[name](), NORMALIZATIONS[normalization]()
    sizes = (200, *((200, 150, 200, 150, 150, 150, 150) if skip.span == 2 else (200, 200, 150, 150, 150)), 10)
    network = Network(sizes, phi, tanh(), LOSSES["mse"](), kind, skip)
    initializer, runs, m = fan_in(scale=1.4), 8, 200 if kind.needs_batch else 24
    generator = np.random.default_rng(7)
    x = generator.standard_normal((1, 200, m))
    params = mlp.initialize(network, [initializer] * runs, list(range(runs)), "float64")
    for l in params.alpha:
        params.alpha[l] = np.full((runs, 1, 1), skip.start(sizes))
    trace = mlp.forward(network, params, x)
    top = generator.standard_normal((runs, 10, m))

    def through(l: int, error: FloatArray) -> FloatArray:
        return np.asarray(network.norm(l).backward(error, params.own(l), trace.statistics[l])[0])

    delta, _ = mlp.propagate(network, params, trace, top, through)
    delta[0] = mlp.input_gradient(params, delta)
    own = np.stack([(delta[l] ** 2).sum(axis=1).mean(axis=1) for l in range(network.L + 1)])
    ratios = own[:-1] / own[1:]
    weights = [initializer.variance(fan, 0) for fan in sizes[:-1]]
    after, centered = normalization.endswith("after"), not normalization.startswith("rms")
    division = Division(kind.eps, centered, after, normalization == "batch") if kind.active else None  # type: ignore[attr-defined]
    stack = Stack(skip, phi, sizes, weights, [0.0] * len(weights), division)
    factors, _ = residual_factors(stack, (x[0] ** 2).sum(axis=0), float(x[0].var(axis=1).sum()))
    measured, error = own[:-1].mean(axis=1) / own[1:].mean(axis=1), ratios.std(axis=1) / ratios.mean(axis=1) / np.sqrt(runs)
    assert np.isfinite(factors).all()
    gap = np.abs(measured / factors**2 - 1)
    assert (gap < 4 * error + (0.08 if kind.needs_batch else 0.03)).all(), (measured, factors**2, error)
