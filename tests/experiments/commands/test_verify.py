import math

import pytest

from experiments.commands.verify import _matters
from experiments.store.comparing import Difference


@pytest.mark.parametrize(
    ("table", "column", "ulps", "expected"),
    [
        ("layers", "delta_norm", 1e5, False),
        ("layers", "delta_norm", 1e7, True),
        ("layers", "delta_norm", math.inf, True),
        ("layers", "dead", 1e15, False),
        ("layers", "dead", math.inf, True),
        ("steps", "accuracy", math.inf, True),
        ("histograms", "count", math.nan, False),
        ("histograms", "rows", math.nan, False),
        ("layers", "rows", math.nan, True),
        ("runs", "verdict", math.nan, True),
    ],
)
def test_what_another_machine_is_excused(table, column, ulps, expected):
    difference = Difference(table, column, 1, 10, ulps, "run")
    assert _matters(difference, "another numpy", 1e6) is expected
    assert _matters(difference, None, 1e6)
