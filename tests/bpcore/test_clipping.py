"""Clipping: norms before and after, direction, per-run thresholds, what counts as having acted."""

import numpy as np
import pytest

from bpcore import clipping
from bpcore.clipping import Clipped, global_norm, layer_norms
from bpcore.layers import Layers
from tests.comparing import scaled_norm
from tests.oracles import Array, catalogue

RULES = catalogue("clip")
acting = pytest.mark.parametrize("name", [name for name in RULES if name != "none"])


def gradients(scale: float = 1.0, dtype: type = np.float64, runs: int = 3) -> Layers:
    generator = np.random.default_rng(0)
    layers = Layers()
    for l, shape in {1: (4, 3), 2: (2, 4)}.items():
        layers.W[l] = (scale * 10**l * generator.standard_normal((runs, *shape))).astype(dtype)
        layers.b[l] = (scale * generator.standard_normal((runs, shape[0], 1))).astype(dtype)
    layers.gamma[1] = (scale * generator.standard_normal((runs, 4, 1))).astype(dtype)
    return layers


def flat(layers: Layers, run: int, layer: int | None = None) -> Array:
    return np.concatenate([array[run].ravel() for (_, l), array in layers.items() if layer in (None, l)]).astype(np.float64)


def ones(layers: Layers) -> Layers:
    """Return weights that are as large as any gradient may be: 1 in every entry."""
    return layers.map(lambda key, array: np.ones_like(array))


def clip(name: str, layers: Layers, thresholds: list[float]) -> Clipped:
    """Clip by thresholds; what is clipped by a percentile has a past of its threshold alone, which is then their median."""
    dtype = layers.W[1].dtype
    c = np.full(len(thresholds), 50.0) if RULES[name]().remembers else np.array(thresholds)
    past = [np.full(100, threshold) for threshold in thresholds]
    return RULES[name]().clip(layers, c.astype(dtype).reshape(-1, 1, 1), global_norm(layers), ones(layers), past)


def test_global_norm_takes_all_parameters_of_a_run() -> None:
    layers = gradients()
    np.testing.assert_allclose(global_norm(layers), [np.linalg.norm(flat(layers, run)) for run in range(3)], rtol=1e-14)


@pytest.mark.parametrize("name", RULES)
def test_norms_before_and_after_are_reported(name: str) -> None:
    layers = gradients()
    report = clip(name, layers, [1.0, 50.0, 1e6])
    for run in range(3):
        assert report.before[run] == pytest.approx(np.linalg.norm(flat(layers, run)), rel=1e-14)
        assert report.after[run] == pytest.approx(np.linalg.norm(flat(report.gradients, run)), rel=1e-14)


@acting
def test_each_run_has_its_own_threshold_and_an_idle_clip_changes_no_bit(name: str) -> None:
    layers = gradients()
    report = clip(name, layers, [1.0, 1e6, 1e6])
    assert report.acted.tolist() == [True, False, False]
    assert np.array_equal(flat(report.gradients, 1), flat(layers, 1))
    alone = clip(name, layers.map(lambda key, array: array[:1]), [1.0])
    assert np.array_equal(flat(alone.gradients, 0), flat(report.gradients, 0))


def test_none_returns_everything_untouched() -> None:
    layers = gradients(1e100)
    report = clip("none", layers, [np.inf] * 3)
    assert report.gradients is layers
    assert not report.acted.any()


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200])
def test_global_norm_clipping_keeps_the_direction(scale: float) -> None:
    layers = gradients(scale)
    report = clip("norm", layers, [0.5 * scale] * 3)
    for run in range(3):
        one, other = flat(layers, run), flat(report.gradients, run)
        assert report.after[run] == pytest.approx(0.5 * scale, rel=1e-14)
        np.testing.assert_allclose(other / scaled_norm(other), one / scaled_norm(one), rtol=1e-13)


def test_per_layer_clipping_limits_each_layer_by_itself() -> None:
    layers = gradients()
    report = clip("per_layer", layers, [60.0] * 3)
    for run in range(3):
        for layer in (1, 2):
            one, other = flat(layers, run, layer), flat(report.gradients, run, layer)
            limit = min(60.0, np.linalg.norm(one))
            np.testing.assert_allclose(other, one * limit / np.linalg.norm(one), rtol=1e-13)
    assert np.array_equal(flat(report.gradients, 0, 1), flat(layers, 0, 1))  # its norm is below 60
    assert np.linalg.norm(flat(layers, 0, 2)) > 60


def test_value_clipping_limits_each_entry() -> None:
    layers = gradients()
    report = clip("value", layers, [2.0] * 3)
    for run in range(3):
        one = flat(layers, run)
        np.testing.assert_array_equal(flat(report.gradients, run), np.where(np.abs(one) > 2, 2 * np.sign(one), one))


@pytest.mark.parametrize("name", ["norm", "per_layer"])
def test_a_norm_exactly_at_the_threshold_is_left_alone(name: str) -> None:
    layers = Layers(W={1: np.array([[[3.0, 4.0]]])}, b={})
    report = clip(name, layers, [5.0])
    assert not report.acted[0]
    assert report.gradients.W[1].tolist() == [[[3.0, 4.0]]]


@acting
def test_zero_gradients_stay_zero(name: str) -> None:
    report = clip(name, gradients(0.0), [1.0] * 3)
    assert not flat(report.gradients, 0).any()
    assert not report.acted.any()


@pytest.mark.parametrize("name", RULES)
def test_float32_stays_float32(name: str) -> None:
    report = clip(name, gradients(dtype=np.float32), [1.0] * 3)
    assert all(array.dtype == np.float32 for _, array in report.gradients.items())
    assert report.after.dtype == np.float64


@acting
def test_a_run_that_is_lost_does_not_touch_its_neighbors(name: str) -> None:
    layers = gradients()
    spoiled = layers.map(lambda key, array: np.where(np.arange(3).reshape(-1, 1, 1) == 0, np.nan, array))
    clean, beside = clip(name, layers, [1.0] * 3), clip(name, spoiled, [1.0] * 3)
    assert np.array_equal(flat(clean.gradients, 1), flat(beside.gradients, 1))
    assert beside.acted.tolist() == [False, True, True]


@acting
@pytest.mark.parametrize("threshold", [0.0, -1.0, np.nan, np.inf])
def test_bad_thresholds_are_named(name: str, threshold: float) -> None:
    key = "percentile" if name == "percentile" else "threshold"
    with pytest.raises(ValueError, match=key):
        RULES[name](**{key: threshold})


def test_other_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="`eps` must be a finite number > 0, got 0"):
        RULES["adaptive"](eps=0)
    with pytest.raises(ValueError, match=r"`percentile` must lie in \(0, 100\], got 101"):
        RULES["percentile"](percentile=101)


@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_says_of_itself(name: str) -> None:
    """Whether it ever acts, and whether its factors are all that it does."""
    rule, layers, c = RULES[name](), gradients(), np.array([0.5, 50.0, 1e6])
    past = [np.array([1.0, 2.0])] * 3
    report = rule.clip(layers, c.reshape(-1, 1, 1), global_norm(layers), ones(layers), past)
    assert report.acted.any() == rule.acts
    ratios = {key: report.gradients[key] / g for key, g in layers.items()}
    by_layer = {l: np.concatenate([ratios[key].reshape(3, -1) for key in ratios if key[1] == l], axis=1) for l in (1, 2)}
    assert all(np.allclose(r, r[:, :1], rtol=1e-14) for r in by_layer.values()) == (rule.scales or not rule.acts)
    if rule.scales:
        for layer, factors in rule.factors(layer_norms(layers), c, past).items():
            np.testing.assert_allclose(factors, by_layer[layer][:, 0], rtol=1e-14)
    else:
        with pytest.raises(NotImplementedError, match=name):
            rule.factors(layer_norms(layers), c, past)


def test_names_and_thresholds() -> None:
    for name, factory in RULES.items():
        assert factory().name == name
    assert clipping.none().threshold == np.inf
    assert clipping.norm(2.5).threshold == 2.5


def test_adaptive_clipping_limits_each_unit_by_its_weights() -> None:
    """A row of W by its own norm, b and γ as a whole, and no less than ε of weights that are 0."""
    layers, c = gradients(), 0.3
    generator = np.random.default_rng(1)
    weights = layers.map(lambda key, array: generator.standard_normal(array.shape) * (key[0] != "b"))
    report = RULES["adaptive"](eps=0.5).clip(layers, np.full((3, 1, 1), c), global_norm(layers), weights, ())
    acted = 0
    for key, g in layers.items():
        units = np.ndindex(g.shape[:2]) if key[0] == "W" else ((run,) for run in range(3))
        for unit in units:
            one, size, own = report.gradients[key][unit], np.linalg.norm(g[unit]), max(np.linalg.norm(weights[key][unit]), 0.5)
            np.testing.assert_allclose(one, g[unit] * min(1, c * own / size), rtol=1e-14)
            acted += size > c * own
    assert acted > 20


def test_a_percentile_is_that_of_all_norms_so_far() -> None:
    layers = gradients()
    sizes = global_norm(layers)
    past = [size * np.array([0.5, 2.0, 0.25, 1.5]) for size in sizes]
    c = np.array([50.0, 25.0, 80.0])
    report = RULES["percentile"]().clip(layers, c.reshape(-1, 1, 1), sizes, layers, past)
    # ascending: 0.25, 0.5, 1, 1.5, 2 times its own; a quarter of the way is 0.5, and half of it is its own
    np.testing.assert_allclose(report.after / sizes, [1.0, 0.5, 1.0], rtol=1e-14)
    assert report.acted.tolist() == [False, True, False]


def test_the_first_norm_is_its_own_percentile() -> None:
    layers = gradients()
    report = RULES["percentile"]().clip(layers, np.full((3, 1, 1), 10.0), global_norm(layers), layers, [np.empty(0)] * 3)
    assert not report.acted.any()
