import pytest

from experiments.compose.composition import compose, runs_of
from experiments.compose.hydras import by_hydra
from experiments.errors import UserError


def test_a_sweep_composes_in_order():
    composed = compose(["--multirun"], ["depth=2,3", "seed=range(2)"])
    assert [(c.config["depth"], c.config["seed"]) for c in composed] == [(2, 0), (2, 1), (3, 0), (3, 1)]
    assert composed[1].overrides == ("depth=2", "seed=1")


def test_repeated_runs_are_left_out():
    runs, repeated = runs_of(compose(["--multirun"], ["seed=1,1,2"]))
    assert [run.seed for run in runs] == [1, 2]
    assert [run.index for run in runs] == [0, 1]
    assert repeated == 1


def test_all_runs_are_validated_and_the_bad_one_is_named():
    with pytest.raises(UserError, match=r"`depth` must be an integer ≥ 0, got -1.*\(job 2 of 3: depth=-1\)"):
        runs_of(compose(["--multirun"], ["depth=1,2,-1"]))


@pytest.mark.parametrize("way", [compose, by_hydra])
def test_arguments_and_environment_are_left_as_they_were(monkeypatch, way):
    import os
    import sys

    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    before = list(sys.argv)
    way([], [])
    assert sys.argv == before
    assert "HYDRA_FULL_ERROR" not in os.environ


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["dpeth=3"], ["unknown key `dpeth`", "did you mean `depth`"]),
        (["init.sacle=2"], ["`init.sacle`", "--cfg job --package init"]),
        (["clip.threshold=1"], ["`clip.threshold`", "clip=layer_norm or norm or value"]),
        (["depth=abc"], ["`depth`", "an integer", "'abc'"]),
        (["depth=2.5"], ["`depth`", "an integer", "'2.5'"]),
        (["steps=null"], ["`steps`", "must have a value"]),
        (["lr=fast"], ["`lr`", "a number", "'fast'"]),
        (["activation=tan"], ["`activation`", "'tan'", "did you mean tanh", "sigmoid"]),
        (["+experiment=nope"], ["nope", "depth_by_activation"]),
        (["experiment=overview"], ["+experiment=overview"]),
        (["depth=1,2"], ["`depth=1,2`", "-m"]),
        (["seed=range(3)"], ["`seed=range(3)`", "-m"]),
        (["depth"], ["key=value"]),
        (["depth=[1,2"], ["[1,2"]),
        (["hydra/launcher=nope"], ["hydra/launcher", "basic"]),
        (["activation._target_=os.system"], ["`activation._target_`", "--config-dir"]),
        (["activation={_target_:os.system}"], ["`activation`", "--config-dir"]),
        (["init.name=x"], ["`init.name`"]),
        (["activation=null"], ["activation=tanh"]),
        (["~init"], ["`init`", "must have a value"]),
        (["depth=???"], ["`depth`", "must have a value"]),
        (["depth=${nope}"], ["`depth`", "nope"]),
        (["name='a"], ["name='a", "quote"]),
    ],
    ids=str,
)
def test_hydras_refusals_become_one_line(overrides, words):
    with pytest.raises(UserError) as caught:
        compose([], overrides)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message
