"""The search for a learning rate on valleys that are known."""

import math

import pytest

from experiments.diagnosis.bracketing import ADAPTIVE, MOST, Score, next_rate, start


def walk(first, score):
    """Return the rates that are tried, in their order."""
    scores = {}
    while (rate := next_rate(scores, first)) is not None:
        assert rate not in scores
        scores[rate] = score(rate)
    return scores


@pytest.mark.parametrize("best", [1e-4, 1e-3, 1e-2, 1e-1, 1.0])
def test_the_best_decade_is_found_and_bracketed(best):
    """Learning is best at one rate, and lost ten times above it."""
    scores = walk(1e-2, lambda rate: Score(3 if rate <= 3 * best else 0, -abs(math.log10(rate / best)), 0 if rate <= 3 * best else -3))
    found = max(scores, key=lambda rate: scores[rate])
    assert found == pytest.approx(best)
    assert len(scores) <= MOST
    if len(scores) < MOST:
        assert {float(f"{found * 10:.2g}"), float(f"{found / 10:.2g}")} <= set(scores)


def test_where_the_first_is_lost_it_goes_down():
    scores = walk(1.0, lambda rate: Score(int(rate <= 0.01), -abs(math.log10(rate / 0.01)), -3 * (rate > 0.01)))
    assert list(scores) == [1.0, 0.1, 0.01, 0.001]


def test_more_seeds_that_learn_outweigh_skill():
    assert Score(3, 0.5, 0) > Score(2, 0.9, 0) > Score(2, 0.9, -1) > Score(0, -math.inf, 0)


@pytest.mark.parametrize(("limit", "rate"), [(0.0828, 0.041), (2.0, 1.0), (math.nan, ADAPTIVE), (math.inf, ADAPTIVE), (0.0, ADAPTIVE)])
def test_it_begins_at_half_of_what_is_stable(limit, rate):
    assert start(limit) == rate
