"""δ beyond floating point: the plain bits where there are any, the logarithm of the product where there are none."""

from functools import cache

import mpmath as mp
import numpy as np
import pytest

from bpcore import mlp
from bpcore.initializers import he, normal
from bpcore.layers import Layers
from bpcore.measure.extended import Extended, extended_backward, log10_delta_norm
from bpcore.network import Network, Trace
from tests.bpcore.cases import ACTIVATIONS, INITIALIZERS, LOSSES, NORMALIZATIONS, SKIPS, THINNED, delta_norm, fits, size_of
from tests.oracles import Array


def network(activation: str, depth: int, width: int = 6, normalization: str = "none", loss: str = "mse", skip: str = "none") -> Network:
    kinds = ACTIVATIONS[activation](), ACTIVATIONS["identity"](), LOSSES[loss](), NORMALIZATIONS[normalization](), SKIPS[skip]()
    return Network((4, *(width,) * depth, 3), *kinds)


def passed(net: Network, params: Layers, dtype: str = "float64") -> tuple[Trace, Array]:
    generator = np.random.default_rng(3)
    x, y = generator.standard_normal((1, 4, 5)).astype(dtype), generator.standard_normal((1, 3, 5)).astype(dtype)
    with np.errstate(all="ignore"):
        return mlp.forward(net, params, x), y


def plain_backward(net: Network, params: Layers, trace: Trace, y: Array) -> dict[int, Array]:
    with np.errstate(all="ignore"):
        delta, _ = mlp.backward(net, params, trace, y, np.zeros((1, 1, 1)))
        return delta | {0: mlp.input_gradient(params, delta)}


def log10_by_normalizing(net: Network, params: Layers, trace: Trace, y: Array) -> Array:
    """Return log10 of δ's norm of run 0 by dividing δ by its norm at every layer and adding up logarithms."""
    delta = net.loss.delta(trace.h[net.L], y, net.output_activation)[0]
    total, levels = 0.0, []
    for l in range(net.L, -1, -1):
        if l < net.L:
            delta = params.W[l + 1][0].T @ delta
            if l > 0:
                delta = delta * net.phi(l).prime(trace.h[l])[0]
        size = float(np.linalg.norm(delta))
        total, delta = total + np.log10(size), delta / size
        levels.append(total - np.log10(delta.shape[-1]) / 2)
    return np.array(levels[::-1])


@cache
def of_four_kinds(depth: int, size: float, dtype: str) -> Layers:
    """Draw the weights and biases that nets of a depth share."""
    initializers = [INITIALIZERS[name](scale=size, bias_std=0.1) for name in ("fan_in", "he", "orthogonal")] + [normal(0.2 * size, 0.1)]
    return mlp.initialize(network("identity", depth), initializers, [0, 1, 2, 3], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("activation", "normalization"), THINNED)
def test_the_bits_are_those_of_the_plain_pass_where_that_neither_under_nor_overflows(
    activation: str, normalization: str, dtype: str
) -> None:
    depth = {"float32": 20, "float64": 150}[dtype]
    net = network(activation, depth, normalization=normalization)
    params = of_four_kinds(depth, size_of(net), dtype).map(lambda _, array: array.copy())
    for l in range(1, net.L + 1):
        for kind, array in net.norm(l).initial(params.b[l]).items():
            params[kind, l] = array
    trace, y = passed(net, params, dtype)
    plain = plain_backward(net, params, trace, y)
    mantissas, exponents = extended_backward(net, params, trace, y)
    tiny = np.finfo(dtype).tiny
    compared = 0
    for l, delta in plain.items():
        assert mantissas[l].dtype == dtype
        # above this, an entry below the smallest normal number is beyond the last bit of anything it is added to
        sound = np.isfinite(delta).all(axis=(-2, -1)) & (np.abs(delta).max(axis=(-2, -1)) > 1e25 * tiny)
        whole = np.ldexp(mantissas[l], exponents[l][:, None, None])
        normal_entries = (np.abs(delta) > 1e25 * tiny) & sound[:, None, None]
        np.testing.assert_array_equal(whole[normal_entries], delta[normal_entries])
        compared += int(normal_entries.sum())
    assert compared > 500


@pytest.mark.parametrize("normalization", ["none", "layer-after", "batch"])
@pytest.mark.parametrize("skip", SKIPS)
def test_the_bits_of_residual_nets_are_those_of_the_plain_pass(skip: str, normalization: str) -> None:
    if not fits(skip, normalization):
        return
    net = network("tanh", 51, normalization=normalization, skip=skip)
    params = mlp.initialize(net, [INITIALIZERS["fan_in"](bias_std=0.1), INITIALIZERS["fan_in"](scale=3.0)], [0, 1], "float64")
    trace, y = passed(net, params)
    plain, (mantissas, exponents) = plain_backward(net, params, trace, y), extended_backward(net, params, trace, y)
    for l in plain:
        np.testing.assert_array_equal(np.ldexp(mantissas[l], exponents[l][:, None, None]), plain[l])


@pytest.mark.parametrize("exponents", [(0, 0), (0, -2000), (-5000, 0), (3000, 2990), (-700, -710), (-(10**6), 10**6)])
@pytest.mark.parametrize("zero", [None, 0, 1])
def test_a_sum_has_the_exponent_of_what_is_larger(exponents: tuple[int, int], zero: int | None) -> None:
    generator = np.random.default_rng(0)
    mantissas = [generator.uniform(0.5, 1, (1, 3, 2)) * (place != zero) for place in range(2)]
    parts = [Extended(mantissa, np.full((1, 1, 1), exponent)) for mantissa, exponent in zip(mantissas, exponents, strict=True)]
    total = parts[0] + parts[1]
    with mp.workprec(3 * 10**6 if max(map(abs, exponents)) > 10**5 else 20000):
        for i, j in np.ndindex(3, 2):
            exact = sum(mp.ldexp(mp.mpf(float(m[0, i, j])), e) for m, e in zip(mantissas, exponents, strict=True))
            found = mp.ldexp(mp.mpf(float(total.mantissa[0, i, j])), int(total.exponent[0, 0, 0]))
            assert abs(found - exact) <= 2.0**-53 * abs(exact)
    nothing = Extended(np.zeros((1, 1, 1)), np.full((1, 1, 1), 7)) + Extended(np.zeros((1, 1, 1)))
    assert nothing.mantissa == 0


def test_exponents_are_carried_and_still_give_the_plain_bits() -> None:
    net = network("sigmoid", 250)
    params = mlp.initialize(net, [INITIALIZERS["fan_in"](), INITIALIZERS["fan_in"](scale=3.0)], [0, 1], "float64")
    trace, y = passed(net, params)
    plain, (mantissas, exponents) = plain_backward(net, params, trace, y), extended_backward(net, params, trace, y)
    assert exponents[1][0] < -256  # otherwise this would test nothing
    for l in plain:
        np.testing.assert_array_equal(np.ldexp(mantissas[l], exponents[l][:, None, None]), plain[l])


def test_a_sigmoid_net_5000_layers_deep_has_a_gradient_of_a_size() -> None:
    net = network("sigmoid", 5000)
    params = mlp.initialize(net, [INITIALIZERS["fan_in"]()], [0], "float64")
    trace, y = passed(net, params)
    plain = delta_norm(plain_backward(net, params, trace, y)[1])
    assert plain[0] == 0  # what the plain pass leaves of it
    columns = np.zeros((1, net.L + 1))
    measured = log10_delta_norm(net, params, trace, y, columns)[0]
    expected = log10_by_normalizing(net, params, trace, y)
    untouched = np.isneginf(measured)  # no exponent was needed: the plain column (here 0) stands
    assert 100 < untouched.sum() < 150  # at a factor of .21 a layer, 2⁻²⁵⁶ is reached after 115
    np.testing.assert_allclose(measured[~untouched], expected[~untouched], rtol=1e-13)
    assert -4000 < measured[1] < -2500


def test_a_gradient_may_explode_beyond_the_largest_number() -> None:
    net = network("tanh", 3000, width=24)
    params = mlp.initialize(net, [INITIALIZERS["fan_in"](scale=5.0)], [0], "float64")
    trace, y = passed(net, params)
    assert not np.isfinite(plain_backward(net, params, trace, y)[1]).all()
    measured = log10_delta_norm(net, params, trace, y, np.full((1, net.L + 1), np.nan))[0]
    exact = ~np.isnan(measured)
    assert exact.sum() > 1000
    np.testing.assert_allclose(measured[exact], log10_by_normalizing(net, params, trace, y)[exact], rtol=1e-12)
    assert measured[1] > 400


def test_the_plain_column_stands_where_no_exponent_was_needed() -> None:
    net = network("relu", 3)
    params = mlp.initialize(net, [he()], [0], "float64")
    trace, y = passed(net, params)
    np.testing.assert_array_equal(log10_delta_norm(net, params, trace, y, np.full((1, 5), 1e-7)), np.full((1, 5), np.log10(1e-7)))


def test_float32_has_the_range_too() -> None:
    net = network("sigmoid", 300)
    params = mlp.initialize(net, [INITIALIZERS["fan_in"]()], [0], "float32")
    trace, y = passed(net, params, "float32")
    assert (plain_backward(net, params, trace, y)[1] == 0).all()
    measured = log10_delta_norm(net, params, trace, y, np.zeros((1, net.L + 1)))[0, 1]
    wide = params.map(lambda key, array: array.astype(np.float64))
    trace64, y64 = passed(net, wide)
    assert measured == pytest.approx(log10_by_normalizing(net, wide, trace64, y64)[1], rel=1e-6)


def test_a_run_does_not_depend_on_its_neighbors() -> None:
    net = network("sigmoid", 400)
    initializers, seeds = [INITIALIZERS["fan_in"](scale=scale) for scale in (1.0, 9.0, 0.2)], [0, 1, 2]
    together = mlp.initialize(net, initializers, seeds, "float64")
    trace, y = passed(net, together)
    mantissas, exponents = extended_backward(net, together, trace, y)
    for run in range(3):
        alone = together.map(lambda key, array, run=run: array[run : run + 1].copy())  # type: ignore[misc]
        trace_alone, _ = passed(net, alone)
        mine, own = extended_backward(net, alone, trace_alone, y)
        for l in mine:
            np.testing.assert_array_equal(mine[l][0], mantissas[l][run])
            assert own[l][0] == exponents[l][run]


def test_what_is_zero_or_no_number_stays_so() -> None:
    net = network("relu", 2)
    params = mlp.initialize(net, [he(), he()], [0, 1], "float64")
    params.b[1][0] = -1e9  # dead: φ′ is 0, which no exponent mends
    params.W[3][1] = np.nan
    trace, y = passed(net, params)
    with np.errstate(all="ignore"):
        plain = np.stack([delta_norm(delta) for delta in dict(sorted(plain_backward(net, params, trace, y).items())).values()], axis=1)
        measured = log10_delta_norm(net, params, trace, y, plain)
    assert np.isneginf(measured[0, 1])
    assert np.isnan(measured[1]).all()


def test_a_run_without_its_forward_pass_has_no_logarithm() -> None:
    net = network("identity", 3)
    params = mlp.initialize(net, [normal(1e200)], [0], "float64")
    trace, y = passed(net, params)
    with np.errstate(all="ignore"):
        measured = log10_delta_norm(net, params, trace, y, np.full((1, 5), np.nan))
    assert not np.isfinite(measured).any()
