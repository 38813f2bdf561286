"""What the README and docs/modern.md show is what their commands print."""

import re
import shlex

import pytest

from tests.experiments.helpers import here
from tests.readme import PAGES, PICTURED, README, SKIPS, block, elided, label, maker, rewritten

SLOW = ("$ gradstab reproduce", "$ gradstab run -m", "$ gradstab report", "$ gradstab run data=table")
"""Beginnings of blocks; the folder that the report names is the sweep's."""


def is_slow(text):
    return text.startswith(SLOW)


def test_its_outputs_are_current(tmp_path):
    text = README.read_text(encoding="utf-8")
    make = maker(tmp_path, lambda arguments, folder: here(*arguments, cwd=folder))
    assert rewritten(text, make, lambda block: not is_slow(block)) == text, "`make readme` writes them anew"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_slow_outputs_are_current(tmp_path, page):
    text = page.read_text(encoding="utf-8")
    assert rewritten(text, maker(tmp_path), is_slow) == text, "`make readme` writes them anew"


def test_every_kind_of_block_is_found():
    seen = []
    rewritten(README.read_text(encoding="utf-8"), lambda arguments: "", lambda block: bool(seen.append(block)))
    commands = {line.split()[2] for text in seen for line in text.splitlines() if line.startswith("$ ")}
    assert {"run", "report", "reproduce", "graph"} <= commands


def test_the_pictured_sweep_is_that_of_the_caption():
    caption = re.search(r"The page of `gradstab (.*)`", README.read_text(encoding="utf-8"))
    assert caption is not None
    assert shlex.split(caption[1]) == PICTURED


def test_the_sweep_of_the_figure_is_the_first_of_its_page():
    first = re.search(r"^\$ gradstab (.*)$", PAGES[1].read_text(encoding="utf-8"), re.MULTILINE)
    assert first is not None
    assert shlex.split(first[1]) == SKIPS


OUTPUT = ["head", "row  1", "row  2", "a b: one", "c d: two", "e f: three", "end"]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (["old", "lines"], OUTPUT),
        (["HEAD", "…"], ["head", "…"]),
        (["HEAD", "ROW 1", "    …", "c d: TWO"], ["head", "row  1", "    …", *OUTPUT[4:]]),
        (["HEAD", "…", "a b: ONE", "…"], ["head", "…", "a b: one", "…"]),
        (["…", "row  8", "row  9", "…", "e f: x"], ["…", "row  1", "row  2", "…", "e f: three", "end"]),
    ],
)
def test_what_is_left_out_stays_out(shown, expected):
    assert elided(shown, OUTPUT) == expected


def test_a_passage_that_is_gone_is_an_error():
    with pytest.raises(ValueError, match="gone"):
        elided(["head", "…", "gone: 1"], OUTPUT)


@pytest.mark.parametrize(
    ("line", "name"), [("   10   0.2", "10"), ("activation=relu init=he: vanishing: δ", "activation=relu init=he"), ("", "")]
)
def test_a_line_is_known_by_its_label(line, name):
    assert label(line) == name


def test_folders_are_those_that_were_made_and_runs_without_output_are_planned():
    asked = []

    def make(arguments):
        asked.append(arguments)
        return "table\nresults/sweep-0123abcd: 2 runs\n"

    text = "$ gradstab run -m seed=0,1\nold\n$ gradstab report results/sweep-ffffffff  # a page\n$ gradstab run 'name=a b'\n"
    assert block(text, make, []) == text.replace("old", "table\nresults/sweep-0123abcd: 2 runs").replace("ffffffff", "0123abcd")
    assert asked == [["run", "-m", "seed=0,1"], ["run", "name=a b", "--dry-run"]]


def test_a_stale_output_is_noticed():
    stale = "# Title\n\n```\n$ gradstab graph x*x x=2\nf = 5\n```\n\n```\n$ gradstab run\nkept\n```\n"
    fresh = rewritten(stale, lambda arguments: "f = 4\n", lambda block: "graph" in block)
    assert fresh == stale.replace("f = 5", "f = 4")
