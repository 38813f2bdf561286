"""Many small cases in one test: to set a test up and to tell of it takes milliseconds, longer than most of them take themselves."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def every(cases: Iterable[Any], by: Callable[..., str] | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a check of one case a test of many; it tries all of them, and its failure names each that fails.

    Args:
        cases: the arguments of the check, a tuple where there are several.
        by: case -> the test that it belongs to; None for a single one.
    """
    groups: dict[str, list[Any]] = defaultdict(list)
    for case in cases:
        groups[by(*_arguments(case)) if by else "all"].append(case)
    if not groups:
        raise LookupError("there is no case, so there is nothing to test")

    def made(check: Callable[..., None]) -> Callable[..., None]:
        def test(group: str) -> None:
            hold(groups[group], check)

        test.__name__, test.__qualname__, test.__module__, test.__doc__ = (
            check.__name__,
            check.__qualname__,
            check.__module__,
            check.__doc__,
        )
        return pytest.mark.parametrize("group", list(groups))(test)

    return made


def hold(cases: Iterable[Any], check: Callable[..., None]) -> None:
    """Try every case.

    Raises:
        ExceptionGroup: of what was raised, each with the name of its case.
    """
    raised = []
    for case in cases:
        try:
            check(*_arguments(case))
        except Exception as error:
            error.add_note(f"case: {'-'.join(map(str, _arguments(case)))}")
            raised.append(error)
    if raised:
        raise ExceptionGroup("cases that fail", raised)


def _arguments(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)
