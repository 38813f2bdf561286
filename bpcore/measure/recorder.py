"""The rows of a stack of runs, gathered step by step."""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.measure.histograms import label_histograms
from bpcore.measure.per_layer import COSTLY_COLUMNS, LAYER_COLUMNS, STEP_COLUMNS, norm_columns
from bpcore.measure.probes import PROBE_COLUMNS, unprobed
from bpcore.measure.records import StackRecord
from bpcore.mlp import Network


class Recorder:
    """Gather the rows of a stack in arrays laid out beforehand.

    Rows stand at the scheduled steps; a run that diverges between them adds a row of its own.

    Args:
        network: the architecture.
        runs: R.
        m: examples in a batch.
        scheduled: the steps at which rows stand, ascending.
        probed: whether rows come with PROBE_COLUMNS.
    """

    def __init__(self, network: Network, runs: int, m: int, scheduled: Array, probed: bool = False) -> None:
        self._network, self._runs, self._m, self._probed = network, runs, m, probed
        self._steps = np.asarray(scheduled, dtype=np.int64)
        self._position = {int(step): index for index, step in enumerate(self._steps)}
        shape = (runs, self._steps.size)
        self._present = np.zeros(shape, dtype=bool)
        self._norms = np.full((7, *shape, network.L + 1), np.nan)
        names = COSTLY_COLUMNS + (PROBE_COLUMNS if probed else ())
        self._columns = {name: np.full((*shape, network.L + 1), np.nan) for name in names}
        self._step_columns: dict[str, Array] = {
            name: np.zeros(shape, dtype=bool) if name == "clipped" else np.full(shape, np.nan) for name in STEP_COLUMNS
        }
        self._extra: dict[int, Recorder] = {}
        self._histograms: list[dict[str, Array]] = []

    def add(self, step: int, mask: Array, norms: FloatArray, step_row: dict[str, Array]) -> None:
        """Add one step's rows.

        Args:
            step: the rows' step.
            mask: (R,) bool, which runs have a row.
            norms: (7, R, L+1), of all runs.
            step_row: STEP_COLUMNS -> (R,), of all runs; one that is left out stays NaN.
        """
        index = self._position.get(step)
        if index is None:
            self._extra_at(step).add(step, mask, norms, step_row)
            return
        self._present[:, index] = mask
        self._norms[:, :, index] = norms
        for name, values in step_row.items():
            self._step_columns[name][:, index] = values

    def add_columns(self, step: int, mask: Array, columns: dict[str, FloatArray]) -> None:
        """Add COSTLY_COLUMNS or PROBE_COLUMNS -> (R, L+1) of one step, for the runs in the mask."""
        index = self._position.get(step)
        if index is None:
            self._extra_at(step).add_columns(step, mask, columns)
            return
        for name, values in columns.items():
            self._columns[name][mask, index] = values[mask]

    def _extra_at(self, step: int) -> "Recorder":
        return self._extra.setdefault(step, Recorder(self._network, self._runs, self._m, np.array([step]), self._probed))

    def add_histograms(self, counts: dict[str, Array]) -> None:
        """Add the histograms of one step."""
        self._histograms.append(counts)

    def record(
        self,
        snapshots: list[dict[str, Array] | None],
        diverged_at_step: list[int | None],
        final_loss: FloatArray,
        final_accuracy: FloatArray,
        test_accuracy: FloatArray,
    ) -> StackRecord:
        """Return what was gathered, with what is known at the end."""
        sources = [self, *self._extra.values()]
        steps = np.concatenate([source._steps for source in sources])
        used = np.flatnonzero(np.concatenate([source._present for source in sources], axis=1).any(axis=0))
        order = used[np.argsort(steps[used], kind="stable")]

        def whole(parts: list[Array], axis: int = 1) -> Array:
            one = len(parts) == 1 and order.size == steps.size
            return parts[0] if one else np.take(np.concatenate(parts, axis=axis), order, axis=axis)

        columns = norm_columns(self._network, whole([source._norms for source in sources], 2), self._m)
        columns |= {} if self._probed else unprobed(columns["delta_norm"])
        columns |= {name: whole([source._columns[name] for source in sources]) for name in self._columns}
        return StackRecord(
            steps[order],
            whole([source._present for source in sources]),
            {name: columns[name] for name in LAYER_COLUMNS},
            {name: whole([source._step_columns[name] for source in sources]) for name in STEP_COLUMNS},
            label_histograms(self._histograms),
            snapshots,
            diverged_at_step,
            final_loss,
            final_accuracy,
            test_accuracy,
        )
