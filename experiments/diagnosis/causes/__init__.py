"""What explains a run: its life goes in, the named conditions that hold come out, in order of weight; one module a cause.

A cause's module has a docstring whose first line says what is wrong in the words of a reader, WEIGHT (roots weigh more than what
follows from them), REMEDIES (files of conf/remedy that it points to, the likeliest first), and `find(life, signal, outcome)`; SAYS_A_RATE
where it would say the largest stable learning rate.
"""

import functools
import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

__all__ = ["ask_for_the_sharpness", "causes_of", "modules", "remedies_of", "with_the_sharpness"]


@functools.cache
def modules() -> dict[str, ModuleType]:
    """Return name -> module of every cause, the weightiest first."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name != "cause"]
    found = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return dict(sorted(found.items(), key=lambda item: (-item[1].WEIGHT, item[0])))


def remedies_of(names: Iterable[str]) -> list[str]:
    """Return the remedies that causes point to, files of conf/remedy, the likeliest first and each once.

    Args:
        names: of causes, the weightiest first.
    """
    return list(dict.fromkeys(remedy for name in names for remedy in modules()[name].REMEDIES))


def ask_for_the_sharpness(causes: Iterable[Cause]) -> bool:
    """Return whether a cause would say the largest stable learning rate."""
    return any(_would_say_a_rate(cause) for cause in causes)


def with_the_sharpness(causes: Iterable[Cause], life: Life, signal: Signal, outcome: Outcome) -> list[Cause]:
    """Find those causes once more that would say the largest stable learning rate, and which the sharpness makes no other.

    Args:
        causes: that hold, in order of weight.
        life: of the run, its sharpness measured.
        signal: at step 0.
        outcome: of the run.

    Returns:
        The same causes, with what they say now.
    """
    found = []
    for cause in causes:
        again = modules()[cause.cause].find(life, signal, outcome) if _would_say_a_rate(cause) else None
        found.append(cause if again is None else again.named(cause.cause))
    return found


def _would_say_a_rate(cause: Cause) -> bool:
    return bool(getattr(modules()[cause.cause], "SAYS_A_RATE", False))


def causes_of(life: Life, signal: Signal, outcome: Outcome) -> list[Cause]:
    """Find what explains a run.

    Args:
        life: of the run.
        signal: at step 0.
        outcome: of the run.

    Returns:
        The causes that hold, in order of weight.
    """
    found = ((name, module.find(life, signal, outcome)) for name, module in modules().items())
    return [cause.named(name) for name, cause in found if cause is not None]
