"""The second-level cache, as the system tells it."""

from pathlib import Path

import pytest

from experiments.bench.caches import FALLBACK_CACHE, parse_size, second_level_cache


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
