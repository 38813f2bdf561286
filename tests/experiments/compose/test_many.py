import pytest

from experiments.atlas.catalogue import FOLDER, read
from experiments.compose.composition import compose
from experiments.compose.hydras import by_hydra
from experiments.compose.layers import by_layer
from experiments.compose.many import Composer, kept_composer
from experiments.errors import UserError


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


@pytest.mark.parametrize(
    "overrides",
    [
        ["depth=2,3", "activation=tanh,relu", "init.scale=0.5,1", "steps=0"],
        ["data=gaussian", "data.n_samples=30", "seed=range(3)", "normalization=batch,none"],
        ["lr=0.1,0.2", "depth=1,2", "hydra.sweeper.zip=[lr,depth]"],
        ["+experiment=init_scale", "depth=3"],
        ["init=he", "init.scale=choice(1,2)", "width=4"],
        ["width=[8,5],[9,6]", "activations=[tanh,relu]"],
    ],
)
def test_it_composes_what_hydra_composes(composer: Composer, overrides: list[str]) -> None:
    assert composer.compose(overrides) == by_hydra(["--multirun"], overrides)


def test_the_kept_composer_is_what_composes() -> None:
    overrides = ["depth=2,3", "activation=tanh", "name='a b'"]
    found = kept_composer().found(overrides, multirun=True)
    assert compose(["--multirun"], overrides) == found == by_hydra(["--multirun"], overrides)


@pytest.mark.parametrize(
    ("overrides", "quick"),
    [
        ([], True),
        (["depth=3", "lr=1e-3", "init.scale=2", "name='a b'"], True),
        (["data=table", "data.path=x.csv", "activation=leaky_relu", "activation.alpha=0.3", "clip=norm", "init=he"], True),
        (["depth=2", "depth=4", "+extra=1", "++width=3"], True),
        (["lr=${init.scale}", "name=${activation.name}-${depth}", "results_dir=r-1"], True),
        (["width=[9,8,7]", "activation=[tanh,relu,tanh]", "depth=null", "init=he"], True),
        (["width=[9,8,7]", "width=4", "++activations=[tanh,'relu']"], True),
        (["results_dir=${oc.env:HOME}"], False),
        (["+experiment=overview", "hydra.mode=RUN"], False),
    ],
)
def test_one_configuration_is_hydras(overrides: list[str], quick: bool) -> None:
    overrides = by_layer(overrides)
    expected, found = by_hydra([], overrides), kept_composer().found(overrides, multirun=False)
    assert found == (expected if quick else None)
    assert compose([], overrides) == expected
    assert [list(entry.config) for entry in found or expected] == [list(entry.config) for entry in expected]


@pytest.mark.parametrize(
    "overrides",
    [["depth=2,3"], ["seed=range(3)"], ["depth"], ["depth=x"], ["depth=[1,2]"], ["~init"], ["lr=${nope}"], ["init=nope"], ["init=[he]"]],
)
def test_what_is_no_configuration_is_left_to_hydra(overrides: list[str]) -> None:
    assert kept_composer().found(overrides, multirun=False) is None


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("dpeth=3", "did you mean `depth`"),
        ("activation=tan", "has no choice 'tan'"),
        ("activation._target_=os.system", "cannot be overridden"),
    ],
)
def test_it_refuses_what_hydra_refuses_and_goes_on(composer: Composer, override: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        composer.compose(["depth=2", override])
    assert len(composer.compose(["depth=2,3"])) == 2


def test_a_pilots_sweep_is_composed_in_its_order(composer: Composer) -> None:
    sweep = read(FOLDER / "s_vanish.yaml").sweeps["depths"]
    overrides = [*sweep.overrides, "depth=3,10", "seed=range(2)"]
    found = composer.compose(overrides)
    assert [(entry.config["depth"], entry.config["seed"]) for entry in found] == [(3, 0), (3, 1), (10, 0), (10, 1)]
    assert found == by_hydra(["--multirun"], overrides)
