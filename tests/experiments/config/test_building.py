import numpy as np
import pytest

from bpcore.activations import Activation
from bpcore.initializers import Initializer
from experiments.config import building
from experiments.config.building import KINDS, build, built, dataset, facts
from experiments.config.files import catalogue, choice
from experiments.config.keys import GROUPS
from experiments.config.validation import validate
from experiments.datasets.dataset import Dataset
from experiments.errors import UserError

FILES = {("data", "mnist"), ("data", "table")}
"""What needs a file; tested with one beside its factory."""

CHOICES = [(group, name) for group in GROUPS for name in catalogue(group) if group != "record" and (group, name) not in FILES]


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_conf_file_builds_what_its_group_is_for(group, name):
    node = choice(group, name)
    made = build(node)
    if group in KINDS:
        assert isinstance(made, KINDS[group])
    if group not in ("data", "executor"):
        assert made.name == name


def test_equal_nodes_give_the_same_object_and_others_another():
    node = choice("activation", "leaky_relu")
    assert built(Activation, node) is built(Activation, dict(reversed(node.items())))
    assert built(Activation, {**node, "alpha": 0.3}) is not built(Activation, node)


def test_another_kind_is_refused():
    with pytest.raises(UserError, match=r"`init\._target_` must make a Initializer, but bpcore\.activations\.tanh makes a Activation"):
        built(Initializer, choice("activation", "tanh"))


class Counted:
    """Data sets of a number of bytes, counted as they are read."""

    def __init__(self, monkeypatch):
        self.read = []
        monkeypatch.setattr(building, "build", self.build)

    def build(self, node):
        self.read.append(node["seed"])
        x = np.full((1, node["bytes"] // 16), float(node["seed"]))
        return Dataset(x, x, None, None, None, f"{node['seed']}", "counted")


def node(seed, size=800):
    return {"_target_": "nowhere", "name": "counted", "seed": seed, "bytes": size}


@pytest.fixture
def counted(monkeypatch):
    return Counted(monkeypatch)


def test_a_data_set_is_read_once_whatever_else_is_built(base):
    """65 initializers are more than one cache for all once held."""
    runs = [validate({**base, "init": {**base["init"], "scale": 1 + i / 100}}) for i in range(65)]
    first = runs[0].data
    assert len({id(run.init) for run in runs}) == 65
    assert all(run.data is first for run in runs)


def test_what_was_used_last_is_kept_up_to_a_size(counted):
    kept = building._DataSets(2000)
    for seed in (0, 1, 0, 2, 0, 1):
        assert kept.dataset(node(seed)).checksum == str(seed)
    assert counted.read == [0, 1, 2, 1]


def test_one_that_is_larger_than_all_room_is_still_kept(counted):
    kept = building._DataSets(2000)
    for _ in range(3):
        kept.dataset(node(0, size=8000))
    assert counted.read == [0]


def test_facts_outlive_the_data(counted):
    kept = building._DataSets(1000)
    known = [kept.facts(node(seed)) for seed in (0, 1, 2, 0, 1, 2)]
    assert [entry.checksum for entry in known] == ["0", "1", "2"] * 2
    assert counted.read == [0, 1, 2]


def test_facts_are_those_of_the_data():
    digits = choice("data", "digits")
    data, known = dataset(digits), facts(digits)
    assert (known.n_inputs, known.n_examples) == data.x.shape
    assert known.n_outputs == data.y.shape[0]
    assert (known.classes, known.checksum, known.origin, known.probabilities) == (data.classes, data.checksum, data.origin, True)
    assert known.x_nbytes == data.x.nbytes
    assert known.nbytes == data.x.nbytes + data.y.nbytes + data.test_x.nbytes + data.test_y.nbytes
    assert not facts(choice("data", "chebyshev")).probabilities
