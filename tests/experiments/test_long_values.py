"""A value of thousands of characters, wherever one can be typed: one line that quotes at most 80 of them, exit code 2."""

import pytest

from experiments import cli
from experiments.text.quoting import MOST_QUOTED

VALUES = {
    "a word": "x" * 5000,
    "a sentence": "very long " * 500,
    "digits": "9" * 5000,
    "brackets": "[" * 5000,
    "a path": "d/" * 2500 + "d",
    "quotes": "'" * 5000,
}

PLACES = {
    "": [["V"]],
    "run": [
        ["V"],
        ["V=1"],
        ["depth=V"],
        ["init.scale=V"],
        ["init.V=1"],
        ["activation=V"],
        ["activation.name=V"],
        ["output_activation=V"],
        ["dtype=V"],
        ["name=V", "width=0"],
        ["results_dir=V", "width=0"],
        ["data=mnist", "data.dir=V"],
        ["data=mnist", "data.split=V"],
        ["record.every=V"],
        ["+experiment=V"],
        ["depth=${V}"],
        ["-m", "depth=1,V"],
        ["-m", "lr=1,2", "hydra.sweeper.zip=[lr,V]"],
        ["-m", "lr=1,2", "hydra.sweeper.design=V"],
        ["-m", "lr=interval(V,1)"],
        ["--from", "V"],
        ["--cfg", "V"],
        ["--cfg", "job", "-p", "V"],
        ["--config-dir", "V"],
        ["--V"],
    ],
    "graph": [
        ["V"],
        ["x*V", "x=1"],
        ["V(x)", "x=1"],
        ["x", "x=V"],
        ["x", "V=1"],
        ["x", "x=1", "V"],
        ["x*x", "x=1", "--output", "V"],
        ["--examples", "--output", "V"],
    ],
    "theory": [["depth=V"], ["V"], ["-m", "V=1,2"]],
    "phase": [["V"], ["activation=V"], ["activation=tanh", "--output", "V"]],
    "remedies": [["depth=V"], ["V"], ["--seeds", "V"]],
    "reproduce": [["--finding", "V"], ["--findings", "V"], ["finding=V"], ["--finding", "s_vanish", "depth=V"], ["V"]],
    "report": [["V"], ["V", "V"], ["results", "--formats", "V"], ["results", "--output", "V"]],
    "export": [["V"], ["results", "V"]],
    "diagnose": [["V"], ["results", "V"]],
    "verify": [["V"], ["results", "--sample", "V"], ["results", "--max-ulps", "V"]],
    "merge": [["V", "V", "-o", "both"], ["results", "results", "-o", "V"]],
    "bench": [["--only", "V"], ["--peers", "V"], ["--rounds", "V"], ["--only", "repair", "--nets", "V"]],
    "data": [["V"], ["mnist", "--dir", "V"], ["mnist", "--V"]],
}

EVERY_KIND = ["init.scale=V"]
"""Of values that Hydra reads; it reads long lines slowly."""

TOO_DEEP = ["-m", "depth=1,V"]
"""Where brackets alone are more than Hydra's own parser of sweeps can take."""

_BY_HYDRA = ("run", "theory", "phase", "remedies", "reproduce")
CASES = [
    (command, place, kind)
    for command, places in PLACES.items()
    for place in places
    for kind in VALUES
    if command not in _BY_HYDRA or kind == "a word" or place == EVERY_KIND or (place == TOO_DEEP and kind == "brackets")
]


@pytest.mark.parametrize(("command", "place", "kind"), CASES, ids=lambda part: part if isinstance(part, str) else " ".join(part))
def test_a_long_value_does_not_fill_the_screen(tmp_path, monkeypatch, capsys, command, place, kind):
    monkeypatch.chdir(tmp_path)
    value = VALUES[kind]
    arguments = [word.replace("V", value) for word in place]
    code = cli.main([command, *arguments] if command else arguments)
    out, err = capsys.readouterr()
    assert code == 2, err[:2000]
    assert out == ""
    assert err.startswith("gradstab: error: ")
    assert value[: MOST_QUOTED + 1] not in err
    assert all(len(line) < 1000 for line in err.splitlines()), err[:2000]  # a list of choices is as long as it is
    assert err.count("\n") == (3 if "\n  " in err and command == "graph" else 1)  # the line, the text, the caret under its place
    assert list(tmp_path.iterdir()) == []


def test_every_command_is_tried():
    assert {name for name in PLACES if name} == set(cli.names())
