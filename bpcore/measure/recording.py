"""What a run is asked to record, and when."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Recording:
    """Choose what is recorded.

    Args:
        every: rows stand at steps 0, every, 2·every, … and at the last.
        full: whether the costly columns stand in every row, and not in the first and last alone.
        snapshot: the step at which everything is kept, or None.
        sharpness: whether the largest Hessian eigenvalue is computed at each row.
        probes: of extended, gradient_cosine and a_rank, what is computed at each row.
        modes: whether the modes of a linear network are computed at each row.
        test: whether the test examples are evaluated at each row.
    """

    every: int = 1
    full: bool = False
    snapshot: int | None = None
    sharpness: bool = False
    probes: frozenset[str] = frozenset()
    modes: bool = False
    test: bool = False

    def glances_at(self, step: Any) -> Any:
        """Return whether a row of that step is number 1, 2, 4, 8, … after the first; of an array of steps elementwise."""
        row = step // self.every
        return (step % self.every == 0) & (row > 0) & (row & (row - 1) == 0)
