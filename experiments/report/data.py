"""What a data set decided on the way, told once: rows, classes by name, words made one-hot, columns that are constant."""

import sys
from collections.abc import Iterable

from experiments.config.run import Run


def tell_data(runs: Iterable[Run]) -> None:
    """Print the notes of all data sets to stderr, each once.

    Args:
        runs: of a sweep.
    """
    for note in dict.fromkeys(note for run in runs for note in run.facts.notes):
        print(f"gradstab: data: {note}", file=sys.stderr)
