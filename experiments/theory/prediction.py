"""What theory predicts of a run before it starts: δ by layer, its factor, how far a single net may stray.

A prediction depends on architecture, weights' distribution, loss and data, not on the seed nor on anything of training,
so it is computed once for all the runs that share these.
"""

import functools
import itertools
import json
import math
from dataclasses import dataclass

import numpy as np

from bpcore import theory
from bpcore.arrays import Array, FloatArray
from bpcore.example_normalization import PerExample
from bpcore.initializers import Initializer
from bpcore.network import Network
from bpcore.normalization import Batch
from experiments.config.run import Run
from experiments.datasets.dataset import Dataset

GROUPS_OF_INPUTS = 8
"""Inputs of different length have different variances; so many groups of them are told apart."""

_DECIDES = ("activation", "init", "normalization", "skip", "dropout", "parametrization", "loss", "output_activation", "width", "depth")


@dataclass(frozen=True)
class Prediction:
    """Hold the prediction for a run at step 0.

    Args:
        factors: ‖δ^l‖/‖δ^(l+1)‖ for l = 0…D, in root mean square over weights and examples; NaN where there is no theory.
        output_norm: √(E‖δ^L‖²); NaN where the loss has no prediction.
        log_std: standard deviation of ln‖δ^l‖ of a single net of this width for l = 0…L, the output's error given.
        factor_log_std: standard deviation of ln delta_factor of a single net and one input; NaN where nobody knows it.
        log_bias: what finite width adds to the mean of ln delta_factor for one input, ≤ 0; `delta_factor` leaves it out.
        reason: why values are missing; empty where none is.
    """

    factors: FloatArray
    output_norm: float
    log_std: FloatArray
    factor_log_std: float
    log_bias: float
    reason: str = ""

    @property
    def delta_factor(self) -> float:
        """Return the geometric mean of the factors between hidden layers, l = 1…D−1; NaN with fewer than two."""
        between = self.factors[1:-1]
        if not len(between):
            return math.nan
        with np.errstate(all="ignore"):
            return float(np.exp(np.log(between).mean()))

    @property
    def band(self) -> tuple[float, float]:
        """Return between what delta_factor of a single net lies in 95 % of all nets at least; NaN where nobody knows it.

        Two standard deviations below what one input drifts to, and above the mean: inputs that differ average out, and drift less.
        """
        with np.errstate(all="ignore"):
            low, high = np.exp([self.log_bias - 2 * self.factor_log_std, 2 * self.factor_log_std])
        return float(self.delta_factor * low), float(self.delta_factor * high)

    def delta_norm(self, measured_output: float) -> FloatArray:
        """Return the predicted norms of δ^l for l = 0…L.

        Args:
            measured_output: ‖δ^L‖ as measured, on which the layers below are anchored where the loss has no prediction;
                that of layer L itself is then missing.

        Returns:
            Shape (L+1,).
        """
        known = not math.isnan(self.output_norm)
        with np.errstate(all="ignore"):
            anchor = self.output_norm if known else measured_output
            below = np.cumprod(self.factors[::-1])[::-1] * anchor
        return np.append(below, self.output_norm)


def predict(run: Run) -> Prediction:
    """Return what theory says of a run at step 0.

    Without normalization by the layerwise mean-field map; with batch normalization by its rate at the run's batch size; with LayerNorm
    and RMSNorm by what they divide by; in residual nets by adding up squares, block by block; with equal weights and no random biases
    exactly. Under dropout by the same with n_l/p for n_l. Orthogonal weights have the factors of independent ones and their own spread.

    Args:
        run: validated.

    Returns:
        The prediction, the same object for equal settings.
    """
    decisive = {key: run.config[key] for key in _DECIDES}
    if run.normalization.needs_batch:
        decisive["batch"] = run.m
    key = (json.dumps(decisive, sort_keys=True), run.facts.checksum)
    found = _KNOWN.get(key)
    if found is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.pop(next(iter(_KNOWN)))
        found = _KNOWN[key] = _predict(run.network, run.init, run.data, run.m)
    return found


_KNOWN: dict[tuple[str, str], Prediction] = {}
_MOST_KNOWN = 4096


_STEEP = "φ′ has no bound, so that a few units carry all sums: no width is large enough for a theory of wide nets"


def _predict(network: Network, initializer: Initializer, dataset: Dataset, batch: int) -> Prediction:
    sizes = network.sizes
    starts = [network.parametrization.start(sizes, l) ** 2 for l in range(1, len(sizes))]
    variances = [start * initializer.variance(*fans) for start, fans in zip(starts, itertools.pairwise(sizes), strict=True)]
    equal_weights = not any(variances) and not any(initializer.bias_std_at(fan_in) for fan_in in sizes[:-1])
    if initializer.adapt is not None:
        return _missing(network, "weights that are fitted to examples have no theory")
    if initializer.mean and any(variances):
        return _missing(network, "random weights of a mean that is not 0 have no theory")
    if network.skip.span and network.L > 1:
        return _residual(network, initializer, variances, dataset)
    if network.normalization.active and network.L > 1:
        if any(phi.steep for phi in network.hidden):
            return _missing(network, _STEEP)
        if initializer.mean or not any(variances):
            return _missing(network, f"equal weights under {network.normalization.name} normalization have no theory")
        return _normalized(network, initializer, variances, dataset, batch)
    if initializer.mean and not equal_weights:
        return _missing(network, "equal weights with random biases have no theory")
    if equal_weights and network.dropout.active:
        return _missing(network, "equal weights under dropout have no theory")
    if equal_weights:
        return _symmetric(network, initializer, dataset)
    if any(phi.steep for phi in network.hidden):
        return _missing(network, _STEEP)
    return _mean_field(network, initializer, variances, dataset)


def _missing(network: Network, reason: str) -> Prediction:
    empty = np.full(network.L + 1, math.nan)
    return Prediction(empty[1:], math.nan, empty, math.nan, math.nan, reason)


def _mean_field(network: Network, initializer: Initializer, variances: list[float], dataset: Dataset) -> Prediction:
    phi, sizes = network.activation, network.sizes
    squares = theory.groups_of((dataset.x**2).sum(axis=0), GROUPS_OF_INPUTS)
    net = theory.propagate(phi, sizes, variances, initializer.bias_std_at, squares, network.dropout.keep)
    norm = _output_norm(network, net.output, dataset)
    reason = "" if np.isfinite(net.factors).all() else "the variance leaves the finite numbers"
    return Prediction(net.factors, norm, *_spread(network, net.variances, initializer), reason)


def _delta(network: Network, z: Array, y: Array) -> Array:
    with np.errstate(all="ignore"):
        return network.loss.delta(z, y, network.output_activation)


def _output_norm(network: Network, q: FloatArray, dataset: Dataset) -> float:
    error = theory.output_error(network.loss, network.output_activation, theory.groups_of(q, 3), dataset.y)
    with np.errstate(all="ignore"):
        return float(np.sqrt(error.mean()))


def _spread(network: Network, q: list[float], initializer: Initializer) -> tuple[FloatArray, float, float]:
    """Return (std of ln‖δ^l‖ for l = 0…L, std of ln delta_factor, its bias)."""
    sizes, independent, keep = network.sizes, initializer.independent, network.dropout.keep
    _, below = theory.log_spread(network.activation, sizes[1:-1], q, independent, keep)
    variance = np.append(below, 0.0)
    first = variance[0] + (2.0 / sizes[0] if independent else 0.0)
    log_std = np.sqrt(np.concatenate([[first], variance])) / 2
    steps = len(sizes) - 3
    if steps < 1:
        return log_std, math.nan, math.nan
    stds = [initializer.bias_std_at(fan_in) for fan_in in sizes[1:-2]]
    given = np.array(stds) if len(set(stds)) > 1 else stds[0]
    strays = theory.length_spread(network.activation, sizes[1:-1], q, given, independent, keep)
    walk = float(variance[0] - variance[-2]) if strays == strays else math.nan
    return log_std, math.sqrt(strays) / 2 / steps, -walk / 4 / steps


def _normalized(network: Network, initializer: Initializer, variances: list[float], dataset: Dataset, batch: int) -> Prediction:
    if isinstance(network.normalization, PerExample) and network.normalization.groups == 1:
        return _by_example(network, initializer, variances, network.normalization, dataset)
    if not isinstance(network.normalization, Batch) or network.normalization.after:
        place = " after φ" if network.normalization.after else ""
        return _missing(network, f"normalization={network.normalization.name}{place} has no theory")
    first, keep = _first_layer(dataset, batch), network.dropout.keep
    factors = theory.batch_norm_factors(network.activation, network.sizes, variances, batch, network.normalization.eps, first, keep)
    square = theory.batch_square(network.hidden[-1], batch) / keep
    q = np.array(network.sizes[-2] * variances[-1] * square + initializer.bias_std_at(network.sizes[-2]) ** 2)
    norm = _output_norm(network, q, dataset)
    empty = np.full(network.L + 1, math.nan)
    reason = "" if np.isfinite(factors).all() else "a batch of fewer than 4 examples, or of fewer than 3 directions, has no theory"
    return Prediction(factors, norm, empty, math.nan, math.nan, reason)


def _by_example(network: Network, initializer: Initializer, variances: list[float], kind: PerExample, dataset: Dataset) -> Prediction:
    squares = theory.groups_of((dataset.x**2).sum(axis=0), GROUPS_OF_INPUTS)
    shape, given = (network.activation, network.sizes), (variances, initializer.bias_std_at)
    factors, q = theory.example_norm_factors(*shape, *given, squares, kind.eps, kind.centered, kind.after, network.dropout.keep)
    empty = np.full(network.L + 1, math.nan)
    reason = "" if np.isfinite(factors).all() else "the variance leaves the finite numbers, or is 0"
    return Prediction(factors, _output_norm(network, np.array([q]), dataset), empty, math.nan, math.nan, reason)


def _residual(network: Network, initializer: Initializer, variances: list[float], dataset: Dataset) -> Prediction:
    kind, skip, sizes = network.normalization, network.skip, network.sizes
    if any(phi.steep for phi in network.hidden):
        return _missing(network, _STEEP)
    if initializer.mean or not any(variances):
        return _missing(network, "equal weights in a residual net have no theory")
    by_example = isinstance(kind, PerExample) and kind.groups == 1
    if kind.active and not by_example and (not isinstance(kind, Batch) or kind.after or skip.onto_a):
        return _missing(network, f"normalization={kind.name}{' after φ' if kind.after else ''} with skip={skip.name} has no theory")
    if skip.span > 1 and kind.active and not by_example and any(initializer.bias_std_at(fan_in) for fan_in in sizes[:-1]):
        return _missing(network, "random biases inside of blocks under batch normalization have no theory")
    if network.dropout.active and (skip.onto_a or not (by_example or not kind.active)):
        return _missing(network, f"dropout with skip={skip.name} and normalization={kind.name} has no theory")
    centered = not isinstance(kind, PerExample) or kind.centered
    division = theory.Division(kind.eps, centered, kind.after, not by_example) if isinstance(kind, Batch | PerExample) else None
    scales = [skip.scales(sizes).get(l, 1.0) ** 2 for l in range(1, network.L + 1)]
    biases = [initializer.bias_std_at(fan_in) ** 2 * scale for fan_in, scale in zip(sizes[:-1], scales, strict=True)]
    weights = [variance * scale for variance, scale in zip(variances, scales, strict=True)]
    stack = theory.Stack(skip, network.activation, sizes, weights, biases, division, network.dropout.keep)
    spread = float(dataset.x.var(axis=1).sum())
    factors, q = theory.residual_factors(stack, theory.groups_of((dataset.x**2).sum(axis=0), GROUPS_OF_INPUTS), spread)
    empty = np.full(network.L + 1, math.nan)
    reason = "" if np.isfinite(factors).all() else "the variance leaves the finite numbers, or no error goes into the branches"
    return Prediction(factors, _output_norm(network, q, dataset), empty, math.nan, math.nan, reason)


@functools.lru_cache(maxsize=64)
def _known_first_layer(checksum: str, batch: int) -> list[theory.FirstLayer]:
    """Return a place that keeps what `_first_layer` computes."""
    return []


def _first_layer(dataset: Dataset, batch: int) -> theory.FirstLayer:
    """Return what the inputs say of the first normalized layer.

    A run's batches are random; the first B examples stand for them.
    """
    place = _known_first_layer(dataset.checksum, batch)
    if not place:
        x = dataset.x[:, :batch]
        centered = x - x.mean(axis=1, keepdims=True)
        gram = centered @ centered.T if x.shape[0] <= batch else centered.T @ centered
        eigenvalues = np.linalg.eigvalsh(gram / batch).clip(0)
        place.append(theory.first_layer(eigenvalues, x.shape[0]))
    return place[0]


def _symmetric(network: Network, initializer: Initializer, dataset: Dataset) -> Prediction:
    sums, bias = dataset.x.sum(axis=0), initializer.bias_mean
    phi, sizes, weight = network.activation, network.sizes, initializer.mean
    outputs = theory.symmetric_values(phi, sizes, weight, bias, sums)[-1]
    delta = _delta(network, np.tile(outputs, (sizes[-1], 1)), dataset.y)
    with np.errstate(all="ignore"):
        norm = float(np.sqrt((delta**2).sum(axis=0).mean()))
    factors = theory.symmetric_factors(phi, sizes, weight, bias, sums, delta)
    reason = "" if np.isfinite(factors).all() else "the net of equal weights leaves the finite numbers or has no error"
    return Prediction(factors, norm, np.zeros(network.L + 1), 0.0, 0.0, reason)
