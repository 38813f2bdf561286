"""Lists on the command line: one an axis value, the last setting of a key counts, and a folder of them can be repeated."""

import json

import pytest

from experiments.cli import main
from experiments.compose.composition import compose, runs_of
from experiments.compose.layers import by_layer
from experiments.store.reading import load


@pytest.mark.parametrize(
    ("given", "composed"),
    [
        (["activation=tanh", "depth=2"], ["activation=tanh", "depth=2"]),
        (["activation=[tanh,relu]"], ["activations=[tanh,relu]"]),
        (["activation=elu,[tanh,relu]"], ["activations=elu,[tanh,relu]"]),
        (["activation=[tanh,relu]", "lr=1", "activation=elu"], ["lr=1", "activation=elu"]),
        (["activation=elu", "activation=[tanh,relu]"], ["activation=elu", "activations=[tanh,relu]"]),
        (["activation=[tanh"], ["activation=[tanh"]),
        (
            ["activation=[tanh,relu],[relu,tanh]", "hydra.sweeper.zip=[width,activation]"],
            ["activations=[tanh,relu],[relu,tanh]", "hydra.sweeper.zip=[width,activations]"],
        ),
    ],
)
def test_a_list_of_activations_has_a_key_of_its_own(given, composed):
    assert by_layer(given) == composed


def test_lists_are_values_of_an_axis():
    runs, repeated = runs_of(compose(["--multirun"], ["width=12,[12,9],[9,12]", "activation=tanh,[tanh,elu]", "depth=2"]))
    assert [(run.width, run.choice("activation")) for run in runs] == [
        (width, activation) for width in (12, [12, 9], [9, 12]) for activation in ("tanh", "[tanh, elu]")
    ]
    assert repeated == 0


def test_lists_advance_together():
    words = ["width=[8,5],[9,6]", "activation=[tanh,relu],[relu,tanh]", "hydra.sweeper.zip=[width,activation]"]
    runs, _ = runs_of(compose(["--multirun"], words))
    assert [(run.width, run.choice("activation")) for run in runs] == [([8, 5], "[tanh, relu]"), ([9, 6], "[relu, tanh]")]


def test_numbers_and_lists_share_a_table_and_are_verified(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["data=gaussian", "steps=2", "executor=serial", "name=mix"]
    assert main(["run", "-m", "width=6,[8,5,3]", "activation=tanh", *words]) == 0
    assert main(["run", "activation=[tanh,relu]", "width=[8,5]", *words, "--extend"]) == 0
    runs = load(tmp_path / "results" / "mix").runs
    assert runs["width"].tolist() == ["6", "[8, 5, 3]", "[8, 5]"]
    assert runs["activation"].tolist() == ["tanh", "tanh", "[tanh, relu]"]
    assert runs["depth"].tolist() == [5, 3, 2]
    capsys.readouterr()
    assert main(["verify", "results/mix"]) == 0
    assert "every bit the same" in capsys.readouterr().out
    assert main(["theory", "width=[8,5]", "activation=[tanh,relu]", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["width"] == "[8, 5]"
