"""Tiles: as many runs as their memory allows, and no more than are worth it."""

import pytest

from experiments.sweep.stacking import LARGEST_TILE, ROOM, tile_size


@pytest.mark.parametrize(
    ("width", "batch", "depth", "dtype", "low", "high"),
    [
        (30, 32, 4, "float32", 64, 64),
        (64, 64, 20, "float64", 20, 64),
        (100, 100, 50, "float64", 4, 10),
        (256, 128, 10, "float32", 8, 20),
        (2000, 4000, 3, "float64", 1, 1),
        (1, 1, 1, "float32", 64, 64),
    ],
)
def test_a_tile_fits_its_room(width: int, batch: int, depth: int, dtype: str, low: int, high: int) -> None:
    assert low <= tile_size((width,) * (depth + 1) + (10,), batch, dtype) <= high <= LARGEST_TILE


def test_a_linear_classifier_has_a_tile_too() -> None:
    assert 1 <= tile_size((64, 10), 1437, "float64") <= LARGEST_TILE


def test_half_the_bytes_let_twice_the_runs_in() -> None:
    sizes = (300,) * 12 + (10,)
    single, double = tile_size(sizes, 200, "float32"), tile_size(sizes, 200, "float64")
    assert double < single < LARGEST_TILE
    assert single in (2 * double, 2 * double + 1)
    assert double * 8 * 200 * 5 * 3310 < ROOM  # what a look keeps of the layers alone
