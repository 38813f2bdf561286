"""A stack of runs that is stepped by compiled code: its memory, and the two ways to go on.

`train` makes updates, many at once. `look` stands still at a step and keeps everything of it: z, h, a, δ and the gradients of all
layers, so that whatever is asked for can be measured.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.dropout import Masks
from bpcore.engine.assess import evaluate
from bpcore.engine.batches import Batches
from bpcore.engine.kinds import TURNED, Parts
from bpcore.engine.layout import Layout, layout_of
from bpcore.engine.machine import Kernel, call
from bpcore.engine.plan import plan, revise
from bpcore.engine.rows import Look, Rates, Rows, empty_rows
from bpcore.example_normalization import ExampleStatistics
from bpcore.layers import Layers
from bpcore.measure.quantities import QUANTITIES, UPDATE
from bpcore.network import Network, Trace
from bpcore.normalization import BatchStatistics, Kept

OF_RUNS = ("z", "h", "z_hat", "a", "delta", "gradient", "mean", "variance", "std")
"""Arrays of a pass that have a row a run where everything is kept."""

_WALK, _KRYLOV = Kernel("walk", "walk"), Kernel("krylov", "krylov")


def layout_parts(network: Network, layout: Layout) -> Parts:
    """Return the sizes and places of a network as parts of a plan."""
    sources, targets = np.zeros((2, network.L + 1), dtype=np.int64)
    for l, below in network.sources.items():
        sources[l], targets[below] = below, l
    numbers = {"L": network.L, "n_in": network.sizes[0], "n_out": network.sizes[-1], "one_logit": int(network.one_logit)}
    skip = network.skip
    numbers |= {"skips": int(bool(network.sources)), "onto_a": int(skip.onto_a), "post": int(skip.post), "kinds": 4 + int(skip.learned)}
    return {**layout._asdict(), **numbers, "skip_sources": sources, "skip_targets": targets, "alpha": skip.alpha(network.sizes)}


class Engine:
    """Step a stack of runs.

    Args:
        network: the architecture.
        kernels: as `kernels_of` finds them.
        params: as `initialize` draws them.
        slots: arrays that the optimizer keeps, at most two.
        rates: of each run.
        batches: the data.
        dtype: float64 or float32.
    """

    def __init__(self, network: Network, kernels: Parts, params: Layers, slots: int, rates: Rates, batches: Batches, dtype: str) -> None:
        self.network, self.batches, self.dtype = network, batches, np.dtype(dtype)
        self.layout = layout_of(network)
        rows = self.layout.pack(params)
        self.runs, size = rows.shape
        self.parameters = self.layout.views(rows)
        units = sum(network.sizes[1:]) if network.normalization.needs_batch else 0
        self.state = {
            "parameters": rows,
            "first": np.zeros((self.runs, size if slots > 0 else 0), dtype=dtype),
            "second": np.zeros((self.runs, size if slots > 1 else 0), dtype=dtype),
            "means": np.zeros((self.runs, units), dtype=dtype),
            "variances": np.zeros((self.runs, units), dtype=dtype),
            "past": np.zeros((self.runs, 0)),
        }
        data = {"examples": batches.rows, "targets": batches.targets, "labels": batches.labels, "batches": int(not batches.whole)}
        info = np.finfo(dtype)
        self._masks = Masks(network.dropout, network.sizes, batches.seeds, batches.size, str(self.dtype))
        data |= {
            "drops": int(network.dropout.active),
            "mask_keys": self._masks.keys,
            "mask_words": self._masks.words,
            "mask_threshold": network.dropout.threshold,
            "mask_value": 1 / network.dropout.keep,
        }
        self._rates, limits = rates, {"weight_decay": rates.weight_decay, "threshold": rates.threshold}
        limits["by_layer"] = rates.of_layers(network.L)
        self._fixed = kernels | layout_parts(network, self.layout) | self.state | limits | data
        self._fixed.pop("past")  # grows with the steps, and is told anew with them
        parts = self.layout.parts()
        self._fixed |= {
            "parts": parts,
            "part_count": len(parts),
            "m": batches.size,
            "runs": self.runs,
            "floor": float(info.tiny / info.eps),
        }
        self._memory: dict[bool, Parts] = {}
        self._plans: dict[bool, Any] = {}
        self._told: Parts = {}
        self._gathered = np.zeros(self.runs)
        self._forgettable: dict[str, Array] = {}

    def _room(self, keep: bool, runs: int) -> Parts:
        """Return the arrays of a pass: with `keep`, rows for some runs in which everything stays, and else one in which little does."""
        network, m = self.network, self.batches.size
        units, widest = sum(network.sizes[1:]), max(network.sizes)
        normalized, whole = network.normalization.active, int(self.layout.own[-1])
        acts = bool(self._fixed["clip"])

        def rows(columns: int, count: int = runs) -> Array:
            return np.zeros((count, columns), dtype=self.dtype)

        all_stay = keep or bool(network.sources)
        layer = units * m if all_stay else widest * m
        norms = np.zeros((QUANTITIES, network.L + 1))
        norms[UPDATE] = norms[:, 0] = np.nan  # layer 0 has no parameters, and the last step makes no update
        return {
            "z": rows(layer),
            "h": rows(layer if normalized and not network.normalization.after else 0),
            "z_hat": rows(units * m if normalized else 0),
            "a": rows(units * m),
            "slope": rows(units * m, 1),
            "delta": rows((network.sizes[0] + units) * m if all_stay else 2 * widest * m),
            "gradient": rows(whole if keep or acts else int(np.diff(self.layout.own[1:]).max())),
            "mean": rows(units if normalized else 0),
            "variance": rows(units if normalized else 0),
            "std": rows((self._fixed["groups"] * (network.L - 1) * m or units) if normalized else 0),
            "x": rows(network.sizes[0], m),
            "y": rows(m, network.sizes[-1]),
            "batch_labels": np.empty(m, dtype=np.int64),
            "column": rows(2 * m, 1),
            "turned": rows(TURNED * m, 1),
            "spare": rows(whole if keep and acts else 0, 1),
            "zeros": rows(widest, 1),
            "branch": rows(units * m if network.skip.onto_a else 0, 1),
            "carry": rows(widest * m if network.skip.onto_a else 0, 1),
            "sums": rows(network.sizes[0], 1),
            "factors": rows(network.L + 1, 1),
            "own_norms": norms,
            "limited_norms": norms.copy(),
            "counts": np.full((8, network.L + 1), np.nan),
            "scratch": np.zeros((1, 5 * max(network.L, 1))),
            "totals": np.zeros((1, network.L + 1)),
        }

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
        if self._fixed["remembers"] and last > self.state["past"].shape[1]:
            self.state["past"] = np.pad(self.state["past"], ((0, 0), (0, last)))
        before = {name: array.copy() for name, array in self.state.items()}
        begin = np.full(self.runs, first)
        diverged = self._walk(rows, begin, np.where(alive, last, first), every=every, full=int(full), gather=1)
        lost = diverged >= 0
        if lost.any():
            for name, array in self.state.items():
                array[lost] = before[name][lost]
            self._walk(rows, begin, np.where(lost, diverged, first), every=every, full=int(full), gather=1)
        self._gathered += np.where(alive, np.where(lost, diverged, last) - first, 0)
        return diverged

    def look(self, steps: Array, chosen: Array, gather: bool) -> Look:
        """Keep everything of one step of each chosen run.

        Args:
            steps: (R,) int, of each run.
            chosen: (R,) bool.
            gather: whether the batch counts in the running statistics.
        """
        rows = empty_rows(self.runs, 1, self.network.L, 2)
        begin = np.where(chosen, steps, steps[chosen].min())
        self._forgettable = {name: self.state[name].copy() for name in ("means", "variances")} | {"gathered": self._gathered.copy()}
        self._walk(rows, begin, begin + chosen, keep=True, gather=int(gather))
        self._gathered += gather * chosen
        return Look(rows, *self._kept(self._memory[True], self._masks(begin)))

    def krylov(self, scales: Array, noise: Array, products: int) -> tuple[FloatArray, FloatArray, Array]:
        """Return what Lanczos iteration with the Hessian of J leaves, on the batch of step 0; the parameters do not survive it.

        Args:
            scales: h of each run, (R,) float64.
            noise: (P,) float64; is added to the unit gradient that a run begins with.
            products: at most so many.

        Returns:
            α and β, (R, products) each, h times what they are of H; and of each run how many there are, (R,) int.
        """
        alphas, betas = np.zeros((2, self.runs, products))
        counts, diverged, first = (np.zeros(self.runs, dtype=np.int64) for _ in range(3))
        room, changing = self._room(True, 1), self._changing(empty_rows(self.runs, 1, self.network.L, 2), 0, 1, True, 1, 0, 0)
        given = plan(**self._fixed, **room, **changing)
        for name in OF_RUNS:
            given[f"{name}_columns"] = 0  # one row for all runs, one after another
        told = np.array([_WALK.address(str(self.dtype), given.dtype), products])
        vectors = np.empty((4, noise.size))
        call(_KRYLOV, self.dtype, given, told, scales, noise, vectors, first, first.copy(), diverged, alphas, betas, counts)
        return alphas / self.batches.size, betas / self.batches.size, counts

    def forget(self) -> None:
        """Let the batch of the last look not count in the running statistics, which the training from there on gathers again."""
        for name in ("means", "variances"):
            self.state[name][:] = self._forgettable[name]
        self._gathered = self._forgettable["gathered"]

    def _walk(self, rows: Rows, first: Array, last: Array, *, keep: bool = False, every: int = 1, full: int = 0, gather: int = 0) -> Array:
        changing = self._changing(rows, int(first.min()), int(last.max()), keep, every, full, gather)
        if keep not in self._plans:
            self._memory[keep] = self._room(keep, self.runs if keep else 1)
            self._plans[keep] = plan(**self._fixed, **self._memory[keep], **changing)
        else:
            revise(self._plans[keep], changing)
        self._told = changing  # whose arrays a plan has the addresses of
        diverged = np.empty(self.runs, dtype=np.int64)
        call(_WALK, self.dtype, self._plans[keep], np.ascontiguousarray(first), np.ascontiguousarray(last), diverged)
        return diverged

    def _changing(self, rows: Rows, start: int, stop: int, keep: bool, every: int, full: int, gather: int) -> Parts:
        """Return the parts of a plan that change from walk to walk, from a step to another."""
        order = np.empty((self.runs, 0), dtype=np.int64) if self.batches.whole else self.batches.order(start, stop)
        lr, bias_lr = self._rates.at(np.arange(start, max(stop, start + 1))[None])
        changing = {"order": order, "start": start, "keep": int(keep), "every": every, "full": full, "gather": gather}
        changing |= {"lr": lr, "bias_lr": bias_lr, "past": self.state["past"]}
        changing |= {"loss_rows": rows.loss, "lines": rows.loss.shape[1], "counted": len(rows.census)}
        return changing | {name: array for name, array in rows._asdict().items() if name != "loss"}

    def _kept(self, memory: Parts, masks: Mapping[int, Array]) -> tuple[Trace, dict[int, Array], Layers]:
        layout, network, m = self.layout, self.network, self.batches.size
        z, a = layout.of_units(memory["z"], m), layout.of_units(memory["a"], m)
        inputs = network.sizes[0] * m
        delta = layout.of_units(memory["delta"][:, inputs:], m)
        delta[0] = memory["delta"][:, :inputs].reshape(self.runs, -1, m)
        h, statistics = dict(z), dict[int, Kept].fromkeys(z)
        if network.normalization.active:
            kept_h, z_hat = h if network.normalization.after else layout.of_units(memory["h"], m), layout.of_units(memory["z_hat"], m)
            groups, mean, variance = self._fixed["groups"], *(layout.of_units(memory[name], 1) for name in ("mean", "variance"))
            std = memory["std"].reshape(self.runs, -1, groups, 1, m).swapaxes(0, 1) if groups else layout.of_units(memory["std"], 1)
            for l in filter(network.normalized, range(1, network.L)):
                h[l] = kept_h[l]
                statistics[l] = (
                    ExampleStatistics(z_hat[l], std[l - 1]) if groups else BatchStatistics(z_hat[l], std[l], mean[l], variance[l])
                )
        gradients = layout.views(memory["gradient"]).map(lambda key, array: array / m)
        return Trace(z, h, a, statistics, masks), delta, gradients

    def evaluate(self, x: Array, y: Array, asked: Array) -> tuple[FloatArray, FloatArray]:
        """Return J_i averaged over examples, and the fraction of them that are right, in evaluation mode; see `evaluate_stack`.

        Args:
            x: (n_0, m), of any float dtype.
            y: (n_L, m), targets.
            asked: (R,) bool, the runs that are evaluated.
        """
        weight = 1 - (1 - self._fixed["momentum"]) ** self._gathered[:, None]
        running = {name: self.state[name] / weight.astype(self.dtype) for name in ("means", "variances")}
        return evaluate(self.network, self._fixed | running, self.dtype, x, y, asked)
