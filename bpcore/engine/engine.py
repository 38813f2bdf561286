"""A stack of runs that is stepped by compiled code: its memory, and the two ways to go on.

`train` makes updates, many at once. `look` stands still at a step and keeps everything of it: z, h, a, δ and the gradients of all
layers, so that whatever is asked for can be measured.
"""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.clipping import Clip
from bpcore.engine.assess import evaluate
from bpcore.engine.batches import Batches
from bpcore.engine.kernels import activation, clip, loss, normalization, optimizer
from bpcore.engine.layout import layout_of
from bpcore.engine.rows import Look, Rates, Rows, empty_rows
from bpcore.engine.walk import TURNED, Data, Kernels, Memory, Span, State, walk
from bpcore.layers import Layers
from bpcore.measure.instruments import SATURATION
from bpcore.mlp import Network, Trace
from bpcore.normalization import BatchStatistics, Kept
from bpcore.optimizers import Optimizer


def kernels_of(network: Network, optimizer_: Optimizer, clip_: Clip, dtype: str) -> Kernels | None:
    """Return the kernels of a kind of net and of training, None where one of them does not exist."""
    phis = {l: activation.kernel_of(network.phi(l)) for l in range(1, network.L + 1)}
    norms = {l: normalization.kernels_of(network.norm(l)) for l in range(1, network.L + 1) if network.normalized(l)}
    top, advance, limit = loss.kernel_of(network.loss), optimizer.kernel_of(optimizer_), clip.kernel_of(clip_) if clip_.acts else None
    if None in phis.values() or None in norms.values() or top is None or advance is None or (clip_.acts and limit is None):
        return None
    constants, addresses, limits = np.zeros((network.L + 1, 2), dtype=dtype), np.zeros(network.L + 1, dtype=np.int64), np.zeros(network.L + 1)
    for l, found in phis.items():
        assert found is not None
        addresses[l], constants[l] = found[0].address(dtype), found[1]
        limits[l] = SATURATION * network.phi(l).max_prime
    norm = next(iter(norms.values()), None)
    return Kernels(
        addresses,
        constants,
        limits,
        top.address(dtype),
        int(network.loss.takes_logits),
        norm.forward.address(dtype) if norm else 0,
        norm.backward.address(dtype) if norm else 0,
        norm.evaluate.address(dtype) if norm else 0,
        norm.eps if norm else 0.0,
        norm.momentum if norm else 0.0,
        advance[0].address(dtype),
        int(optimizer_.proportional),
        np.array([*advance[1], 0.0]),
        limit.address(dtype) if limit else 0,
    )


class Engine:
    """Step a stack of runs.

    Args:
        network: the architecture.
        kernels: as `kernels_of` finds them.
        params: as `initialize` draws them.
        optimizer_: the update rule.
        rates: of each run.
        batches: the data.
        dtype: float64 or float32.
    """

    def __init__(
        self, network: Network, kernels: Kernels, params: Layers, optimizer_: Optimizer, rates: Rates, batches: Batches, dtype: str
    ) -> None:
        self.network, self.kernels, self.rates, self.batches, self.dtype = network, kernels, rates, batches, dtype
        self.layout = layout_of(network)
        rows = self.layout.pack(params)
        self.runs, size = rows.shape
        units = int(sum(network.sizes[1:])) if network.normalization.active else 0
        kept = [np.zeros((self.runs, size if number < optimizer_.slots else 0), dtype=dtype) for number in range(2)]
        statistics = [np.zeros((self.runs, units), dtype=dtype) for _ in range(2)]
        self.state = State(rows, *kept, *statistics)
        self.parameters = self.layout.views(rows)
        self._floor = float(np.finfo(dtype).tiny / np.finfo(dtype).eps)
        self._training = self._memory(keep=False)
        self._looking: Memory | None = None
        self._gathered = 0
        self._none = np.zeros((self.runs, 0, batches.size), dtype=np.int64)

    def _memory(self, keep: bool) -> Memory:
        network, layout, m, dtype = self.network, self.layout, self.batches.size, np.dtype(self.dtype)
        runs, units, widest = (self.runs if keep else 1), sum(network.sizes[1:]), max(network.sizes)
        normalized, biggest = network.normalization.active, int(np.diff(layout.own).max())

        def rows(columns: int) -> Array:
            return np.zeros((runs, columns), dtype=dtype)

        one = units * m if keep else widest * m
        return Memory(
            z=rows(one),
            h=rows(one if normalized else 0),
            z_hat=rows(units * m if normalized else 0),
            a=rows(units * m),
            slope=np.zeros((1, units * m), dtype=dtype),
            delta=rows((network.sizes[0] + units) * m if keep else 2 * widest * m),
            gradient=rows(int(layout.own[-1]) if keep or self.kernels.clip else biggest),
            mean=rows(units if normalized else 0),
            variance=rows(units if normalized else 0),
            std=rows(units if normalized else 0),
            x=np.empty((m, network.sizes[0]), dtype=dtype),
            y=np.empty((network.sizes[-1], m), dtype=dtype),
            labels=np.empty(m, dtype=np.int64),
            column=np.empty(2 * m, dtype=dtype),
            turned=np.empty((1, TURNED * m), dtype=dtype),
            spare=np.empty((1, int(layout.own[-1]) if keep and self.kernels.clip else 0), dtype=dtype),
            zeros=np.zeros((1, widest), dtype=dtype),
            sums=np.empty((1, network.sizes[0]), dtype=dtype),
            factors=np.ones(network.L + 1, dtype=dtype),
        )

    def _data(self, first: int, last: int) -> Data:
        batches = self.batches
        order = self._none if batches.whole else batches.order(first, last)
        return Data(batches.rows, batches.targets, batches.labels, order, first, int(self.network.one_logit))

    def train(self, first: int, last: int, alive: Array, rows: Rows, every: int, full: bool) -> Array:
        """Make the steps first ≤ step < last of the runs that are alive, and write their rows.

        A run that leaves the finite numbers stands, afterwards, before the update of the step at which it did.

        Args:
            first: step.
            last: step, ≤ that of the last row.
            alive: (R,) bool.
            rows: S of them; row step // every is written where `every` divides the step.
            every: rows stand at its multiples.
            full: whether everything is counted in every row.

        Returns:
            (R,) int: the step at which a run left the finite numbers, −1 where it did not.
        """
        span, data = Span(0, 1, every, int(full), self._floor), self._data(first, last)
        before = State(*(array.copy() for array in self.state))
        begin = np.full(self.runs, first)
        diverged = self._step(data, self._training, rows, span, begin, np.where(alive, last, first))
        lost = diverged >= 0
        if lost.any():
            for array, old in zip(self.state, before, strict=True):
                array[lost] = old[lost]
            self._step(data, self._training, rows, span, begin, np.where(lost, diverged, first))
        self._gathered += last - first
        return diverged

    def look(self, steps: Array, chosen: Array, gather: bool) -> Look:
        """Keep everything of one step of each chosen run.

        Args:
            steps: (R,) int, of each run.
            chosen: (R,) bool.
            gather: whether the batch counts in the running statistics.
        """
        if self._looking is None:
            self._looking = self._memory(keep=True)
        memory, L = self._looking, self.network.L
        rows = empty_rows(self.runs, 1, L, 2)
        first, last = int(steps[chosen].min()), int(steps[chosen].max()) + 1
        data = self._data(first, last)
        self._step(data, memory, rows, Span(1, int(gather), 1, 0, self._floor), steps, steps + chosen)
        self._gathered += gather
        return Look(rows, *self._kept(memory))

    def _step(self, data: Data, memory: Memory, rows: Rows, span: Span, first: Array, last: Array) -> Array:
        diverged = np.empty(self.runs, dtype=np.int64)
        walk(self.layout, self.kernels, self.rates, data, self.state, memory, rows, span, first, last, diverged)
        return diverged

    def _kept(self, memory: Memory) -> tuple[Trace, dict[int, Array], Layers]:
        layout, network, m = self.layout, self.network, self.batches.size
        z, a = layout.of_units(memory.z, m), layout.of_units(memory.a, m)
        inputs = network.sizes[0] * m
        delta = layout.of_units(memory.delta[:, inputs:], m)
        delta[0] = memory.delta[:, :inputs].reshape(self.runs, -1, m)
        h, statistics = dict(z), dict[int, Kept].fromkeys(z)
        if network.normalization.active:
            kept_h, z_hat = layout.of_units(memory.h, m), layout.of_units(memory.z_hat, m)
            std, mean, variance = (layout.of_units(array, 1) for array in (memory.std, memory.mean, memory.variance))
            for l in range(1, network.L):
                h[l], statistics[l] = kept_h[l], BatchStatistics(z_hat[l], std[l], mean[l], variance[l])
        gradients = layout.views(memory.gradient).map(lambda key, array: array / m)
        return Trace(z, h, a, statistics), delta, gradients

    def evaluate(self, x: Array, y: Array, asked: Array) -> tuple[FloatArray, FloatArray]:
        """Return J_i averaged over examples, and the fraction of them that are right, in evaluation mode; see `evaluate_stack`.

        Args:
            x: (n_0, m), of any float dtype.
            y: (n_L, m), targets.
            asked: (R,) bool, the runs that are evaluated.
        """
        weight = 1 - (1 - self.kernels.momentum) ** self._gathered if self.network.normalization.active else 1
        means, variances = (array / np.asarray(weight, dtype=self.dtype) for array in self.state[3:5])
        return evaluate(self.layout, self.kernels, self.state.parameters, means, variances, x, y, self.network.one_logit, asked)
