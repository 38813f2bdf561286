"""The labelled nets: drawn the same every time, in two halves, and the bars that the diagnosis is held to."""

import re
import sys

import pytest

from tests.experiments.diagnosis.labelled import KINDS, nets
from tests.processes import ROOT, run


def test_the_halves_are_drawn_the_same_every_time_and_share_no_net():
    first, again, other = (["-".join(net.words) for net in nets(untouched)] for untouched in (False, False, True))
    plain = [re.sub(r"data.path=[^-]*-labelled-", "", text) for text in first]
    assert plain == [re.sub(r"data.path=[^-]*-labelled-", "", text) for text in again]
    assert not set(first) & set(other)
    assert 2 * len(first) == 2 * sum(KINDS.values()) >= 400


@pytest.mark.slow
@pytest.mark.parametrize("half", [[], ["--untouched"]], ids=["chosen on", "untouched"])
def test_the_bars(half):
    done = run([sys.executable, "-m", "tests.experiments.diagnosis.labelled", *half], 600, cwd=ROOT)
    right, accused = re.search(r"outcome right in ([0-9.]+)%; healthy nets called ill: (\d+)", done.stdout).groups()
    assert float(right) >= 98
    assert accused == "0"
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+|–)%? \| \d+ \| (\d+)% \|$", done.stdout, re.MULTILINE)
    assert len(rows) >= 14
    for name, _, recall, precision in rows:
        assert recall == "–" or int(recall) >= 90, name
        assert int(precision) >= 95, name
