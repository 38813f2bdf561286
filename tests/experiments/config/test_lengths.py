import pytest

from experiments.commands.run import further_help
from experiments.compose.composition import compose
from experiments.config.lengths import steps_of
from experiments.config.validation import validate
from experiments.errors import UserError
from tests.experiments.helpers import changed


@pytest.fixture(scope="module")
def default():
    return compose([], ["data.n_samples=50"])[0].config


@pytest.mark.parametrize(
    ("steps", "epochs", "examples", "batch_size", "found"),
    [
        (None, None, 50, None, 100),
        (7, None, 50, None, 7),
        (None, 3, 50, None, 3),
        (None, 3, 50, 16, 12),
        (12, 3, 50, 16, 12),
        (None, 0, 50, 16, 0),
    ],
)
def test_steps_are_what_is_said_of_them(steps, epochs, examples, batch_size, found):
    assert steps_of(steps, epochs, examples, batch_size) == found


def test_what_contradicts_is_refused_in_one_line_with_both():
    with pytest.raises(UserError, match=r"^`epochs=3` is 12 steps of 16 of 50 examples, but `steps=100`; leave one of them out") as error:
        steps_of(100, 3, 50, 16)
    assert "\n" not in str(error.value)


def test_a_run_of_epochs_is_the_run_of_their_steps(default):
    examples = validate(default).facts.n_examples
    by_epochs, by_steps = (validate(changed(default, batch_size=16, **key)) for key in ({"epochs": 2}, {"steps": 2 * -(-examples // 16)}))
    assert by_epochs.steps == by_steps.steps
    assert by_epochs.run_id == by_steps.run_id
    assert by_epochs.config == by_steps.config
    assert validate(by_epochs.config).run_id == by_epochs.run_id


def test_epochs_are_swept_like_any_key(default):
    runs = [validate(entry.config) for entry in compose(["--multirun"], ["data.n_samples=50", "batch_size=10", "epochs=1,2,3"])]
    assert [run.steps for run in runs] == [runs[0].steps * k for k in (1, 2, 3)]


def test_epochs_below_zero_are_refused(default):
    with pytest.raises(UserError, match="`epochs` must be an integer ≥ 0, got -1"):
        validate(changed(default, epochs=-1))


def test_the_help_says_both():
    text = further_help()
    assert "  epochs=null" in text
    assert "  steps=null" in text
