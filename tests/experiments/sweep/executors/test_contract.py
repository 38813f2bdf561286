"""What every executor promises; a new one is a row of EXECUTORS."""

import pickle
import time

import pytest

from experiments.config.building import build
from experiments.config.files import catalogue, choice
from experiments.errors import UserError
from experiments.sweep.executors.contract import Failed, Finished, Lost, Task
from experiments.sweep.executors.processes import Processes
from experiments.sweep.executors.serial import Serial
from tests.experiments.sweep.executors.tasks import fail, linger, write

EXECUTORS = [Serial(), Processes(max_workers=2)]


@pytest.fixture(params=EXECUTORS, ids=repr)
def crew(request):
    crew = request.param.start(10)
    yield crew
    crew.cancel()
    crew.close()


def computed(crew, tasks):
    """Compute tasks, as many at a time as the crew takes, and return their endings by name."""
    waiting, endings = list(tasks), []
    while len(endings) < len(tasks):
        while waiting and len(tasks) - len(waiting) - len(endings) < crew.slots:
            crew.submit(waiting.pop(0))
        told = crew.wait()
        assert told
        endings += told
    assert list(crew.wait()) == []
    return {ending.task.name: ending for ending in endings}


def test_every_task_leaves_what_it_makes_and_is_told_of_once(crew, tmp_path):
    tasks = [Task(f"t{i}", write, (tmp_path / f"t{i}", str(i))) for i in range(5)]
    endings = computed(crew, tasks)
    assert endings == {task.name: Finished(task) for task in tasks}
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {f"t{i}": str(i) for i in range(5)}


@pytest.mark.parametrize("error", [RuntimeError("on purpose"), UserError("disk full"), MemoryError("too large"), OSError(28, "No space")])
def test_what_a_task_raises_is_told_and_costs_no_other(crew, tmp_path, error):
    tasks = [Task("bad", fail, (error,)), *(Task(f"t{i}", write, (tmp_path / f"t{i}", "")) for i in range(3))]
    endings = computed(crew, tasks)
    bad = endings.pop("bad")
    assert isinstance(bad, Failed)
    assert (bad.task, type(bad.error), bad.error.args) == (tasks[0], type(error), error.args)
    assert all(isinstance(ending, Finished) for ending in endings.values())


def test_arguments_that_cannot_be_sent_are_a_failure_or_no_matter(crew, tmp_path):
    given = (value for value in "ab")  # no generator can be pickled
    (ending,) = computed(crew, [Task("t", next, (given,))]).values()
    assert isinstance(ending, Finished if crew.slots == 1 else Failed)


def test_it_takes_no_more_tasks_than_it_has_slots_for(crew):
    for i in range(crew.slots):
        crew.submit(Task(f"t{i}", fail, (RuntimeError(),)))
    with pytest.raises(RuntimeError, match=r"busy|at a time"):
        crew.submit(Task("one too many", fail, (RuntimeError(),)))


def test_nothing_is_told_of_what_was_cancelled(crew, tmp_path):
    crew.submit(Task("t", linger, (tmp_path / "pid",)))
    began = time.monotonic()
    crew.cancel()
    assert list(crew.wait()) == []
    crew.close()
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("executor", EXECUTORS, ids=repr)
def test_an_executor_is_a_value_that_can_be_sent(executor):
    assert pickle.loads(pickle.dumps(executor)) == executor


@pytest.mark.parametrize("executor", EXECUTORS, ids=repr)
def test_a_crew_has_at_least_the_slots_that_its_workers_need(executor):
    for tasks in (1, 2, 100):
        crew = executor.start(tasks)
        assert 1 <= executor.workers(tasks) <= crew.slots
        crew.close()


@pytest.mark.parametrize("name", catalogue("executor"))
def test_every_choice_makes_one_that_knows_its_workers(name):
    executor = build(choice("executor", name))
    assert executor.workers(1) == 1
    assert executor.workers(10**6) >= 1
    assert executor in (Serial(), Processes())


def test_the_endings_say_of_which_task():
    task = Task("t", print)
    assert {ending.task for ending in (Finished(task), Failed(task, RuntimeError()), Lost(task, "gone"))} == {task}
    assert Task("t", print) != task  # two tasks are two, even if they mean the same work
