"""The search for a cure, stage by stage: what the runs so far came to goes in, the candidates that come next come out.

Nothing runs here. Without a budget every remedy is tried, then a learning rate by bracketing. With one, the ailing configuration is run
first, and what its causes point to is tried before the rest, as far as the budget goes.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from experiments.config.run import Run
from experiments.diagnosis import bracketing, remedies
from experiments.diagnosis.causes import remedies_of
from experiments.diagnosis.evidence import causes_of
from experiments.diagnosis.life import stable_rate
from experiments.diagnosis.remedies import Candidate, Level

LOST = ("diverged", "diverging", "failed")


class Search:
    """Choose what to try next.

    Args:
        patient: the ailing configuration.
        seeds: runs of a candidate.
        budget: runs at most; None for all that there are.
        sharpness: run -> its sharpness at the start, asked for where its tables do not tell.
    """

    def __init__(self, patient: Run, seeds: int, budget: int | None, sharpness: Callable[[Run], float]) -> None:
        self._patient, self._seeds, self._sharpness = patient, seeds, sharpness
        self._room = None if budget is None else budget // seeds - 1
        self._ordered: list[Candidate] | None = None
        self._rates: dict[float, Candidate] = {}
        self._bracket = next((level for level in remedies.levels() if level.bracket), None) if patient.steps else None
        self._rest: list[Candidate] = []
        self.tried = remedies.candidates(patient)
        if self._room is not None:
            self.tried = self.tried[:1]

    def likely(self) -> list[Candidate]:
        """Return what would be tried if nothing were known of the ailing configuration, but for the bracketing: for an estimate."""
        found = remedies.candidates(self._patient)
        return found if self._room is None else found[: self._room + 1]

    def grow(self, runs: pd.DataFrame) -> bool:
        """Add to `tried` what comes next.

        Args:
            runs: the runs table, every run of `tried` in it.

        Returns:
            Whether anything was added.
        """
        before = len(self.tried)
        if self._room is not None and self._ordered is None:
            self._choose(runs)
            if len(self.tried) > before:
                return True
        if self._bracket is not None and self._left() > 0 and (candidate := self._next_rate(self._bracket, runs)) is not None:
            self.tried.append(candidate)
            return True
        self.tried += self._rest[: max(0, int(min(self._left(), len(self._rest))))]
        self._rest = []
        return len(self.tried) > before

    def _left(self) -> float:
        return math.inf if self._room is None else self._room + 1 - len(self.tried)

    def _choose(self, runs: pd.DataFrame) -> None:
        """Choose the candidates that the budget has room for; the bracketing keeps the room that it may need in its turn."""
        causes = [cause["cause"] for run in self._rows(runs, self.tried[0]).to_dict("records") for cause in causes_of(run)]
        pointed = remedies_of(causes)
        self._ordered = remedies.candidates(self._patient, pointed)[1:]
        room = self._room or 0
        earlier = len(self._ordered)
        if self._bracket is not None:
            rank = remedies.ranks(pointed)
            own = rank(self._bracket)
            earlier = sum(len(candidate.levels) == 1 and rank(candidate.levels[0]) < own for candidate in self._ordered)
        kept = min(bracketing.MOST, max(0, room - earlier)) if self._bracket is not None else 0
        self._bracket = self._bracket if kept else None
        self.tried += self._ordered[: room - kept]
        self._rest = self._ordered[room - kept :]

    def _rows(self, runs: pd.DataFrame, candidate: Candidate) -> pd.DataFrame:
        own = [run.run_id for run in remedies.runs_of([candidate], self._seeds)]
        rows = runs.set_index("run_id", drop=False)
        return rows.loc[[run_id for run_id in own if run_id in rows.index]]

    def _next_rate(self, level: Level, runs: pd.DataFrame) -> Candidate | None:
        scores = {rate: self._score(self._rows(runs, candidate)) for rate, candidate in self._rates.items()}
        first = next(iter(self._rates), None)
        rate = bracketing.next_rate(scores, bracketing.start(self._limit(runs)) if first is None else first)
        if rate is None:
            return None
        known = {candidate.run.run_id for candidate in self.tried}
        candidate = remedies.apply(self._patient, (replace(level, change={level.bracket: rate}, bracket=""),))
        self._rates[rate] = candidate
        return self._next_rate(level, runs) if candidate.run.run_id in known else candidate

    def _limit(self, runs: pd.DataFrame) -> float:
        """Return the largest rate that is stable for every seed of the ailing configuration."""
        rows = self._rows(runs, self.tried[0])
        measured = rows["initial_sharpness"].to_numpy(dtype=np.float64, na_value=np.nan)
        row = rows.iloc[0].to_dict()
        if math.isnan(stable_rate(row, 1.0)):
            return math.nan
        if not (measured > 0).any():
            measured = np.array([self._sharpness(self._patient)])
        return stable_rate(row, float(np.nanmax(measured))) if (measured > 0).any() else math.nan

    @staticmethod
    def _score(rows: pd.DataFrame) -> bracketing.Score:
        skill = rows["skill"].to_numpy(dtype=np.float64, na_value=np.nan)
        median = float(np.nanmedian(skill)) if np.isfinite(skill).any() else -math.inf
        return bracketing.Score(int((rows["outcome"] == "learns").sum()), median, -int(rows["outcome"].isin(LOST).sum()))
