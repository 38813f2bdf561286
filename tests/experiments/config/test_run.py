"""A run says what its config says, and what follows from it; it travels light."""

import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from bpcore.measure.recording import Recording
from bpcore.network import Network
from experiments.config.building import KINDS
from experiments.config.files import catalogue, choice
from experiments.config.keys import GROUPS, SCALARS, SETTLED, Record, kind_of
from experiments.config.run import Run, Scalar
from experiments.config.validation import validate


@pytest.fixture(scope="module")
def run(base):
    return validate({**base, "depth": 3, "batch_size": 20}, 4, ("depth=3", "batch_size=20"))


def test_every_scalar_key_is_an_attribute_of_its_declared_type(run):
    kinds = {key: kind_of(key) for key in set(SCALARS) - {"output_activation", *SETTLED}} | {"depth": int, "steps": int}  # once settled
    for key, kind in kinds.items():
        declared = vars(Run)[key]
        assert isinstance(declared, Scalar)
        assert declared.__orig_class__.__args__ == (kind,), key
        assert getattr(run, key) == run.config[key]
    assert {key for key, value in vars(Run).items() if isinstance(value, Scalar)} == set(kinds)


def test_every_group_is_an_attribute_that_holds_its_object(run):
    for group in GROUPS:
        assert isinstance(getattr(run, group), KINDS.get(group, object)), group
        assert run.choice(group) == run.config[group]["name"]
    assert run.executor.workers(7) == 1


@pytest.mark.parametrize("name", catalogue("activation"))
def test_the_output_activation_has_the_defaults_of_its_file(base, name):
    config = {**base, "loss": choice("loss", "mse"), "output_activation": name, "activation": choice("activation", name)}
    run = validate(config)
    assert run.output_activation is run.activation
    assert run.output_activation.name == name


def test_the_place_and_the_overrides_are_kept(run):
    assert (run.index, run.overrides) == (4, ("depth=3", "batch_size=20"))
    moved = replace(run, index=7)
    assert (moved.index, moved.run_id, moved.depth) == (7, run.run_id, 3)


def test_a_run_is_not_changed(run):
    with pytest.raises(FrozenInstanceError):
        run.depth = 4
    with pytest.raises(FrozenInstanceError):
        run.index = 4


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_what_follows_from_the_sizes(base, depth):
    run = validate({**base, "depth": depth})
    assert run.sizes == (64, *[8] * depth, 10)
    assert run.network == Network(run.sizes, run.activation, run.output_activation, run.loss, run.normalization)
    assert run.L == run.network.L == depth + 1
    assert list(run.hidden) == list(range(1, depth + 1))
    assert run.units == sum(run.sizes)
    assert run.weights == sum(a * b for a, b in zip(run.sizes[1:], run.sizes[:-1], strict=True))


def test_sizes_of_a_net_that_no_machine_holds(base):
    run = validate({**base, "depth": 10**12})
    assert run.weights == 8 * (64 + 10 + (10**12 - 1) * 8)
    assert run.units == 64 + 10 + 8 * 10**12


@pytest.mark.parametrize(("batch_size", "m"), [(None, 50), (20, 20)])
def test_examples_of_a_step(base, batch_size, m):
    assert validate({**base, "batch_size": batch_size}).m == m


def test_the_record_as_the_step_loop_takes_it(base):
    record = {**base["record"], "every": 3, "snapshot": 2, "extended": True, "a_rank": True}
    run = validate({**base, "record": record})
    assert run.record == Record("light", 3, 2, extended=True, a_rank=True)
    assert run.recording == Recording(3, False, 2, False, frozenset({"extended", "a_rank"}), False)
    full = validate({**base, "record": choice("record", "full"), "activation": choice("activation", "identity")})
    assert full.recording.full


def test_a_run_travels_without_what_is_made_of_its_config(run):
    assert all(made is not None for made in (run.network, run.facts, run.record))  # all of them are made now
    assert {"network", "facts", "record"} < set(vars(run))
    content = pickle.dumps(run)
    assert len(content) < 2000 < run.data.x.nbytes
    back = pickle.loads(content)
    assert back == run
    assert set(vars(back)) == {"index", "config", "run_id", "overrides"}
    np.testing.assert_array_equal(back.data.x, run.data.x)


def test_the_runs_of_a_tile_share_what_they_have_in_common(base):
    runs = [validate({**base, "seed": seed}) for seed in range(100)]
    assert len(pickle.dumps(runs)) < 100 * 400
