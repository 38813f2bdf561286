"""The page of choices names every choice, and no other."""

import re
from pathlib import Path

import pytest

from experiments.config.files import catalogue

PAGE = (Path(__file__).parents[1] / "docs" / "choices.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## [^\n]*`(\w+)=`\)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("group", ["activation", "init", "normalization", "skip", "optimizer", "parametrization", "schedule", "clip"])
def test_every_choice_is_named_in_its_section(group: str) -> None:
    named = set(re.findall(r"`(\w+)`", SECTIONS[group]))
    assert [name for name in catalogue(group) if name != "none" and name not in named] == []


def test_what_is_named_first_in_a_row_is_a_choice() -> None:
    for group in ("activation", "init", "normalization", "skip", "parametrization", "schedule", "clip"):
        rows = re.findall(r"^\| (`[^|]*) \|", SECTIONS[group], re.MULTILINE)
        assert len(rows) > 2
        for row in rows:
            assert set(re.findall(r"`(\w+)`", row)) <= set(catalogue(group)), row
