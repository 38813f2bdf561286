"""docs/data.md does what it says: its files are written, its commands run, its lines come out."""

import contextlib
import re
import runpy
import shlex
from pathlib import Path

import pytest

from tests.experiments.helpers import here
from tests.processes import ROOT

TEXT = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\w*\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
FILES = {match[1]: block for block in BLOCKS if (match := re.match(r"# (\S+)\n", block))}
SESSIONS = [block for block in BLOCKS if block.startswith("$ ")]
OWN, TABLES = ([block for block in SESSIONS if ("mine" in block) == own] for own in (True, False))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the documented files, and what the script among them writes."""
    folder = tmp_path_factory.mktemp("docs")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    with contextlib.chdir(folder):
        runpy.run_path("tables.py", run_name="__main__")
    return folder


def test_there_is_something_to_run() -> None:
    assert {"tables.py", "mine/rings.py", "mine/data/rings.yaml"} == set(FILES)
    assert (len(OWN), len(TABLES)) == (1, 3)


@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("block", [*OWN, *(pytest.param(block, marks=pytest.mark.slow) for block in TABLES)])
def test_every_command_runs_and_prints_the_documented_lines(place: Path, block: str) -> None:
    for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, *expected = entry.strip().splitlines()
        program, *arguments = shlex.split(line)
        assert program == "gradstab"
        result = here(*arguments, cwd=place)
        assert result.returncode == 0, f"{line}\n{result.stderr}"
        printed = [re.sub(r"\d\S*", "#", text) for text in (result.stdout + result.stderr).splitlines()]
        for text in expected:  # numbers may differ from machine to machine
            assert text == "…" or re.sub(r"\d\S*", "#", text) in printed, f"{line}\n{text}"


def test_every_key_of_a_table_is_documented() -> None:
    conf = (ROOT / "conf" / "data" / "table.yaml").read_text(encoding="utf-8")
    keys = re.findall(r"^([a-z]\w*):", conf, re.MULTILINE)
    assert [key for key in keys if key != "name" and f"| `data.{key}` |" not in TEXT] == []
    assert len(keys) == 13
