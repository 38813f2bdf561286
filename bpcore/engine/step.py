"""The equations BP1–BP4 for a stack of runs, without a temporary: what `mlp` says, in arrays laid out once.

Every product and every pointwise step is made for all runs at once and looks from no run to another, so that a run gets
the same bits alone and in any stack. Gradients are kept as sums over the batch; the 1/m goes into the step size.
"""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.clipping import Clip
from bpcore.engine.activations import in_place
from bpcore.engine.batches import Batch
from bpcore.engine.evaluation import right
from bpcore.engine.losses import mean_and_delta
from bpcore.engine.normalization import Buffers, denormalize, normalize
from bpcore.engine.optimizers import advance
from bpcore.engine.workspace import Gradient, Parameters, Workspace, flat, unpack
from bpcore.layers import Layers
from bpcore.measure.quantities import (
    BETA_GRADIENT,
    BIAS_GRADIENT,
    DELTA,
    GAMMA_GRADIENT,
    UPDATE,
    WEIGHT,
    WEIGHT_GRADIENT,
    Norms,
    total,
)
from bpcore.mlp import Network, Trace, accuracy
from bpcore.normalization import Kept
from bpcore.optimizers import Optimizer


class Rates:
    """Hold what scales the update of each run, all (R, 1) in the dtype of the runs.

    Args:
        lr: η.
        bias_lr: η of b and β.
        weight_decay: λ.
        threshold: c of clipping.
    """

    def __init__(self, lr: Array, bias_lr: Array, weight_decay: Array, threshold: Array) -> None:
        self.lr, self.bias_lr, self.weight_decay, self.threshold = lr, bias_lr, weight_decay, threshold
        self._review()

    def _review(self) -> None:
        self.one_lr = bool(np.array_equal(self.lr, self.bias_lr))
        self.decaying = np.flatnonzero(self.weight_decay > 0)

    def stop(self, runs: Array) -> None:
        """Let runs rest: their parameters change no more."""
        for rate in (self.lr, self.bias_lr, self.weight_decay):
            rate[runs] = 0
        self.threshold[runs] = np.inf
        self._review()


class Engine:
    """Step a stack of runs.

    Args:
        network: the architecture.
        params: as `initialize` draws them.
        optimizer: the update rule.
        clip: the clipping rule.
        rates: of each run.
        m: examples in a batch.
        dtype: float64 or float32.
    """

    def __init__(self, network: Network, params: Layers, optimizer: Optimizer, clip: Clip, rates: Rates, m: int, dtype: str) -> None:
        self.network, self.optimizer, self.clip, self.rates, self.m = network, optimizer, clip, rates, m
        self.runs = params.W[1].shape[0]
        self.phi = {l: in_place(network.phi(l)) for l in range(1, network.L + 1)}
        self.parameters, self._next = Parameters(params), Parameters(params)
        self.work = Workspace(network, self.runs, m, dtype)
        self._buffers = {l: Buffers(self.work.h[l], z_hat, self.work.scratch[l], self.work.ones) for l, z_hat in self.work.z_hat.items()}
        self.norms = Norms(self.runs, network.L, dtype, network.normalization.active)
        self.statistics: dict[int, Kept] = {}
        self.delta: dict[int, Array] = {}
        self._gradient_sums: dict[int, Gradient] = {}
        self._gamma_sums: dict[int, Array] = {}
        self._beta_sums: dict[int, Array] = {}
        self._scale = np.full((self.runs, 1), 1 / m, dtype=dtype)  # 1/m of BP3 and BP4
        self._one = np.ones(self.runs, dtype=dtype)
        self._states = {key: optimizer.initial_state(flat(array)) for key, array in self.parameters.items()}
        self._norm_known = optimizer.proportional and (clip.scales or not clip.acts)

    # ------------------------------------------------------------------ forward

    def forward(self, batch: Batch) -> FloatArray:
        """Run forward on a batch and return J_i averaged over it, (R,); BP1 is made in the same go."""
        network, work, transposed = self.network, self.work, self.parameters.transposed
        below = batch.x
        for l in range(1, network.L + 1):
            np.matmul(transposed[l], below, out=work.z[l])  # z^l = W^l a^(l−1) + b^l
            if network.normalized(l):
                self.statistics[l] = normalize(network.norm(l), work.z[l], self.parameters.own(l), self._buffers[l])
            self.phi[l].value(work.h[l], work.a[l])  # a^l = φ(h^l)
            below = work.ones_below[l]
        data_term, self._top = mean_and_delta(network.loss, work.h[network.L], batch.y, network.output_activation)  # BP1
        return data_term.astype(np.float64)

    # ----------------------------------------------------------------- backward

    def backward(self, batch: Batch, keep: bool, measured: bool, update: int | None) -> None:
        """Propagate the error back, by BP2–BP4, and measure the norms on the way.

        Args:
            batch: of the forward pass.
            keep: whether δ and the gradients of all layers are wanted afterwards.
            measured: whether the norms of δ are wanted, those of δ^0 too.
            update: the number of the update, 1, 2, …, where it is made on the way; None leaves it to `update`, which
                needs `keep`.
        """
        network, work, parameters, norms = self.network, self.work, self.parameters, self.norms
        self.delta = {network.L: work.delta(network.L, keep)}
        np.copyto(self.delta[network.L], self._top)
        for l in range(network.L, 0, -1):
            delta = self.delta[l]
            below = batch.x if l == 1 else work.ones_below[l - 1]
            gradient = self._gradient_sums[l] = work.gradient(l, keep)
            np.matmul(below, delta.mT, out=gradient.packed)  # BP3 and BP4, times m
            if self.rates.decaying.size:
                self._decay(l, gradient.weights)
            quantities = {WEIGHT_GRADIENT: gradient.weights, BIAS_GRADIENT: gradient.bias, WEIGHT: parameters.weights[l]}
            if measured:
                quantities[DELTA] = work.flat_delta(l, keep)
            if network.normalized(l):
                quantities |= {GAMMA_GRADIENT: flat(self._gamma_sums[l]), BETA_GRADIENT: flat(self._beta_sums[l])}
            norms.measure(l, quantities)
            if l > 1 or measured:
                self.delta[l - 1] = work.delta(l - 1, keep)
                np.matmul(parameters.matrix[l], delta, out=self.delta[l - 1])
            if l > 1:
                slope = work.scratch[l - 1]
                self.phi[l - 1].prime(work.h[l - 1], work.a[l - 1], slope)
                np.multiply(self.delta[l - 1], slope, out=self.delta[l - 1])  # BP2
                if network.normalized(l - 1):
                    error, own, kept = self.delta[l - 1], parameters.own(l - 1), self.statistics[l - 1]
                    sums = denormalize(network.norm(l - 1), error, own, kept, self._buffers[l - 1])
                    self._gamma_sums[l - 1], self._beta_sums[l - 1] = sums["gamma"], sums["beta"]
            if update is not None:
                self._update_layer(l, self._scale, update)
        if measured:
            norms.measure(0, {DELTA: flat(self.delta[0]), BIAS_GRADIENT: flat(np.matmul(self.delta[0], work.ones))})

    def _decay(self, l: int, weights: Array) -> None:
        """Add m·λW, run by run: 0·W is not 0 where W is infinite, and where λ is 0 nothing must change."""
        runs = self.rates.decaying
        if runs.size == self.runs:
            weights += self.m * self.rates.weight_decay * self.parameters.weights[l]
        else:
            weights[runs] += self.m * self.rates.weight_decay[runs] * self.parameters.weights[l][runs]

    # ------------------------------------------------------------------- update

    @property
    def updates_on_the_way(self) -> bool:
        """Return whether a layer can be updated before the gradients of all are known."""
        return not self.clip.acts

    def update(self, number: int | None, norms: FloatArray) -> tuple[FloatArray, FloatArray, Array]:
        """Clip the kept gradients and make the update.

        Args:
            number: of the update, 1, 2, …; None clips without an update.
            norms: of the step, (7, R, L+1); norms of the update are written into it.

        Returns:
            Global norm before and after clipping and whether clipping changed anything, (R,) each.
        """
        factors, report = self._clip(norms)
        if number is None:
            return report
        self.norms.start()
        for l in range(self.network.L, 0, -1):
            if self._norm_known:
                norms[UPDATE, :, l] = self._known_update_norm(norms[WEIGHT_GRADIENT, :, l], factors[l])
            self._update_layer(l, self._scale * factors[l][:, None], number)
        if not self._norm_known:
            norms[UPDATE] = self.norms.finish(self.m)[UPDATE]
        return report

    def _known_update_norm(self, gradient_norm: FloatArray, factor: Array) -> FloatArray:
        """Return ‖ΔW‖ = η‖g‖, g after scaling by the clipping rule."""
        norm: FloatArray = self.rates.lr[:, 0] * (factor * gradient_norm)
        return norm

    def _clip(self, norms: FloatArray) -> tuple[dict[int, Array], tuple[FloatArray, FloatArray, Array]]:
        """Return the factor of each layer's gradient, (R,), and the report; a rule that does more rewrites the gradients."""
        layers, before = range(1, self.network.L + 1), self.gradient_norm(norms)
        if not self.clip.acts:
            return dict.fromkeys(layers, self._one), (before, before, np.zeros(self.runs, dtype=bool))
        if self.clip.scales:
            sizes = {l: total([self._of_gradients(norms[:, :, l])[None]]) for l in layers}
            factors = self.clip.factors(sizes, self.rates.threshold[:, 0])
            after = total([np.stack([factors[l] * sizes[l] for l in layers], axis=-1)[None]])
            acted = np.any([(factors[l] != 1) & (sizes[l] > 0) for l in layers], axis=0) & np.isfinite(before)
            return factors, (before, after, acted)
        clipped = self.clip.clip(self.gradients(), self.rates.threshold[:, :, None], before)
        for key, array in self._sums().items():
            np.multiply(clipped.gradients[key], self.m, out=array)
        return dict.fromkeys(layers, self._one), (clipped.before, clipped.after, clipped.acted)

    def _of_gradients(self, norms: FloatArray) -> FloatArray:
        """Return the norms of a layer's gradients, (R, 2 or 4)."""
        own = [WEIGHT_GRADIENT, BIAS_GRADIENT] + [GAMMA_GRADIENT, BETA_GRADIENT] * self.network.normalization.active
        return np.stack([norms[quantity] for quantity in own], axis=-1)

    def gradient_norm(self, norms: FloatArray) -> FloatArray:
        """Return the norm of all gradients together, (R,), from the norms of a step."""
        kinds = [slice(WEIGHT_GRADIENT, BIAS_GRADIENT + 1)] + [slice(GAMMA_GRADIENT, None)] * self.network.normalization.active
        return total([norms[kind, :, 1:] for kind in kinds])

    def finish_norms(self) -> FloatArray:
        """Return the norms of the step, (7, R, L+1); those of the update where it was made on the way."""
        norms = self.norms.finish(self.m)
        if self.updates_on_the_way and self._norm_known:
            np.multiply(norms[WEIGHT_GRADIENT], self.rates.lr, out=norms[UPDATE])
        return norms

    def _update_layer(self, l: int, scale: Array, number: int) -> None:
        """Write P^l + ΔP^l, and γ and β likewise, beside the parameters that the step began with."""
        rates, states, P, new = self.rates, self._states["P", l], self.parameters.flat[l], self._next.flat[l]
        gradient = self._gradient_sums[l].flat
        if rates.one_lr:
            increment = self._advance(gradient, scale, states, rates.lr, number)
            np.add(P, increment, out=new)
        else:
            border = self.network.sizes[l - 1] * self.network.sizes[l]
            for part, lr in ((slice(border, None), rates.bias_lr), (slice(border), rates.lr)):
                state = [array[:, part] for array in states]
                increment = self._advance(gradient[:, part], scale, state, lr, number)
                np.add(P[:, part], increment, out=new[:, part])
        if not self._norm_known:
            self.norms.measure(l, {UPDATE: increment[:, : self.network.sizes[l - 1] * self.network.sizes[l]]})
        if self.network.normalized(l):
            for kind, sums, lr in (("gamma", self._gamma_sums, rates.lr), ("beta", self._beta_sums, rates.bias_lr)):
                old, fresh = getattr(self.parameters, kind)[l], getattr(self._next, kind)[l]
                increment = self._advance(flat(sums[l]), scale, self._states[kind, l], lr, number)
                np.add(flat(old), increment, out=flat(fresh))

    def _advance(self, gradient: Array, scale: Array, state: list[Array], lr: Array, number: int) -> Array:
        return advance(self.optimizer, gradient, scale, state, lr, number)

    def commit(self) -> None:
        """Take the updated parameters as the parameters of the next step."""
        self.parameters, self._next = self._next, self.parameters

    def rest(self, runs: Array, example: int) -> None:
        """Let diverged runs rest on the parameters of a healthy one, so that what is not finite slows nobody down."""
        self.rates.stop(runs)
        for _, array in self.parameters.items():
            array[runs] = array[example]
        for state in self._states.values():
            for array in state:
                array[runs] = array[example]

    # ------------------------------------------------------------ what was kept

    def trace(self, batch: Batch) -> Trace:
        """Return the forward pass as views: z, h, a and statistics."""
        work = self.work
        kept = {l: self.statistics.get(l) for l in work.z}
        return Trace(work.z, work.h, {0: batch.x[:, :-1], **work.a}, kept)

    def accuracy(self, batch: Batch, regular: bool) -> FloatArray:
        """Return what `mlp.accuracy` does, for a whole stack at a fraction of its cost.

        Args:
            batch: of the forward pass.
            regular: whether every output is finite: one that is not has a loss that is not.
        """
        output = self.work.a[self.network.L]
        _, n, m = output.shape
        if n < 2 or not regular:
            return accuracy(output, batch.y, self.network.one_logit)
        hits: FloatArray = np.add.reduce(right(output, batch.labels), axis=-1) / m
        return hits

    def _sums(self) -> Layers:
        return unpack({l: gradient.packed for l, gradient in self._gradient_sums.items()}, self._gamma_sums, self._beta_sums)

    def gradients(self) -> Layers:
        """Return the gradients of J that were kept, λ term included, before clipping."""
        return self._sums().map(lambda key, array: array / self.m)
