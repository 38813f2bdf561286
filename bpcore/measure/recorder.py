"""The rows of a stack of runs, gathered step by step."""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers
from bpcore.measure.columns import LAYERS, STEPS, Column, ColumnError, agree
from bpcore.measure.histograms import label_histograms
from bpcore.measure.per_layer import norm_columns
from bpcore.measure.quantities import QUANTITIES
from bpcore.measure.recording import Recording
from bpcore.measure.records import Final, StackRecord
from bpcore.network import Network


class Recorder:
    """Gather the rows of a stack in arrays laid out beforehand, and make sure that every declared column is there.

    Rows stand at the scheduled steps; a run that diverges between them adds a row of its own.

    Args:
        network: the architecture.
        runs: R.
        m: examples in a batch.
        scheduled: the steps at which rows stand, ascending; the last is the run's last.
        recording: what is recorded.
    """

    def __init__(self, network: Network, runs: int, m: int, scheduled: Array, recording: Recording) -> None:
        self._network, self._runs, self._m, self._recording = network, runs, m, recording
        self._steps = np.asarray(scheduled, dtype=np.int64)
        self._position = {int(step): index for index, step in enumerate(self._steps)}
        self._shape = (runs, self._steps.size)
        self._present = np.zeros(self._shape, dtype=bool)
        self.norms = np.full((QUANTITIES, *self._shape, network.L + 1), np.nan)
        """Norms of every row, (8, R, S, L+1); who steps the runs may write them here."""
        self.step_columns: dict[str, Array] = {
            column.name: np.zeros(self._shape, dtype=bool) if column.kind == "truth" else np.full(self._shape, np.nan) for column in STEPS
        }
        """Columns of STEPS, (R, S) each; who steps the runs may write them here."""
        self._columns: dict[str, FloatArray] = {}
        self._given: dict[str, Array] = {}
        self._given_of_steps: set[str] = set()
        self._asked_of_steps = frozenset(column.name for column in STEPS if column.asked(recording))
        self._extra: dict[int, Recorder] = {}
        self._histograms: list[dict[str, Array]] = []

    def block(self, names: tuple[str, ...]) -> FloatArray:
        """Return one array for columns of LAYERS, (columns, R, S, L+1), in which who steps the runs may write them."""
        block = np.full((len(names), *self._shape, self._network.L + 1), np.nan)
        for name, array in zip(names, block, strict=True):
            self._columns[name], self._given[name] = array, np.zeros(self._shape, dtype=bool)
        return block

    def stand(self, present: Array, step_columns: tuple[str, ...], columns: dict[str, Array]) -> None:
        """Say which rows were written.

        Args:
            present: (R, S) bool: rows whose norms and columns of STEPS now stand.
            step_columns: names of these columns.
            columns: column of a block -> (R, S) bool: rows in which it stands.
        """
        self._present |= present
        self._given_of_steps.update(step_columns)
        for name, given in columns.items():
            self._given[name] |= given

    def add(self, step: int, mask: Array, norms: FloatArray, step_row: dict[str, Array]) -> None:
        """Add one step's rows.

        Args:
            step: the rows' step.
            mask: (R,) bool, which runs have a row.
            norms: (8, R, L+1); read where the mask is true.
            step_row: column of STEPS -> (R,): likewise.
        """
        index = self._position.get(step)
        if index is None:
            self._extra_at(step).add(step, mask, norms, step_row)
            return
        self._present[mask, index] = True
        self.norms[:, mask, index] = norms[:, mask]
        self.add_step_columns(step, mask, step_row)

    def add_step_columns(self, step: int, mask: Array, columns: dict[str, Array]) -> None:
        """Add columns of STEPS -> (R,) of one step, for the runs in the mask.

        Raises:
            ColumnError: a column is not declared.
        """
        index = self._position.get(step)
        if index is None:
            self._extra_at(step).add_step_columns(step, mask, columns)
            return
        agree("steps", self._asked_of_steps & columns.keys(), columns, "the step loop")
        self._given_of_steps.update(columns)
        for name, values in columns.items():
            self.step_columns[name][mask, index] = values[mask]

    def add_columns(self, step: int, mask: Array, columns: dict[str, FloatArray]) -> None:
        """Add columns of LAYERS that are not made of norms -> (R, L+1) of one step, for the runs in the mask."""
        index = self._position.get(step)
        if index is None:
            self._extra_at(step).add_columns(step, mask, columns)
            return
        for name, values in columns.items():
            self._lay_out(name)
            self._columns[name][mask, index] = values[mask]
            self._given[name][mask, index] = True

    def _lay_out(self, name: str) -> None:
        if name in self._columns:
            return
        self._columns[name] = np.full((*self._shape, self._network.L + 1), np.nan)
        self._given[name] = np.zeros(self._shape, dtype=bool)

    def _extra_at(self, step: int) -> "Recorder":
        return self._extra.setdefault(step, Recorder(self._network, self._runs, self._m, np.array([step]), self._recording))

    def add_histograms(self, counts: dict[str, Array]) -> None:
        """Add the histograms of one step."""
        self._histograms.append(counts)

    def record(
        self,
        snapshots: list[dict[str, Array] | None],
        diverged_at_step: list[int | None],
        nonfinite: list[tuple[str, int] | None],
        final: Final,
        start: Layers,
    ) -> StackRecord:
        """Return what was gathered, with what is known at the end.

        Raises:
            ColumnError: a column that is declared was not measured, or one that was measured is not declared.
        """
        sources = [self, *self._extra.values()]
        steps = np.concatenate([source._steps for source in sources])
        used = np.flatnonzero(np.concatenate([source._present for source in sources], axis=1).any(axis=0))
        order = used[np.argsort(steps[used], kind="stable")]

        def whole(parts: list[Array], axis: int = 1) -> Array:
            one = len(parts) == 1 and order.size == steps.size
            return parts[0] if one else np.take(np.concatenate(parts, axis=axis), order, axis=axis)

        present = whole([source._present for source in sources])
        for source in sources:
            for name in dict.fromkeys(name for other in sources for name in other._columns):
                source._lay_out(name)
        columns = norm_columns(self._network, whole([source.norms for source in sources], 2), self._m)
        columns |= {name: whole([source._columns[name] for source in sources]) for name in self._columns}
        asked = {column.name: column for column in LAYERS if column.asked(self._recording)}
        agree("layers", asked, columns, "the recorder")
        agree("steps", self._asked_of_steps, set().union(*(source._given_of_steps for source in sources)), "the step loop")
        for column in asked.values():
            if column.name in self._given:
                given = whole([source._given[column.name] for source in sources])
                self._check_rows(column, given, present, steps[order], diverged_at_step)
        columns |= {column.name: np.full(columns["delta_norm"].shape, np.nan) for column in LAYERS if column.name not in asked}
        return StackRecord(
            steps[order],
            present,
            {column.name: columns[column.name] for column in LAYERS},
            {column.name: whole([source.step_columns[column.name] for source in sources]) for column in STEPS},
            label_histograms(self._histograms),
            snapshots,
            diverged_at_step,
            nonfinite,
            final,
            start,
        )

    def _check_rows(self, column: Column, given: Array, present: Array, steps: Array, diverged_at_step: list[int | None]) -> None:
        """Make sure that a column was measured in the rows where it is declared to stand, and nowhere else."""
        wanted = present
        if column.recorded in ("full", "glanced") and not self._recording.full:
            diverged = np.array([-1 if step is None else step for step in diverged_at_step])[:, None]
            ends = (steps == 0) | (steps == self._steps[-1]) | (steps == diverged)
            wanted = present & (ends | (self._recording.glances_at(steps) if column.recorded == "glanced" else False))
        for rows, fault in ((wanted & ~given, "not measured at step {}, where it is declared to stand"),
                            (given & ~wanted, "measured at step {}, where it is declared to be empty")):  # fmt: skip
            if rows.any():
                raise ColumnError(f"column `{column.name}` of layers was {fault.format(steps[rows.any(axis=0)][0])}")
