import math

import numpy as np
import pytest

from experiments.store.distances import distances, ulps

INF, NAN, PLACE = math.inf, math.nan, 2.0**-52
SINGLE = 2.0**-23
HUGE, DUST = 1e39, 1e-50
"""Beyond the range of float32, on either side."""


class TestUlps:
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_neighbors_are_one_apart_also_across_zero(self, dtype):
        tiny = np.nextafter(dtype(0), dtype(1))
        a = np.array([1, -1, 0, -tiny, np.nan, np.nan, 1e30, -0.0], dtype)
        b = np.array([np.nextafter(dtype(1), dtype(2)), -1, tiny, tiny, np.nan, 1, np.nextafter(dtype(1e30), dtype(0)), 0], dtype)
        assert ulps(a, b).tolist() == [1, 0, 1, 2, 0, np.inf, 1, 0]

    def test_one_is_still_seen_at_the_far_end(self):
        assert ulps(np.array([1.7e308]), np.nextafter(np.array([1.7e308]), 0)).tolist() == [1]


class TestDistances:
    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ([INF, 2.0], [INF, -7.0], [0, 9 / (2 * PLACE)]),
            ([-INF, 1.0], [-INF, 1 + PLACE], [0, 1]),
            ([NAN, 1.0], [NAN, 1 + PLACE], [0, 1]),
            ([INF, -INF, NAN], [-INF, INF, 1.0], [INF, INF, INF]),
            ([INF, INF], [INF, 3.0], [0, INF]),
            ([1.0, 3.0], [1.0, INF], [0, INF]),
            ([NAN, NAN], [0.0, NAN], [INF, 0]),
            ([1.0, 1e-20], [1.0, -1e-20], [0, 2e-20 / PLACE]),
            ([1.5e308], [-1.5e308], [2 * (1.5e308 / np.spacing(1.5e308))]),
            ([0.0], [5e-324], [1]),
            ([], [], []),
        ],
        ids=str,
    )
    def test_what_cancels_is_counted_in_places_of_the_largest_finite_number(self, a, b, expected):
        found = distances(np.array(a, dtype=float), np.array(b, dtype=float), signed=True)
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_the_places_are_those_of_the_runs_dtype(self):
        a, b = np.array([INF, 1.0, 1e-9]), np.array([INF, 1.0, 1e-9 + 3 * SINGLE])
        np.testing.assert_allclose(distances(a, b, "float32", signed=True), [0, 0, 3], rtol=1e-6)
        a, b = a.astype(np.float32), b.astype(np.float32)
        np.testing.assert_allclose(distances(a, b, "float32", signed=True), [0, 0, 3], rtol=1e-6)

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            (1.0, 1 + SINGLE, 1),
            (1e-45, 3e-45, 1),
            (INF, INF, 0),
            (INF, -INF, 2 * 255 * 2.0**23),
            (NAN, INF, INF),
            (HUGE, 2 * HUGE, 2.0**23),
            (DUST, 2 * DUST, 2.0**23),
            (1e39 * (1 + PLACE), 1e39, None),
        ],
    )  # fmt: skip
    def test_a_number_beyond_single_precision_is_not_rounded_away(self, a, b, expected):
        (found,) = distances(np.array([a]), np.array([b]), "float32")
        assert found == pytest.approx(expected, rel=1e-6) if expected is not None else 0 < found < 1e-6

    @pytest.mark.parametrize("signed", [False, True])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_what_differs_has_a_size(self, dtype, signed):
        values = np.array([0.0, 1.0, -1.0, 1e-300, -1e-300, 1e-40, HUGE, -HUGE, 1.7e308, -1.7e308, INF, -INF, NAN])
        a, b = (side.ravel() for side in np.meshgrid(values, values))
        found = np.concatenate([distances(a[i : i + 1], b[i : i + 1], dtype, signed) for i in range(a.size)])
        np.testing.assert_array_equal(found > 0, (a != b) & ~(np.isnan(a) & np.isnan(b)))
        assert not np.isnan(found).any()
