import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from experiments.forks.sharing import cores, shared_out


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    told: list[int] = []
    assert shared_out(lambda item: item * 10, range(7), lambda: told.append(1), workers) == [0, 10, 20, 30, 40, 50, 60]
    assert len(told) == 7


def test_there_is_nothing_to_do_for_no_items() -> None:
    assert shared_out(lambda item: item, [], workers=2) == []


def test_copies_take_part_and_hold_what_this_process_holds(tmp_path: Path) -> None:
    here, taken, held = os.getpid(), tmp_path / "taken", [object()]

    def where(item: int) -> int:
        assert held
        if os.getpid() != here:
            taken.touch()
        for _ in range(3000):  # wait for the copy, which takes the other item
            if taken.exists():
                break
            time.sleep(0.01)
        return os.getpid()

    waiting = threading.Event()
    other = threading.Thread(target=waiting.wait)  # a fork beside a thread of this process is told of, from Python 3.12 on
    other.start()
    try:
        assert len(set(shared_out(where, range(2), workers=2))) == 2
    finally:
        waiting.set()
        other.join()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_error_by_the_order_of_the_items_is_raised(workers: int) -> None:
    def broken(item: int) -> int:
        if item in (2, 5):
            raise ValueError(f"item {item}")
        return item

    with pytest.raises(ValueError, match="item 2"):
        shared_out(broken, range(8), workers=workers)


def test_what_a_copy_takes_with_it_is_done_again() -> None:
    here = os.getpid()

    def deadly(item: int) -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        signal.sigtimedwait([], 0.01)
        return item

    assert shared_out(deadly, range(10), workers=2) == list(range(10))


def test_what_cannot_be_pickled_is_made_here() -> None:
    made = shared_out(lambda item: lambda: item, range(6), workers=2)
    assert [one() for one in made] == list(range(6))


def test_an_interrupt_leaves_no_copy_behind() -> None:
    here = os.getpid()

    def interrupted(item: int) -> int:
        if os.getpid() == here:
            raise KeyboardInterrupt
        return item

    with pytest.raises(KeyboardInterrupt):
        shared_out(interrupted, range(200), workers=2)
    assert multiprocessing.active_children() == []


def test_there_is_a_core() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
