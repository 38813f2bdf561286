"""What was decided on the way, told once: of data rows, classes by name, words made one-hot; of residual nets where there is no skip."""

import sys
from collections.abc import Iterable

from experiments.config.run import Run
from experiments.config.shape import listed
from experiments.text.numbers import count


def tell_data(runs: Iterable[Run]) -> None:
    """Print the notes of all data sets and of residual nets of different layers to stderr, each once.

    Args:
        runs: of a sweep.
    """
    told = ((kind, note) for run in runs for kind, notes in (("data", run.facts.notes), ("skip", _skips(run))) for note in notes)
    for kind, note in dict.fromkeys(told):
        print(f"gradstab: {kind}: {note}", file=sys.stderr)


def _skips(run: Run) -> list[str]:
    """Return what becomes of lists of widths and activations in a residual net."""
    if run.choice("skip") == "none":
        return []
    notes, span = [], run.span
    if not isinstance(run.width, int):
        without = [l for l in range(1 + span, run.L, span) if l not in run.network.sources]
        notes += (
            [f"no skip into {count(len(without), 'layer')} of width={run.width}: {_listing(without)}, whose sizes differ"]
            if without
            else []
        )
    if listed(run.choice("activation")) and span > 1:
        sums = [l for l in run.hidden if run.skip.is_linear(l)]
        notes.append(f"layers {_listing(sums)} hold sums, and have no activation")
    return notes


def _listing(layers: list[int]) -> str:
    return ", ".join(map(str, layers))
