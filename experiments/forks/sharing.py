"""Work of one process done by several: forked copies of it, which hold all that it holds, so that nothing is sent to them."""

import contextlib
import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import psutil

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 8
"""Processes at most: what is shared out here takes seconds, and each of them takes memory."""


def cores() -> int:
    """Return the physical cores that this process may use: two threads of one core share the unit that does our work."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, psutil.cpu_count(logical=False) or usable))


def shared_out(
    function: Callable[[Item], Result], items: Sequence[Item], told: Callable[[], object] = lambda: None, workers: int | None = None
) -> list[Result]:
    """Call a function for every item, in this process and in forked copies of it, whoever is free taking the next.

    What a copy does with memory is lost with it: it counts what the function returns, which is pickled, and the files that it writes.
    What a copy cannot return, because it has died or because that cannot be pickled, this process does itself. Where there is one core,
    or no safe fork, as on macOS and Windows, this process does it all.

    Args:
        function: not random, and of nothing but the item; a copy has no threads but its own.
        items: of any kind.
        told: called for each item that this process has done, or been handed.
        workers: processes, this one among them; None for one a core.

    Returns:
        One result an item, in their order.

    Raises:
        Exception: the first that the function raised, by the order of the items.
    """
    count = min(cores() if workers is None else workers, MOST, len(items))
    if count < 2 or not sys.platform.startswith("linux"):
        return list(_told(map(function, items), told))
    try:
        shares = _Shares(function, items)
    except OSError:  # no memory that processes share, as where /dev/shm is missing
        return list(_told(map(function, items), told))
    done: dict[int, _Outcome[Result]] = {}
    with shares.helped(count - 1) as helpers:
        for place, outcome in shares.work():
            done[place] = outcome
            told()
        for helper in helpers:
            for place, outcome in helper.outcomes().items():
                done[place] = outcome
                told()
    return [done[place].result() if place in done else function(item) for place, item in enumerate(items)]


def _told(results: Iterator[Result], told: Callable[[], object]) -> Iterator[Result]:
    for result in results:
        told()
        yield result


class _Outcome(Generic[Result]):
    """Hold what a call returned, or what it raised and where."""

    def __init__(self, function: Callable[[Any], Result], item: Any) -> None:
        self._results: list[Result] = []
        self._error: Exception | None = None
        try:
            self._results.append(function(item))
        except Exception as error:  # it is raised where all of them come together
            self._error, self._where = error, traceback.format_exc()

    def result(self) -> Result:
        """Return what the call returned, or raise what it raised."""
        if self._error is None:
            return self._results[0]
        if self._error.__traceback__ is None:  # of another process, where its traceback has stayed
            self._error.add_note(self._where)
        raise self._error


class _Shares(Generic[Item, Result]):
    """Share out items: the places of those that nobody has taken yet are counted in memory that all processes see."""

    def __init__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> None:
        self._function, self._items = function, items
        self._context = multiprocessing.get_context("fork")
        self._next = self._context.Value("q", 0)

    def work(self) -> Iterator[tuple[int, _Outcome[Result]]]:
        """Yield the places that this process takes, with what came of them, as long as there are any."""
        while True:
            with self._next.get_lock():
                place = self._next.value
                self._next.value = place + 1
            if place >= len(self._items):
                return
            yield place, _Outcome(self._function, self._items[place])

    @contextlib.contextmanager
    def helped(self, count: int) -> Iterator[list["_Helper"]]:
        """Start copies of this process, which work too; none of them outlives this."""
        helpers: list[_Helper] = []
        try:
            with contextlib.suppress(OSError):  # no memory or no process is left: fewer do it
                for _ in range(count):
                    helpers.append(_Helper(self._context, self))
            yield helpers
        finally:
            for helper in helpers:
                helper.end()


class _Helper:
    """Work in a forked copy of this process, and be asked what came of it when it is done."""

    def __init__(self, context: Any, shares: "_Shares[Any, Any]") -> None:
        self._ours, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_help, args=(shares, theirs), daemon=True)
        with warnings.catch_warnings():  # threads of libraries, which know of forks: they are idle, and the copy starts its own
            warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning)
            self._process.start()
        theirs.close()

    def outcomes(self) -> dict[int, "_Outcome[Any]"]:
        """Wait, and return what came of its places; of none where that cannot be known."""
        try:
            found: dict[int, _Outcome[Any]] = self._ours.recv()
        except Exception:  # it has died, or what came of its places cannot be pickled, or not be made again
            return {}
        return found

    def end(self) -> None:
        """End it, if it still works."""
        self._ours.close()
        self._process.kill()
        self._process.join()


def _help(shares: "_Shares[Any, Any]", pipe: Any) -> None:
    """Work, and send what came of it, all or nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the first process decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pipe.send(dict(shares.work()))
