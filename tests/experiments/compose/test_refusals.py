"""A list or a mapping in the place of one choice or one value is one clear line, however it comes in."""

from itertools import product

import pytest

from experiments.cli import main
from experiments.compose.composition import compose
from experiments.config.keys import GROUPS, SCALARS
from experiments.errors import UserError
from tests.every import every

COMMANDS = {
    "run": ["run"],
    "sweep": ["run", "-m"],
    "theory": ["theory"],
    "phase": ["phase"],
    "remedies": ["remedies"],
    "reproduce": ["reproduce", "--finding", "s_lr"],
}

CONTAINERS = {
    "loss=[1,2]": "`loss` must be the name of one choice, got [1,2]; write it without brackets, as in loss=name",
    "init=[he,xavier]": "`init` must be the name of one choice, got [he,xavier]",
    "data={}": "`data` cannot be overridden; choose with data=name",
    "depth=[1,2]": "`depth` must be one value, got [1,2]; write it without brackets, as in depth=value",
    "lr={a:1}": "`lr` must be one value, got {a:1}",
}


@pytest.mark.parametrize("override", CONTAINERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_them(command, override, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*COMMANDS[command], override]) == 2
    out, err = capsys.readouterr()
    assert CONTAINERS[override] in err
    assert (out, len(err.strip().splitlines()), list(tmp_path.iterdir())) == ("", 1, [])


LISTED = ("width", "activation", "activations")
"""Keys that may be a list; what is wrong with one, validation says."""


VALUES = ["[]", "[1]", "[tanh,relu]", "{}", "{a:1}", "[1],[2]", "[a],b", "choice([a],b)", "[[a]]"]


@every(product([*GROUPS, *SCALARS, "+experiment"], VALUES), by=lambda key, _: key)
def test_every_key_refuses_them(key, value):
    with pytest.raises(UserError, match=rf"`{key.lstrip('+')}` (must be (one value|the name of one choice)|cannot be overridden)"):
        compose([], [f"{key}={'{a:[1]}' if key in LISTED else value}"])


@pytest.mark.parametrize("override", ["loss=[mse]", "+loss=[mse]", "++loss=[mse]", "++depth=[1]"])
def test_a_plus_hides_nothing(override):
    with pytest.raises(UserError, match="must be"):
        compose([], [override])


def test_a_long_value_is_cut():
    with pytest.raises(UserError, match="must be one value") as caught:
        compose([], [f"depth=[{','.join(['1'] * 3000)}]"])
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("defaults:\n  - override /activation: [tanh, relu]\n", "`activation` must be the name of one choice, got a list"),
        ("defaults:\n  - override /loss: [1, 2]\n", "must be strings"),
        (
            "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      activation: '[tanh,relu]'\n",
            "`activation` must be the name of one choice",
        ),
        ("hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      loss: '[1,2]'\n", "a group must be given the name of a choice"),
        ("depth: [1, 2]\n", "`depth` must be an integer"),
        ("loss: [1, 2]\n", "experiment/own.yaml has a list or a mapping where one value"),
        ("init:\n  scale: [1, 2]\n", "`init.scale` must be a number, got [1, 2]"),
    ],
)
def test_a_conf_file_may_not_say_them_either(content, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "own.yaml").write_text(f"# @package _global_\n{content}")
    assert main(["run", "--dry-run", "--config-dir", str(tmp_path), "+experiment=own"]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_what_takes_a_list_still_does():
    composed = compose(["--multirun"], ["lr=0.1,0.2", "seed=1,2", "hydra.sweeper.zip=[lr,seed]"])
    assert [(entry.config["lr"], entry.config["seed"]) for entry in composed] == [(0.1, 1), (0.2, 2)]
