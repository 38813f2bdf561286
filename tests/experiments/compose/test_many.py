import pytest

from experiments.atlas.catalogue import FOLDER, read
from experiments.compose.composition import compose
from experiments.compose.many import Composer
from experiments.errors import UserError


@pytest.mark.parametrize(
    "overrides",
    [
        ["depth=2,3", "activation=tanh,relu", "init.scale=0.5,1", "steps=0"],
        ["data=gaussian", "data.n_samples=30", "seed=range(3)", "normalization=batch,none"],
        ["lr=0.1,0.2", "depth=1,2", "hydra.sweeper.zip=[lr,depth]"],
        ["+experiment=init_scale", "depth=3"],
        ["init=he", "init.scale=choice(1,2)", "width=4"],
    ],
)
def test_it_composes_what_hydra_composes(overrides: list[str]) -> None:
    assert Composer().compose(overrides) == compose(["--multirun"], overrides)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("dpeth=3", "did you mean `depth`"),
        ("activation=tan", "has no choice 'tan'"),
        ("activation._target_=os.system", "cannot be overridden"),
    ],
)
def test_it_refuses_what_hydra_refuses_and_goes_on(override: str, message: str) -> None:
    composer = Composer()
    with pytest.raises(UserError, match=message):
        composer.compose(["depth=2", override])
    assert len(composer.compose(["depth=2,3"])) == 2


def test_a_pilots_sweep_is_composed_in_its_order() -> None:
    sweep = read(FOLDER / "s_vanish.yaml").sweeps["depths"]
    overrides = [*sweep.overrides, "depth=3,10", "seed=range(2)"]
    found = Composer().compose(overrides)
    assert [(entry.config["depth"], entry.config["seed"]) for entry in found] == [(3, 0), (3, 1), (10, 0), (10, 1)]
    assert found == compose(["--multirun"], overrides)
