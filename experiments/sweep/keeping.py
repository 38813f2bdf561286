"""What a worker does with a tile: compute it and write its part. It stands apart, so that workers import no more than that takes."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config.run import Run
from experiments.store.parts import Content, Part, part_path, write_part
from experiments.sweep.content import failed
from experiments.sweep.executors.contract import Failed, Lost, Task
from experiments.sweep.tile import run_tile


@dataclass(frozen=True)
class Keep:
    """Compute tiles and write their parts, in whichever process.

    Args:
        folder: of the parts; an absolute path, since a worker may stand elsewhere.
        invocation: which entry of the sweep's makers this is.
    """

    folder: Path
    invocation: int

    def __call__(self, compute: Callable[..., Content], *args: Any) -> None:
        """Call what computes a tile, and write its part."""
        write_part(self.folder, compute(*args), self.invocation)

    def task(self, tile: list[Run], *args: Any) -> Task:
        """Return the task of a tile."""
        return Task(self.path(tile).stem, self, (run_tile, tile, *args))

    def path(self, tile: list[Run]) -> Path:
        """Return where the tile's part is to be."""
        return part_path(self.folder, (run.run_id for run in tile))

    def give_up(self, run: Run, ending: Failed | Lost) -> Part:
        """Write and return the part of a run that came to nothing even alone."""
        if isinstance(ending, Lost):
            reason = f"lost twice: {ending.reason}"
        else:
            reason = f"{type(ending.error).__name__}: {ending.error}\n{''.join(traceback.format_exception(ending.error))}"
        return write_part(self.folder, failed(run, reason), self.invocation)
