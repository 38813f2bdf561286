"""A stack of runs that is stepped as the textbook says, in numpy: for what nobody has written a kernel.

Slower than the compiled engine, and as right: an activation, a loss, a normalization, an optimizer or a clipping rule of one's own is
trained by the functions that it consists of.
"""

import numpy as np

from bpcore import mlp
from bpcore.arrays import Array, FloatArray
from bpcore.clipping import Clip, Clipped, Past, norms_of
from bpcore.dropout import Masks
from bpcore.engine.batches import Batches
from bpcore.engine.evaluation import evaluate_stack
from bpcore.engine.layout import layout_of
from bpcore.engine.rows import CENSUS, EXHAUSTED, Look, Rates, Rows, empty_rows
from bpcore.layers import KINDS, Layers
from bpcore.measure.per_layer import costly_columns
from bpcore.measure.quantities import ALPHA_GRADIENT, BETA_GRADIENT, BIAS_GRADIENT, DELTA, GAMMA_GRADIENT, UPDATE, WEIGHT, WEIGHT_GRADIENT
from bpcore.network import Network, Trace
from bpcore.norms import combine, norm
from bpcore.optimizers import Optimizer

_GRADIENTS = {"W": WEIGHT_GRADIENT, "b": BIAS_GRADIENT, "gamma": GAMMA_GRADIENT, "beta": BETA_GRADIENT, "alpha": ALPHA_GRADIENT}


class Textbook:
    """Step a stack of runs.

    Args:
        network: the architecture.
        params: as `initialize` draws them.
        optimizer: the update rule.
        clip: the clipping rule.
        rates: of each run.
        batches: the data.
    """

    def __init__(self, network: Network, params: Layers, optimizer: Optimizer, clip: Clip, rates: Rates, batches: Batches) -> None:
        self.network, self.parameters, self._optimizer, self._clip, self._batches = network, params, optimizer, clip, batches
        self.runs = params.W[1].shape[0]
        self._rates, self._past = rates, np.zeros((self.runs, 0))
        self._by_layer = rates.of_layers(network.L)[..., None, None]
        self._weight_decay, self._threshold = (rate[:, None, None] for rate in (rates.weight_decay, rates.threshold))
        self._states = {key: optimizer.initial_state(array) for key, array in params.items()}
        self._running = self._forgettable = network.normalization.running()
        self._masks = Masks(network.dropout, network.sizes, batches.seeds, batches.size, str(params.W[1].dtype))

    def train(self, first: int, last: int, alive: Array, rows: Rows, every: int, full: bool) -> Array:
        """Make the steps first ≤ step < last of the runs that are alive, and write their rows; see `Engine.train`."""
        diverged = np.full(self.runs, -1)
        for step in range(first, last):
            going = alive & (diverged < 0)
            if not going.any():
                break
            look, clipped = self._pass(np.full(self.runs, step), True)
            value, before = look.rows.loss[:, 0], look.rows.before[:, 0]
            lost = going & ~(np.isfinite(value) & np.isfinite(before))
            diverged[lost] = step
            going &= ~lost
            if self._clip.remembers:
                self._past = np.column_stack([self._past[:, :step], before])
            self._update(step + 1, clipped.gradients, going, look.rows.norms[UPDATE, :, 0])
            if step % every == 0:
                row = step // every
                for target, source in zip(rows[1:7], look.rows[1:7], strict=True):
                    target[going, row] = source[going, 0]
                rows.norms[:, going, row] = look.rows.norms[:, going, 0]
                if row > 0 and (full or row & (row - 1) == 0):  # row 0 is looked at
                    columns = costly_columns(self.network, self.parameters, look.trace, look.delta)
                    for place, name in enumerate(CENSUS[: len(rows.census)]):
                        rows.census[place, going, row] = columns[name][going]
        return diverged

    def look(self, steps: Array, chosen: Array, gather: bool) -> Look:
        """Keep everything of one step of each chosen run; see `Engine.look`."""
        self._forgettable = self._running.of_runs(slice(None))
        return self._pass(np.where(chosen, steps, steps[chosen].min()), gather)[0]

    def krylov(self, scales: Array, noise: Array, products: int) -> tuple[FloatArray, FloatArray, Array]:
        """Return what Lanczos iteration with the Hessian of J leaves; see `Engine.krylov`."""
        layout, (alphas, betas) = layout_of(self.network), np.zeros((2, self.runs, products))
        theta, counts, going = layout.pack(self.parameters), np.zeros(self.runs, dtype=np.int64), np.ones(self.runs, dtype=bool)

        def gradient(at: Array) -> Array:
            self.parameters = self.parameters.map(lambda key, _: layout.views(at)[key])
            return layout.pack(self._pass(np.zeros(self.runs, dtype=np.int64), False)[0].gradients)

        base = gradient(theta)
        v, before, beta = _unit(_unit(base) + noise), np.zeros_like(theta), np.zeros((self.runs, 1))
        for k in range(products):
            image = gradient(theta + scales[:, None] * v) - base - beta * before
            alpha = np.vecdot(image, v)
            image -= alpha[:, None] * v
            beta = np.sqrt(np.vecdot(image, image))[:, None]
            alphas[going, k], betas[going, k], counts[going] = alpha[going], beta[going, 0], k + 1
            going &= (beta[:, 0] > EXHAUSTED * np.maximum(np.abs(alphas), betas).max(axis=1)) & np.isfinite(beta[:, 0])
            if not going.any():
                break
            before, v = v, _unit(image)
        return alphas, betas, counts

    def forget(self) -> None:
        """Let the batch of the last look not count in the running statistics; see `Engine.forget`."""
        self._running = self._forgettable

    def evaluate(self, x: Array, y: Array, asked: Array) -> tuple[FloatArray, FloatArray]:
        """Return what `evaluate_stack` does."""
        return evaluate_stack(self.network, self.parameters, x, y, self._running, asked)

    def _pass(self, steps: Array, gather: bool) -> tuple[Look, Clipped]:
        network, params, batch = self.network, self.parameters, self._batches(steps)
        trace = mlp.forward(network, params, batch.x, masks=self._masks(steps))
        if gather and network.normalization.needs_batch:
            self._running.update(trace.statistics)
        delta, gradients = mlp.backward(network, params, trace, batch.y, self._weight_decay)
        delta[0] = mlp.input_gradient(params, delta)
        rows, L = empty_rows(self.runs, 1, network.L, 2), network.L
        norms, m = rows.norms[:, :, 0], batch.y.shape[-1]
        for l in range(L + 1):
            norms[DELTA, :, l] = norm(delta[l])
        norms[BIAS_GRADIENT, :, 0] = norm(delta[0].sum(axis=-1, keepdims=True)) / m
        sizes = norms_of(gradients)
        for (kind, l), size in sizes.items():
            norms[_GRADIENTS[kind], :, l] = size
        for l, W in params.W.items():
            norms[WEIGHT, :, l] = norm(W)
        data_loss = mlp.data_term(network, trace, batch.y)
        rows.loss[:, 0] = mlp.penalized(data_loss, params, self._weight_decay)
        rows.data_loss[:, 0] = data_loss
        rows.accuracy[:, 0] = mlp.accuracy(trace.a[L], batch.y, network.one_logit)
        clipped = self._clip.clip(gradients, self._threshold, combine(list(sizes.values())), params, self._norms_before(steps))
        rows.before[:, 0], rows.after[:, 0], rows.clipped[:, 0] = clipped.before, clipped.after, clipped.acted
        whole = {l: np.broadcast_to(array, (self.runs, *array.shape[1:])) for l, array in trace.a.items()}
        return Look(rows, Trace(trace.z, trace.h, whole, trace.statistics, trace.masks), delta, gradients), clipped

    def _norms_before(self, steps: Array) -> Past:
        return [norms[:step] for norms, step in zip(self._past, steps, strict=True)] if self._clip.remembers else ()

    def _update(self, number: int, gradients: Layers, going: Array, norms: FloatArray) -> None:
        chosen = going[:, None, None]
        lr, bias_lr = (rate[..., None] for rate in self._rates.at(np.full((1, 1), number - 1)))

        def moved(key: tuple[str, int], array: Array) -> Array:
            kind, l = key
            state = list(self._states[key])
            rate = (bias_lr if kind in ("b", "beta") else lr) * self._by_layer[:, KINDS.index(kind), l]
            increment = self._optimizer.increment(gradients[key], state, rate, number, array)
            self._states[key] = [np.where(chosen, new, old) for new, old in zip(state, self._states[key], strict=True)]
            if kind == "W":
                norms[:, l] = norm(increment)
            return np.where(chosen, array + increment, array)

        self.parameters = self.parameters.map(moved)


def _unit(rows: Array) -> Array:
    """Return rows of length 1; one of 0 stays."""
    length = np.sqrt(np.vecdot(rows, rows))[:, None]
    return rows / np.where(length > 0, length, 1.0)
