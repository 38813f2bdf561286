"""Activations: known values, derivatives with relative precision over the whole range, bounds, dtypes, stability."""

import math
from itertools import product

import numpy as np
import pytest

from bpcore import activations
from bpcore.activations import Activation
from tests.every import every
from tests.oracles import catalogue, row_for, slope

FACTORIES = catalogue("activation")

# (z, φ(z), φ′(z)), from the definitions with mpmath at 150 digits; the piecewise linear ones by hand
KNOWN: dict[str, tuple[tuple[float, float, float], ...]] = {
    "sigmoid": (
        (-20.0, 2.0611536181902036e-9, 2.0611536139418493e-9),
        (-2.0, 0.11920292202211756, 0.10499358540350652),
        (0.0, 0.5, 0.25),
        (0.75, 0.67917869917539297, 0.21789499376181403),
        (3.0, 0.95257412682243322, 0.045176659730912133),
    ),
    "tanh": (
        (-20.0, -0.99999999999999999, 1.6993417021166356e-17),
        (-2.0, -0.96402758007581688, 0.070650824853164466),
        (0.0, 0.0, 1.0),
        (0.75, 0.63514895238728732, 0.59658580828133143),
        (3.0, 0.99505475368673045, 0.0098660371654401913),
    ),
    "relu": ((-20.0, 0.0, 0.0), (-0.5, 0.0, 0.0), (0.75, 0.75, 1.0), (3.0, 3.0, 1.0)),
    "leaky_relu": ((-20.0, -2.0, 0.1), (-0.5, -0.05, 0.1), (0.75, 0.75, 1.0), (3.0, 3.0, 1.0)),
    "elu": (
        (-20.0, -0.99999999793884638, 2.0611536224385578e-9),
        (-2.0, -0.86466471676338731, 0.13533528323661269),
        (-0.5, -0.39346934028736658, 0.60653065971263342),
        (0.75, 0.75, 1.0),
        (3.0, 3.0, 1.0),
    ),
    "selu": (
        (-20.0, -1.758099337223664, 3.6237128249944116e-9),
        (-2.0, -1.520166468595695, 0.23793287225168182),
        (-0.5, -0.6917581878028714, 1.0663411530445055),
        (0.75, 0.78802574051661037, 1.0507009873554805),
        (3.0, 3.1521029620664415, 1.0507009873554805),
    ),
    "softplus": (
        (-20.0, 2.0611536203143807e-9, 2.0611536181902036e-9),
        (-2.0, 0.1269280110429725, 0.11920292202211756),
        (0.0, 0.69314718055994531, 0.5),
        (0.75, 1.1368710061148999, 0.67917869917539297),
        (3.0, 3.0485873515737421, 0.95257412682243322),
    ),
    "gelu": (
        (-20.0, -5.5072482372124674e-88, -1.1014360483133464e-86),
        (-2.0, -0.045500263896358414, -0.085231801078196897),
        (0.0, 0.0, 0.5),
        (0.75, 0.58002948571734885, 0.9992257217392351),
        (3.0, 2.9959503059051097, 1.0119456472041839),
    ),
    "silu": (
        (-20.0, -4.1223072363804072e-8, -3.9161918660646783e-8),
        (-2.0, -0.23840584404423511, -0.090784248784895479),
        (0.0, 0.0, 0.5),
        (0.75, 0.50938402438154473, 0.8425999444967535),
        (3.0, 2.8577223804672997, 1.0881041060151696),
    ),
    "softsign": (
        (-20.0, -0.95238095238095238, 0.0022675736961451247),
        (-2.0, -0.66666666666666667, 0.11111111111111111),
        (0.0, 0.0, 1.0),
        (0.75, 0.42857142857142857, 0.32653061224489796),
        (3.0, 0.75, 0.0625),
    ),
    "exponential": (
        (-20.0, 2.0611536224385578e-9, 2.0611536224385578e-9),
        (-2.0, 0.1353352832366127, 0.1353352832366127),
        (0.0, 1.0, 1.0),
        (0.75, 2.117000016612675, 2.117000016612675),
        (3.0, 20.085536923187668, 20.085536923187668),
    ),
    "hard_tanh": ((-20.0, -1.0, 0.0), (-0.5, -0.5, 1.0), (0.75, 0.75, 1.0), (3.0, 1.0, 0.0)),
    "relu6": ((-20.0, 0.0, 0.0), (-0.5, 0.0, 0.0), (0.75, 0.75, 1.0), (3.0, 3.0, 1.0), (7.0, 6.0, 0.0)),
    "mish": (
        (-20.0, -4.1223072406287614e-8, -3.9161918743489691e-8),
        (-2.0, -0.25250148269570886, -0.10835509242039394),
        (0.0, 0.0, 0.6),
        (0.75, 0.61001833521829339, 0.98575835571668806),
        (3.0, 2.9865350049679573, 1.0211069109294438),
    ),
    "gelu_tanh": (
        (-3.0, -0.0036373920817730188, -0.011584166630969726),
        (-2.0, -0.045402305912224981, -0.086099256623618382),
        (0.0, 0.0, 0.5),
        (0.75, 0.5799605551656203, 0.9989382561374143),
        (3.0, 2.996362607918227, 1.0115841666309697),
    ),
    "identity": ((-20.0, -20.0, 1.0), (-0.5, -0.5, 1.0), (3.0, 3.0, 1.0)),
}

# sup |φ′|, by mpmath at the extremes that the docstrings name
MAX_PRIME = {
    "sigmoid": 0.25,
    "tanh": 1.0,
    "relu": 1.0,
    "leaky_relu": 1.0,
    "elu": 1.0,
    "selu": 1.0507009873554805 * 1.6732632423543773,
    "softplus": 1.0,
    "gelu": 1.1289041451851548,
    "silu": 1.0998393201288669,
    "softsign": 1.0,
    "exponential": math.inf,
    "hard_tanh": 1.0,
    "relu6": 1.0,
    "mish": 1.0884981612517279,
    "gelu_tanh": 1.1289930686587718,
    "identity": 1.0,
}

HERE = "tests/bpcore/test_activations.py"

every_activation = pytest.mark.parametrize("name", FACTORIES)


def dense_grid(phi: Activation) -> np.ndarray:
    """Return points over the whole range, in the tails as well, none of them at a kink."""
    tail = np.geomspace(20, 600, 300)
    grid = np.concatenate([-tail, np.linspace(-20, 20, 4001) + 1.7e-4, tail])
    return grid[np.all([np.abs(grid - kink) > 1e-6 for kink in phi.kinks], axis=0)] if phi.kinks else grid


@every_activation
def test_known_values(name: str) -> None:
    phi = FACTORIES[name]()
    z, value, prime = np.array(row_for(KNOWN, name, "row of known values (z, φ, φ′)", f"{HERE}, KNOWN")).T
    tolerance = 1e-15 + z**2 * np.finfo(float).eps  # rounding z moves a Gaussian tail by z²ε, relatively
    assert (np.abs(phi.value(z) - value) <= tolerance * np.abs(value)).all()
    assert (np.abs(phi.prime(z) - prime) <= (2e-15 + tolerance) * np.abs(prime)).all()


@every_activation
def test_its_name_is_that_of_its_conf_file(name: str) -> None:
    assert FACTORIES[name]().name == name


@every_activation
def test_derivative_agrees_with_complex_step_relatively_even_in_the_tails(name: str) -> None:
    phi = FACTORIES[name]()
    z = dense_grid(phi)
    with np.errstate(under="ignore"):
        expected = slope(phi.value, z, step=1e-10)
    np.testing.assert_allclose(phi.prime(z), expected, rtol=2e-12, atol=1e-290)  # below, the step times φ′ underflows


@every_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stable_far_out_without_warnings(name: str, dtype: type) -> None:
    phi = FACTORIES[name]()
    z = np.array([-1e3, -600, -104, -89, -88, 0, 88, 89, 104, 600, 1e3], dtype=dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, prime = phi.value(z), phi.prime(z)
    for array in (value, prime):
        assert array.dtype == dtype
        assert not np.isnan(array).any()
        assert phi.steep or np.isfinite(array).all()
    with np.errstate(over="ignore"):  # what is too large for the dtype is to be inf there, and finite where it is not
        exact = FACTORIES[name]().value(z.astype(np.float64)).astype(dtype)
    np.testing.assert_allclose(value, exact, rtol=1e-5 if dtype is np.float32 else 1e-15, atol=np.finfo(dtype).tiny)


@every(product(FACTORIES, [np.float32, np.float64], [(), (1,), (2, 3), (2, 3, 4)]), by=lambda name, *_: name)
def test_shape_and_dtype_are_kept(name: str, dtype: type, shape: tuple[int, ...]) -> None:
    phi = FACTORIES[name]()
    z = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for function in (phi.value, phi.prime):
        result = np.asarray(function(np.asarray(z)))
        assert result.shape == shape
        assert result.dtype == dtype


@every_activation
def test_argument_is_left_alone(name: str) -> None:
    phi = FACTORIES[name]()
    z = np.array([-2.0, 0.0, 2.0])
    phi.value(z), phi.prime(z)
    assert z.tolist() == [-2.0, 0.0, 2.0]


@every_activation
def test_nan_stays_nan(name: str) -> None:
    """A rectifier that made 0 of it would hide a divergence."""
    assert np.isnan(FACTORIES[name]().value(np.array([np.nan]))).all()


@every_activation
def test_bounds_enclose_the_derivative_and_are_tight(name: str) -> None:
    phi = FACTORIES[name]()
    far = [-1e5, 1e5]  # φ′ may reach its limits as a power of z
    z = np.concatenate([far, dense_grid(phi), np.linspace(-3, 3, 60001), np.array(phi.kinks)])
    prime = phi.prime(z)
    slack = 4 * np.finfo(float).eps
    assert prime.min() >= phi.bounds.low - slack
    assert prime.max() <= phi.bounds.high + slack
    assert prime.min() == pytest.approx(phi.bounds.low, abs=1e-8)
    assert prime.max() == pytest.approx(phi.bounds.high, abs=1e-8)
    assert phi.max_prime == pytest.approx(row_for(MAX_PRIME, name, "known sup |φ′|", f"{HERE}, MAX_PRIME"), rel=1e-15)


@every_activation
def test_an_end_of_the_range_is_open_where_no_z_attains_it(name: str) -> None:
    """Look at |z| ≤ 30 only: further out the derivative rounds to its limit."""
    phi = FACTORIES[name]()
    z = np.concatenate([np.linspace(-30, 30, 60001), np.array(phi.kinks)])
    prime = phi.prime(z)
    if not phi.bounds.low_attained:
        assert (prime > phi.bounds.low).all()
    if not phi.bounds.high_attained:
        assert (prime[z < 10] < phi.bounds.high).all()


@every_activation
def test_kinks_are_where_the_derivative_jumps_or_bends(name: str) -> None:
    """At a kink the value is continuous and the derivative is the one from the left; elsewhere φ′ is smooth."""
    phi = FACTORIES[name]()
    for kink in phi.kinks:
        left, right = np.array([kink - 1e-9]), np.array([kink + 1e-9])
        np.testing.assert_allclose(phi.value(left), phi.value(right), rtol=0, atol=4e-9)  # slopes of at most 2 over 2e-9
        np.testing.assert_allclose(phi.prime(np.array([kink])), phi.prime(left), rtol=1e-8, atol=0)
    z = np.linspace(-5, 5, 100001)
    prime = phi.prime(z)
    size = np.abs(prime[1:]) if phi.steep else 1.0  # what grows without bound moves by its own size
    jump = np.abs(np.diff(prime)) > 1e-2 * size
    at_kink = np.any([(z[:-1] <= kink + 1e-9) & (z[1:] >= kink - 1e-9) for kink in phi.kinks], axis=0) if phi.kinks else False
    assert not (jump & ~np.asarray(at_kink)).any()


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        (activations.sigmoid().bounds, "(0, 0.25]"),
        (activations.tanh().bounds, "(0, 1]"),
        (activations.relu().bounds, "[0, 1]"),
        (activations.leaky_relu(0.1).bounds, "[0.1, 1]"),
        (activations.softplus().bounds, "(0, 1)"),
        (activations.exponential().bounds, "(0, ∞)"),
    ],
)
def test_ranges_are_written_as_intervals(bounds: activations.Bounds, text: str) -> None:
    assert str(bounds) == text


@pytest.mark.parametrize("alpha", [-0.5, 0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("factory", [activations.leaky_relu, activations.elu])
def test_bounds_follow_alpha(factory: type, alpha: float) -> None:
    phi = factory(alpha=alpha)
    prime = phi.prime(np.linspace(-40, 5, 9001))
    assert prime.min() == pytest.approx(phi.bounds.low, abs=1e-12)
    assert prime.max() == pytest.approx(phi.bounds.high, abs=1e-12)
    assert phi.max_prime == pytest.approx(np.abs(prime).max(), abs=1e-12)


@pytest.mark.parametrize("factory", [activations.leaky_relu, activations.elu])
@pytest.mark.parametrize("alpha", [np.nan, np.inf, -np.inf])
def test_alpha_must_be_finite(factory: type, alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        factory(alpha=alpha)


@every_activation
def test_the_slopes_that_it_declares_are_those_far_out(name: str) -> None:
    phi = FACTORIES[name]()
    with np.errstate(over="ignore"):  # of a Gaussian's exponent
        far = phi.prime(np.array([-1e170, 1e170]))  # a power of z needs as long to underflow
    np.testing.assert_allclose(far, phi.slopes, rtol=1e-15, atol=0)


BY_ALPHA = [factory(alpha) for factory in (activations.leaky_relu, activations.elu) for alpha in (0, 0.3, -2)]


@pytest.mark.parametrize("phi", [*(factory() for factory in FACTORIES.values()), *BY_ALPHA], ids=lambda phi: f"{phi.name}-{phi.bounds}")
def test_what_says_that_it_is_homogeneous_is_and_nothing_else(phi: Activation) -> None:
    z = np.concatenate([-np.geomspace(1e-6, 1e6, 25), np.geomspace(1e-6, 1e6, 25)])
    slope_ = np.where(z > 0, phi.slopes[1], phi.slopes[0])
    linear = np.allclose(phi.value(z), slope_ * z, rtol=1e-12, atol=0) and np.array_equal(phi.prime(z), slope_)
    assert phi.homogeneous == linear
    if phi.homogeneous:
        np.testing.assert_allclose(phi.value(3 * z), 3 * phi.value(z), rtol=1e-15)
        assert phi.kinks == (() if phi.slopes[0] == phi.slopes[1] else (0.0,))


def test_what_is_not_declared_is_not_known() -> None:
    mine = Activation("mine", np.sin, np.cos, (), activations.Bounds(-1.0, 1.0))
    assert np.isnan(mine.slopes).all()
    assert not mine.homogeneous
