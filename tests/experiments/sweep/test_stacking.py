"""Tiles: their size follows from the working set and the cache."""

from pathlib import Path

import pytest

from experiments.sweep.stacking import FALLBACK_CACHE, parse_size, second_level_cache, tile_size


@pytest.mark.parametrize(
    ("width", "batch", "depth", "dtype", "low", "high"),
    [
        (30, 32, 4, "float32", 64, 64),
        (30, 32, 20, "float32", 64, 64),
        (30, 32, 4, "float64", 64, 64),
        (64, 64, 20, "float32", 32, 32),
        (64, 64, 20, "float64", 16, 16),
        (100, 100, 50, "float32", 8, 8),
        (100, 100, 50, "float64", 4, 4),
        (256, 128, 10, "float32", 2, 2),
        (2000, 4000, 3, "float64", 1, 1),
        (1, 1, 1, "float32", 64, 64),
    ],
)
def test_a_tile_fills_the_least_room(width: int, batch: int, depth: int, dtype: str, low: int, high: int) -> None:
    assert low <= tile_size((width,) * (depth + 1) + (10,), batch, dtype, FALLBACK_CACHE) <= high


def test_a_linear_classifier_has_a_tile_too() -> None:
    assert 1 <= tile_size((64, 10), 1437, "float64", FALLBACK_CACHE) <= 8


def test_a_larger_cache_takes_more_runs() -> None:
    sizes = (64,) * 5 + (10,)
    assert tile_size(sizes, 64, "float64", 2**19) == tile_size(sizes, 64, "float64", 2**22) < tile_size(sizes, 64, "float64", 2**23)


@pytest.mark.parametrize(("text", "size"), [("512K\n", 2**19), ("1M", 2**20), ("1048576", 2**20)])
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("content", [{}, {"level": "2", "size": "large"}, {"level": "1", "size": "32K"}])
def test_without_a_second_level_the_fallback_counts(tmp_path: Path, content: dict[str, str]) -> None:
    (tmp_path / "index0").mkdir()
    for name, text in content.items():
        (tmp_path / "index0" / name).write_text(text)
    assert second_level_cache(tmp_path) == FALLBACK_CACHE


def test_the_second_level_is_found(tmp_path: Path) -> None:
    for index, (level, size) in enumerate((("1", "32K"), ("2", "512K"), ("3", "32M"))):
        (tmp_path / f"index{index}").mkdir()
        (tmp_path / f"index{index}" / "level").write_text(level)
        (tmp_path / f"index{index}" / "size").write_text(size)
    assert second_level_cache(tmp_path) == 2**19
