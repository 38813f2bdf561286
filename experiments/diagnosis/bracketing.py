"""A learning rate found over decades: what each rate came to goes in, the rate to try next comes out.

The first is half of the largest stable one by the sharpness at the start; from the best so far the search goes on to its neighbors, ten
times up and down, until both are tried and no better. Loss has one valley over the logarithm of the rate, but for chance.

Source: Bengio 2012, §3.1.1, on decades; Cohen et al. 2021 on 2/λ.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MOST = 5
"""Rates that are tried at most: what lies further than two decades from half of 2/λ is another illness."""

DECADE = 10.0

ADAPTIVE = 1e-3
"""Where to start under a rule whose steps do not follow the gradient's size, so that no sharpness limits them: Adam's own default.

Source: Kingma & Ba 2015, algorithm 1.
"""


@dataclass(frozen=True, order=True)
class Score:
    """Hold what a rate came to, ordered by what is better.

    Args:
        n_learns: runs that learn.
        skill: their median skill; −∞ where there is none.
        n_lost: runs that diverged, are diverging or failed, negative: fewer are better.
    """

    n_learns: int
    skill: float
    n_lost: int


def start(limit: float) -> float:
    """Return the rate to begin with.

    Args:
        limit: the largest stable rate; NaN where none is known.

    Returns:
        Half of it, to two digits; ADAPTIVE where there is none.
    """
    return float(f"{limit / 2:.2g}") if 0 < limit < float("inf") else ADAPTIVE


def next_rate(scores: Mapping[float, Score], first: float) -> float | None:
    """Return the rate to try next.

    Args:
        scores: of the rates that were tried.
        first: to begin with.

    Returns:
        The rate, None where the best one's neighbors are both tried, or MOST are.
    """
    if first not in scores:
        return first
    if len(scores) >= MOST:
        return None
    best = max(scores, key=lambda rate: scores[rate])
    up, down = (float(f"{rate:.2g}") for rate in (best * DECADE, best / DECADE))
    for rate in (down, up) if scores[best].n_lost else (up, down):
        if rate not in scores:
            return rate
    return None
