"""Data sets made by a formula: random inputs, functions of a line, linear tasks. They depend on `data.*` alone, never on a run's seed."""

import numpy as np

from experiments.datasets.dataset import Dataset, assemble, count, one_hot


def gaussian(
    n_samples: int = 1000,
    n_features: int = 64,
    n_classes: int = 10,
    seed: int = 0,
    standardize: bool = False,
    scale: float = 1.0,
    standardize_target: bool = False,
) -> Dataset:
    """Return standard normal inputs with labels drawn at random: nothing to learn, everything to propagate.

    Args:
        n_samples: training examples, ≥ 1; there are no test examples.
        n_features: n_0 ≥ 1.
        n_classes: n_L ≥ 2.
        seed: ≥ 0.
        standardize: whether the sample itself is brought to mean 0 and variance 1.
        scale: multiplies the features after that, finite and not 0.
        standardize_target: true is refused: it is for the numbers of a regression.

    Raises:
        ValueError: an argument is out of range.
    """
    count("n_samples", n_samples, 1)
    rng = np.random.default_rng(count("seed", seed, 0))
    x = rng.standard_normal((count("n_features", n_features, 1), n_samples))
    y = one_hot(rng.integers(0, count("n_classes", n_classes, 2), n_samples), n_classes)
    return assemble(x, y, None, standardize, n_classes, "standard normal inputs, random labels", scale, standardize_target)


def spirals(
    n_samples: int = 600,
    n_classes: int = 3,
    noise: float = 0.1,
    turns: float = 0.75,
    seed: int = 0,
    standardize: bool = True,
    scale: float = 1.0,
    standardize_target: bool = False,
) -> Dataset:
    """Return interleaved spirals in the plane: class k's arm starts at the angle 2πk/K.

    r ~ U(0, 1), angle = 2π(k/K + turns·r) + noise·N(0, 1), x = r(cos, sin).

    Args:
        n_samples: training examples, ≥ 1; as many test examples are drawn.
        n_classes: K ≥ 2.
        noise: standard deviation of the angle in radians, ≥ 0.
        turns: revolutions of an arm.
        seed: ≥ 0.
        standardize: whether both coordinates are brought to mean 0 and variance 1.
        scale: multiplies the features after that, finite and not 0.
        standardize_target: true is refused: it is for the numbers of a regression.

    Raises:
        ValueError: an argument is out of range.
    """
    count("n_samples", n_samples, 1)
    count("n_classes", n_classes, 2)
    if not (np.isfinite(noise) and noise >= 0):
        raise ValueError(f"`noise` must be a finite number ≥ 0, got {noise}")
    if not np.isfinite(turns):
        raise ValueError(f"`turns` must be a finite number, got {turns}")
    rng = np.random.default_rng(count("seed", seed, 0))
    total = 2 * n_samples
    labels = np.arange(total) % n_classes
    radius = rng.uniform(0, 1, total)
    angle = 2 * np.pi * (labels / n_classes + turns * radius) + noise * rng.standard_normal(total)
    x, y = radius * np.stack([np.cos(angle), np.sin(angle)]), one_hot(labels, n_classes)
    test = (x[:, n_samples:], y[:, n_samples:])
    return assemble(x[:, :n_samples], y[:, :n_samples], test, standardize, n_classes, "planar spirals", scale, standardize_target)


def chebyshev(
    n_samples: int = 20, degree: int = 4, seed: int = 0, standardize: bool = False, scale: float = 1.0, standardize_target: bool = False
) -> Dataset:
    """Return equally spaced points on [−1, 1] with T_k(x) = cos(k arccos x) as target, a regression.

    Args:
        n_samples: points, ≥ 2.
        degree: k ≥ 1.
        seed: unused, since nothing is random.
        standardize: whether x is brought to mean 0 and variance 1.
        scale: multiplies the features after that, finite and not 0.
        standardize_target: whether the target is brought to mean 0 and variance 1.

    Raises:
        ValueError: an argument is out of range.

    Source: Cohen et al. 2021, appendix A.
    """
    x = np.linspace(-1, 1, count("n_samples", n_samples, 2))[None]
    y = np.polynomial.Chebyshev.basis(count("degree", degree, 1))(x)
    count("seed", seed, 0)
    return assemble(x, np.asarray(y), None, standardize, None, f"Chebyshev polynomial of degree {degree}", scale, standardize_target)


def point(x: float = 1.0, y: float = 0.0, scale: float = 1.0, standardize_target: bool = False) -> Dataset:
    """Return one example, a number for a number: what a single neuron is studied on.

    Args:
        x: the input, finite.
        y: the target, finite; in [0, 1] for loss=sigmoid_cross_entropy.
        scale: multiplies the features, finite and not 0.
        standardize_target: whether the target is brought to mean 0 and variance 1.

    Raises:
        ValueError: an argument is not finite.
    """
    for name, value in (("x", x), ("y", y)):
        if not np.isfinite(value):
            raise ValueError(f"`{name}` must be a finite number, got {value}")
    return assemble(np.full((1, 1), float(x)), np.full((1, 1), float(y)), None, False, None, "one example", scale, standardize_target)


def line(
    n_samples: int = 256,
    low: float = -2.0,
    high: float = 2.0,
    seed: int = 0,
    standardize: bool = False,
    scale: float = 1.0,
    standardize_target: bool = False,
) -> Dataset:
    """Return equally spaced points on [low, high] with sin x as target: f: ℝ → ℝ on a grid.

    Args:
        n_samples: points, ≥ 2.
        low: the first point, finite.
        high: the last point, finite, > low.
        seed: unused, since nothing is random.
        standardize: whether x is brought to mean 0 and variance 1; the target stays.
        scale: multiplies the features after that, finite and not 0.
        standardize_target: whether the target is brought to mean 0 and variance 1.

    Raises:
        ValueError: an argument is out of range.

    Source: the default grid is that of Balduzzi et al. 2017.
    """
    count("n_samples", n_samples, 2)
    count("seed", seed, 0)
    if not np.isfinite(low):
        raise ValueError(f"`low` must be a finite number, got {low}")
    if not (np.isfinite(high) and high > low):
        raise ValueError(f"`high` must be a finite number > low = {low}, got {high}")
    x = np.linspace(low, high, n_samples)[None]
    return assemble(x, np.sin(x), None, standardize, None, "points on a line", scale, standardize_target)


def modes(
    n_modes: int = 4,
    strength: float = 4.0,
    n_features: int = 16,
    n_outputs: int = 8,
    seed: int = 0,
    scale: float = 1.0,
    standardize_target: bool = False,
) -> Dataset:
    """Return a linear task of known modes on white inputs: what a deep linear network learns mode by mode.

    x = √n₀ · (Q, −Q) with Q orthogonal, so that Σ_i x_i = 0, which leaves biases at 0, and (1/m) Σ_i x_i x_iᵀ = 1 with
    m = 2n₀ examples; y = Σ_α s_α u_α v_αᵀ x with random orthonormal u_α, v_α and s_α = strength · (n_modes − α + 1)/n_modes,
    α = 1…n_modes.

    Args:
        n_modes: modes of nonzero strength, 1…min(n_features, n_outputs).
        strength: s_1 > 0, finite.
        n_features: n_0 ≥ 1.
        n_outputs: n_L ≥ 1.
        seed: ≥ 0.
        scale: multiplies the features, finite and not 0.
        standardize_target: whether the target is brought to mean 0 and variance 1.

    Raises:
        ValueError: an argument is out of range.

    Source: Saxe et al. 2013.
    """
    most = min(count("n_features", n_features, 1), count("n_outputs", n_outputs, 1))
    if not 1 <= n_modes <= most:
        raise ValueError(f"`n_modes` must be an integer from 1 to {most}, the smaller of n_features and n_outputs, got {n_modes}")
    if not (np.isfinite(strength) and strength > 0):
        raise ValueError(f"`strength` must be a finite number > 0, got {strength}")
    rng = np.random.default_rng(count("seed", seed, 0))
    half = np.sqrt(n_features) * np.linalg.qr(rng.standard_normal((n_features, n_features)))[0]
    x = np.concatenate([half, -half], axis=1)
    u = np.linalg.qr(rng.standard_normal((n_outputs, n_modes)))[0]
    v = np.linalg.qr(rng.standard_normal((n_features, n_modes)))[0]
    s = strength * np.arange(n_modes, 0, -1) / n_modes
    return assemble(x, (u * s) @ (v.T @ x), None, False, None, f"linear task of {n_modes} modes", scale, standardize_target)
