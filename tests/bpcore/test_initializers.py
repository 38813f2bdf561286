"""Initializers: what is drawn against what is declared."""

import numpy as np
import pytest
from scipy import stats

from bpcore import initializers
from bpcore.initializers import Initializer
from tests.oracles import catalogue, row_for

FACTORIES = catalogue("init")
HERE = "tests/bpcore/test_initializers.py"

# Var(W) at (fan_in, fan_out) = (300, 100) and scale 2, by the formula of the cited source
KNOWN_VARIANCES = {
    "normal": 4.0,
    "uniform": 4 / 3,
    "truncated_normal": 4 * (1 - 4 * stats.norm.pdf(2) / (1 - 2 * stats.norm.sf(2))),
    "fan_in": 4 / 300,
    "xavier": 4 * 2 / 400,
    "he": 4 * 2 / 300,
    "glorot_standard": 4 / (3 * 300),
    "orthogonal": 4 / 300,
    "constant": 0.0,
    "ones": 0.0,
    "lecun": 4 / 300,
    "pytorch": 4 / (3 * 300),
    "keras": 4 * 2 / 400,
    "lsuv": 4 / 300,  # before it has seen examples
}

# (name, arguments) of another that draws the same
DRAWS_AS: dict[str, tuple[str, dict[str, str]]] = {
    "lecun": ("fan_in", {}),
    "keras": ("xavier", {"distribution": "uniform"}),
    "pytorch": ("glorot_standard", {}),
    "ones": ("constant", {}),
    "lsuv": ("orthogonal", {}),
}
EQUAL_WEIGHTS = {"constant", "ones"}

every_initializer = pytest.mark.parametrize("name", FACTORIES)
with_distribution = [name for name in FACTORIES if "distribution" in FACTORIES[name].keywords]


def draw(initializer: Initializer, fan_out: int, fan_in: int, seed: int = 0) -> np.ndarray:
    return initializer.draw(np.random.default_rng(seed), fan_out, fan_in)


@every_initializer
def test_known_variance(name: str) -> None:
    known = row_for(KNOWN_VARIANCES, name, "known variance at fan_in 300, fan_out 100, scale 2", f"{HERE}, KNOWN_VARIANCES")
    assert FACTORIES[name](scale=2.0).variance(300, 100) == pytest.approx(known, rel=1e-15)


@every_initializer
def test_its_name_is_that_of_its_conf_file(name: str) -> None:
    assert FACTORIES[name]().name == name


@every_initializer
@pytest.mark.parametrize("shape", [(100, 300), (300, 100), (200, 200)])
def test_draws_have_the_declared_mean_and_variance(name: str, shape: tuple[int, int]) -> None:
    """With 20,000 to 40,000 entries the sample variance scatters by 1 %; orthogonal ones by less."""
    initializer = FACTORIES[name](scale=1.5)
    W = draw(initializer, *shape)
    assert W.shape == shape
    assert W.dtype == np.float64
    declared = initializer.variance(shape[1], shape[0])
    np.testing.assert_allclose(((W - initializer.mean) ** 2).mean(), declared, rtol=0.04, atol=1e-30)
    assert abs(W.mean() - initializer.mean) <= 5 * np.sqrt(declared / W.size)


@pytest.mark.parametrize("name", with_distribution)
def test_uniform_draws_fill_their_interval_with_the_same_variance(name: str) -> None:
    initializer = FACTORIES[name](scale=1.5, distribution="uniform")
    W = draw(initializer, 100, 300)
    half_width = np.sqrt(3 * initializer.variance(300, 100))
    assert np.abs(W).max() <= half_width
    assert np.abs(W).max() > 0.999 * half_width
    np.testing.assert_allclose(W.var(), initializer.variance(300, 100), rtol=0.02)
    assert initializer.variance(300, 100) == FACTORIES[name](scale=1.5).variance(300, 100)


def test_supports_published_for_the_uniform_schemes() -> None:
    xavier = draw(initializers.xavier(distribution="uniform"), 100, 300)
    assert 0.999 < np.abs(xavier).max() / np.sqrt(6 / 400) <= 1
    standard = draw(initializers.glorot_standard(), 100, 300)
    assert 0.999 < np.abs(standard).max() * np.sqrt(300) <= 1


def test_an_interval_of_fixed_width_is_filled() -> None:
    W = draw(initializers.uniform(scale=0.3), 100, 300)
    assert 0.999 < np.abs(W).max() / 0.3 <= 1 + 1e-15
    assert stats.kstest(W.ravel(), stats.uniform(-0.3, 0.6).cdf).pvalue > 1e-3


def test_a_truncated_normal_is_the_normal_within_two_deviations() -> None:
    W, exact = draw(initializers.truncated_normal(scale=0.3), 100, 300), stats.truncnorm(-2, 2, scale=0.3)
    assert 0.999 < np.abs(W).max() / 0.6 <= 1 + 1e-15
    assert stats.kstest(W.ravel(), exact.cdf).pvalue > 1e-3
    assert initializers.truncated_normal(scale=0.3).variance(300, 100) == pytest.approx(exact.var(), rel=1e-12)


def test_a_truncated_normal_takes_one_number_an_entry_of_its_stream() -> None:
    generator, other = np.random.default_rng(0), np.random.default_rng(0)
    initializers.truncated_normal().draw(generator, 7, 5)
    other.random(35)
    assert generator.bit_generator.state == other.bit_generator.state


@pytest.mark.parametrize("shape", [(30, 30), (20, 50), (50, 20), (1, 7), (7, 1)])
def test_orthogonal_weights_are_orthogonal_times_the_gain(shape: tuple[int, int]) -> None:
    W = draw(initializers.orthogonal(scale=1.7), *shape)
    gram = W @ W.T if shape[0] <= shape[1] else W.T @ W
    np.testing.assert_allclose(gram, 1.7**2 * np.eye(min(shape)), atol=1e-13)


def test_orthogonal_weights_are_uniform_over_the_rotations() -> None:
    """Without the signs of R, numpy's QR gives a Q whose diagonal is biased to one sign."""
    diagonal = [draw(initializers.orthogonal(), 3, 3, seed)[0, 0] for seed in range(400)]
    assert abs(np.mean(diagonal)) < 5 * np.sqrt(1 / 3 / 400)


@every_initializer
def test_the_same_seed_gives_the_same_standard_variates_whatever_the_scale(name: str) -> None:
    one, other = (draw(FACTORIES[name](scale=scale), 20, 30, seed=3) for scale in (0.5, 2.0))
    np.testing.assert_allclose(4 * one, other, rtol=1e-15)


def test_normal_schemes_share_their_standard_variates() -> None:
    schemes = [FACTORIES[name]() for name in ("normal", "fan_in", "xavier", "he")]
    standard = [draw(scheme, 20, 30, seed=3) / np.sqrt(scheme.variance(30, 20)) for scheme in schemes]
    for variates in standard[1:]:
        np.testing.assert_allclose(variates, standard[0], rtol=1e-14)


@every_initializer
def test_other_seeds_give_other_weights(name: str) -> None:
    equal = np.array_equal(draw(FACTORIES[name](), 4, 5, seed=0), draw(FACTORIES[name](), 4, 5, seed=1))
    assert equal == (name in EQUAL_WEIGHTS)


@every_initializer
def test_biases_are_normal_with_the_given_deviation(name: str) -> None:
    initializer = FACTORIES[name](bias_std=0.3, bias_distribution="normal")
    b = initializer.draw_bias(np.random.default_rng(0), 20_000, 7)
    assert b.shape == (20_000, 1)
    assert b.std() == pytest.approx(0.3, rel=0.02)
    assert np.abs(b).max() > 0.9  # beyond the support of a uniform of this deviation
    assert not FACTORIES[name](bias_std=0.0).draw_bias(np.random.default_rng(0), 5, 7).any()


@every_initializer
def test_biases_may_be_uniform_with_the_same_deviation(name: str) -> None:
    b = FACTORIES[name](bias_std=0.3, bias_distribution="uniform").draw_bias(np.random.default_rng(0), 20_000, 7)
    assert b.std() == pytest.approx(0.3, rel=0.02)
    assert 0.999 < np.abs(b).max() / (0.3 * np.sqrt(3)) <= 1 + 1e-15
    with pytest.raises(ValueError, match="`bias_distribution` must be normal, uniform or truncated_normal, got 'cauchy'"):
        FACTORIES[name](bias_distribution="cauchy")


@pytest.mark.parametrize("name", [name for name in FACTORIES if "mean" in FACTORIES[name].keywords])
def test_a_mean_is_added_to_what_is_drawn(name: str) -> None:
    plain, moved = (FACTORIES[name](mean=mean) for mean in (0.0, -0.7))
    np.testing.assert_array_equal(draw(moved, 20, 30), draw(plain, 20, 30) - 0.7)
    assert moved.mean == -0.7
    assert moved.variance(30, 20) == plain.variance(30, 20)
    with pytest.raises(ValueError, match="`mean` must be a finite number, got inf"):
        FACTORIES[name](mean=np.inf)


@pytest.mark.parametrize("name", DRAWS_AS)
def test_what_frameworks_call_otherwise_draws_as_its_scheme_does(name: str) -> None:
    other, arguments = DRAWS_AS[name]
    one, twin = FACTORIES[name](scale=1.5), FACTORIES[other](scale=1.5, **arguments)
    np.testing.assert_array_equal(draw(one, 20, 30), draw(twin, 20, 30))
    assert (one.variance(30, 20), one.mean, one.independent) == (twin.variance(30, 20), twin.mean, twin.independent)


def test_he_keeps_z_or_the_error() -> None:
    z, error = FACTORIES["he"](), FACTORIES["he"](mode="fan_out")
    assert (z.variance(300, 100), error.variance(300, 100)) == (2 / 300, 2 / 100)
    assert draw(error, 100, 300).var() == pytest.approx(2 / 100, rel=0.02)
    with pytest.raises(ValueError, match="`mode` must be fan_in or fan_out, got 'fan_avg'"):
        FACTORIES["he"](mode="fan_avg")


def test_biases_of_pytorch_have_the_deviation_of_its_weights() -> None:
    initializer = FACTORIES["pytorch"](scale=2.0)
    assert initializer.bias_std_at(75) == pytest.approx(2 / 15)
    b = initializer.draw_bias(np.random.default_rng(0), 20_000, 75)
    assert 0.999 < np.abs(b).max() * np.sqrt(75) / 2 <= 1 + 1e-15


@pytest.mark.parametrize(("fan_in", "fan_out"), [(50, 400), (3, 4000)])
def test_defaults_of_frameworks_are_what_the_frameworks_draw(fan_in: int, fan_out: int) -> None:
    """By the ends of their intervals, which many entries all but reach."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    linear = torch.nn.Linear(fan_in, fan_out).requires_grad_(False)
    ours = FACTORIES["pytorch"]()
    b = ours.draw_bias(np.random.default_rng(1), fan_out, fan_in)
    assert np.abs(draw(ours, fan_out, fan_in)).max() == pytest.approx(float(linear.weight.abs().max()), rel=0.01)
    assert np.abs(b).max() == pytest.approx(float(linear.bias.abs().max()), rel=0.02)
    glorot = torch.nn.init.xavier_uniform_(torch.empty(fan_out, fan_in))
    assert np.abs(draw(FACTORIES["keras"](), fan_out, fan_in)).max() == pytest.approx(float(glorot.abs().max()), rel=0.01)


def test_constant_weights() -> None:
    initializer = initializers.constant(scale=-0.5)
    assert (draw(initializer, 3, 4) == -0.5).all()
    assert initializer.mean == -0.5


def test_only_orthogonal_entries_depend_on_each_other() -> None:
    assert {name for name in FACTORIES if not FACTORIES[name]().independent} == {"orthogonal", "lsuv"}


@every_initializer
@pytest.mark.parametrize(("key", "value"), [("scale", np.nan), ("scale", np.inf), ("bias_std", -0.1), ("bias_std", np.nan)])
def test_bad_arguments_are_named(name: str, key: str, value: float) -> None:
    with pytest.raises(ValueError, match=key):
        FACTORIES[name](**{key: value})


@pytest.mark.parametrize("name", [name for name in FACTORIES if name not in EQUAL_WEIGHTS])
def test_a_negative_scale_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="scale"):
        FACTORIES[name](scale=-1.0)


@pytest.mark.parametrize("name", with_distribution)
def test_truncated_normal_draws_have_the_same_variance_too(name: str) -> None:
    initializer = FACTORIES[name](scale=1.5, distribution="truncated_normal")
    W, std = draw(initializer, 100, 300), np.sqrt(initializer.variance(300, 100))
    np.testing.assert_allclose(W.std(), std, rtol=0.01)
    assert 0.999 < np.abs(W).max() / (2 * std / stats.truncnorm(-2, 2).std()) <= 1 + 1e-15
    assert initializer.variance(300, 100) == FACTORIES[name](scale=1.5).variance(300, 100)


@pytest.mark.parametrize("name", with_distribution)
def test_an_unknown_distribution_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="distribution"):
        FACTORIES[name](distribution="cauchy")


@every_initializer
def test_a_scale_beyond_any_use_overflows_like_numbers_do_and_raises_nothing(name: str) -> None:
    initializer = FACTORIES[name](scale=1e200)
    assert initializer.variance(3, 4) == (0 if name in EQUAL_WEIGHTS else np.inf)
    with np.errstate(all="ignore"):
        assert draw(initializer, 4, 3).shape == (4, 3)


def test_a_constant_start_takes_a_bias() -> None:
    initializer = FACTORIES["constant"](scale=0.6, bias=0.9)
    assert draw(initializer, 2, 3).tolist() == [[0.6] * 3] * 2
    assert initializer.draw_bias(np.random.default_rng(0), 2, 3).tolist() == [[0.9], [0.9]]
    spread = FACTORIES["constant"](bias=0.9, bias_std=0.1).draw_bias(np.random.default_rng(0), 4000, 3)
    assert spread.mean() == pytest.approx(0.9, abs=0.01)
    assert spread.std() == pytest.approx(0.1, rel=0.05)
    with pytest.raises(ValueError, match="`bias` must be a finite number, got inf"):
        FACTORIES["constant"](bias=float("inf"))
