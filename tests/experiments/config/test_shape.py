"""Widths and activations by layer: both spellings of one net are one run, and a contradiction is one line."""

import numpy as np
import pytest

from bpcore import mlp
from experiments.config.files import choice
from experiments.config.identity import flatten
from experiments.config.keys import DEPTH
from experiments.config.shape import listed
from experiments.config.validation import validate
from experiments.errors import UserError


def run_of(base, **keys):
    return validate({**base, "depth": None, **keys})


def test_depth_follows_a_list(base):
    run = run_of(base, width=[12, 9, 6])
    assert (run.depth, run.L, run.sizes) == (3, 4, (64, 12, 9, 6, 10))
    assert (run.units, run.weights) == (101, 64 * 12 + 12 * 9 + 9 * 6 + 6 * 10)
    assert run_of(base, width=[12, 9, 6], depth=3).run_id == run.run_id
    assert run_of(base, activations=["tanh", "relu"]).depth == 2
    assert run_of(base).depth == DEPTH
    assert run_of(base, width=[12]).depth == run_of(base, activations=["relu"]).depth == 1
    assert run_of(base, activations=["relu"]).run_id == run_of(base, depth=1, activation=choice("activation", "relu")).run_id


def test_equal_entries_are_the_run_that_a_number_names(base):
    plain = run_of(base, width=12, depth=3, activation=choice("activation", "elu"))
    assert run_of(base, width=[12, 12, 12], activations=["elu", "elu", "elu"]).run_id == plain.run_id
    assert run_of(base, width=12, depth=3, activations="elu").run_id == plain.run_id
    assert run_of(base, width=[12.0, 12, 12], activations="elu").run_id == plain.run_id
    assert run_of(base, width=[12, 12, 11], activations="elu").run_id != plain.run_id


def test_every_layer_has_its_activation(base):
    run = run_of(base, width=[12, 9, 6], activations=["leaky_relu", "tanh", "softplus"])
    assert run.choice("activation") == "[leaky_relu, tanh, softplus]"
    assert [run.network.phi(l).name for l in range(1, 5)] == ["leaky_relu", "tanh", "softplus", "identity"]
    assert run.hidden_activations == run.network.hidden
    other = run_of(base, width=[12, 9, 6], activations=["tanh", "leaky_relu", "softplus"])
    assert other.run_id != run.run_id
    x = np.random.default_rng(0).standard_normal((1, 64, 5))
    trace = mlp.forward(run.network, mlp.initialize(run.network, [run.init], [0], "float64"), x)
    np.testing.assert_array_equal(trace.a[2], np.tanh(trace.z[2]))
    assert (trace.a[1] < 0).any()
    assert (trace.a[3] > 0).all()


def test_a_validated_config_is_valid_and_the_same_run(base):
    run = run_of(base, width=[12, 9], activations=["tanh", "relu"])
    again = validate(run.config)
    assert (again.run_id, again.config) == (run.run_id, run.config)
    columns = flatten(run.config)
    assert (columns["width"], columns["depth"], columns["activation"]) == ("[12, 9]", 2, "[tanh, relu]")
    assert "activations" not in columns


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"width": [12, 9], "depth": 3}, "`depth` is 3, but `width` lists 2 hidden layers; leave depth out, which follows the list"),
        ({"activations": ["tanh", "relu"], "depth": 5}, "`depth` is 5, but `activation` lists 2 hidden layers"),
        ({"width": [12], "activations": ["tanh", "relu"]}, "`width` lists 1 hidden layer and `activation` lists 2 hidden layers"),
        ({"width": [12, 0]}, "`width` must be an integer ≥ 1, got 0"),
        ({"width": []}, "`width` must be an integer or a list of integers, got []"),
        ({"width": [12, "a"]}, "`width` must be an integer, got 'a'"),
        ({"width": [12, 2.5]}, "`width` must be an integer, got 2.5"),
        ({"width": [[12]]}, "`width` must be an integer, got [12]"),
        ({"width": True}, "`width` must be an integer or a list of integers, got True"),
        ({"activations": ["tanh", "nope"]}, "`activation` must be one of"),
        ({"width": [12, 9], "activations": ["tanh"]}, "`width` lists 2 hidden layers and `activation` lists 1 hidden layer"),
        ({"activations": []}, "`activations` must be a word or a list of words or null"),
    ],
)
def test_a_contradiction_is_one_line(base, keys, message):
    with pytest.raises(UserError) as caught:
        run_of(base, **keys)
    assert message in str(caught.value)


def test_what_tables_call_a_list():
    assert listed("[tanh, relu]") == ["tanh", "relu"]
    assert listed("tanh") is None
