from pathlib import Path
from typing import Any

import pytest

from experiments.compose.composition import compose
from experiments.config.run import Run
from experiments.config.validation import validate
from experiments.errors import UserError
from tests.experiments.datasets.tables import clinic, flowers


def run(path: Path, target: str, *overrides: str) -> Run:
    (composed,) = compose([], ["data=table", f"data.path={path}", f"data.target={target}", *overrides])
    return validate(composed.config)


@pytest.mark.parametrize(("loss", "outputs"), [("sigmoid_cross_entropy", 1), ("softmax_cross_entropy", 2), ("mse", 2)])
def test_the_loss_decides_how_many_outputs_stand_for_two_classes(tmp_path: Path, loss: str, outputs: int) -> None:
    found = run(clinic(tmp_path), "positive", f"loss={loss}")
    assert found.sizes[-1] == outputs
    assert found.facts.classes == 2


@pytest.mark.parametrize("loss", ["sigmoid_cross_entropy", "softmax_cross_entropy", "mse"])
def test_three_classes_have_three_outputs(tmp_path: Path, loss: str) -> None:
    assert run(flowers(tmp_path), "species", f"loss={loss}").sizes[-1] == 3


@pytest.mark.parametrize(
    ("outputs", "loss", "number"), [("one_hot", "sigmoid_cross_entropy", 2), ("one", "sigmoid_cross_entropy", 1), ("one", "mse", 1)]
)
def test_what_is_asked_for_is_done(tmp_path: Path, outputs: str, loss: str, number: int) -> None:
    assert run(clinic(tmp_path), "positive", f"loss={loss}", f"data.outputs={outputs}").sizes[-1] == number


def test_what_is_left_to_the_loss_is_the_same_run_as_what_it_decides(tmp_path: Path) -> None:
    path = clinic(tmp_path)
    assert run(path, "positive").run_id == run(path, "positive", "data.outputs=one_hot").run_id


def test_one_output_cannot_go_through_a_softmax(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"loss=softmax_cross_entropy needs one output a class.*data\.outputs=one_hot, or loss=sigmoid"):
        run(clinic(tmp_path), "positive", "data.outputs=one")


def test_a_validated_config_is_valid_under_another_loss(tmp_path: Path) -> None:
    first = run(clinic(tmp_path), "positive", "loss=sigmoid_cross_entropy")
    node: dict[str, Any] = run(clinic(tmp_path), "positive").config["loss"]
    assert validate({**first.config, "loss": node}).sizes[-1] == 2
