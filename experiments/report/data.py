"""What a data set decided on the way, told once: rows, classes by name, words made one-hot, columns that are constant."""

import sys
from collections.abc import Iterable

from experiments.config.keys import Config, build_cached


def tell_data(configs: Iterable[Config]) -> None:
    """Print the notes of all data sets to stderr, each once.

    Args:
        configs: validated.
    """
    nodes = {str(config["data"]): config["data"] for config in configs}
    for note in dict.fromkeys(note for node in nodes.values() for note in build_cached(node).notes):
        print(f"gradstab: data: {note}", file=sys.stderr)
