"""The error of the engine's elementary functions in units in the last place, as a table: python -m tests.bpcore.engine.kernels.ulps."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath as mp
import numba
import numpy as np

from bpcore.engine.kernels import elementary

PRECISION = 150
"""Bits of the reference."""


@dataclass(frozen=True)
class Case:
    """One function: what computes it, what it is, and where it is finite, by dtype.

    Args:
        function: a compiled function of a number.
        place: which of its results; None if it has one alone.
        exact: the same of an mpmath number.
        ends: dtype -> lowest and highest argument of a finite result.
    """

    function: Any
    place: int | None
    exact: Callable[[Any], Any]
    ends: dict[str, tuple[float, float]]


def both(wide: tuple[float, float], narrow: tuple[float, float]) -> dict[str, tuple[float, float]]:
    return {"float64": wide, "float32": narrow}


GROWING = both((-746, 709.78), (-104.5, 88.72))
POSITIVE = both((5e-324, 1.7e308), (1.5e-45, 3.4e38))
CASES = {
    "exp": Case(elementary.exp, None, mp.exp, GROWING),
    "expm1": Case(elementary.expm1, None, mp.expm1, GROWING),
    "sinh": Case(elementary.sinh, None, mp.sinh, both((-710.4, 710.4), (-89.4, 89.4))),
    "log": Case(elementary.log, None, mp.log, POSITIVE),
    "log1p": Case(elementary.log1p, None, mp.log1p, both((-1 + 2.0**-53, 1.7e308), (-1 + 2.0**-24, 3.4e38))),
    "tanh": Case(elementary.tanh, 0, mp.tanh, both((-400, 400), (-60, 60))),
    "sech² = tanh′": Case(elementary.tanh, 1, lambda z: mp.sech(z) ** 2, both((-374, 374), (-53, 53))),
    "σ, the logistic": Case(elementary.logistic, 0, lambda z: 1 / (1 + mp.exp(-z)), both((-746, 746), (-104.5, 104.5))),
    "σ′": Case(elementary.logistic, 1, lambda z: mp.sech(z / 2) ** 2 / 4, both((-746, 746), (-104.5, 104.5))),
    "Φ, the normal": Case(elementary.normal, 0, lambda z: mp.erfc(-z / mp.sqrt(2)) / 2, both((-38.6, 10), (-14.3, 7))),
    "Φ′": Case(elementary.normal, 1, lambda z: mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi), both((-38.7, 38.7), (-14.4, 14.4))),
}


@cache
def over(function: Any, place: int | None) -> Callable[[Any, Any], None]:
    """Return a loop over an array around a compiled function of a number: (x, out) → nothing."""
    if place is None:

        @numba.njit(error_model="numpy", no_cfunc_wrapper=True)
        def single(x: Any, out: Any) -> None:
            for i in range(x.size):
                out[i] = function(x[i])

        return single  # type: ignore[no-any-return]

    @numba.njit(error_model="numpy", no_cfunc_wrapper=True)
    def one_of(x: Any, out: Any) -> None:
        for i in range(x.size):
            out[i] = function(x[i])[place]

    return one_of  # type: ignore[no-any-return]


def applied(case: Case, x: np.ndarray) -> np.ndarray:
    """Return a function at every entry."""
    out = np.empty_like(x)
    over(case.function, case.place)(x, out)
    return out


def arguments(low: float, high: float, dtype: str, count: int) -> np.ndarray:
    """Return arguments over a whole range: evenly, near 0, and of every order of magnitude down to the smallest number."""
    rng = np.random.default_rng(0)
    tiny = float(np.finfo(dtype).smallest_subnormal)
    with np.errstate(under="ignore"):
        sizes = np.exp2(rng.uniform(np.log2(tiny), np.log2(max(-low, high)), count))
        near, even = rng.uniform(-2, 2, count), low + (high - low) * rng.random(count)
        around_1 = 1 + rng.choice([-1, 1], count) * np.exp2(rng.uniform(-25, 0, count))
        x = np.concatenate([even, near, sizes, -sizes, around_1, [low, high]]).astype(dtype)
    return np.unique(x[(x >= low) & (x <= high)])


def errors(got: np.ndarray, exact: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """Return |got − exact| in units in the last place of the exact value, subnormal numbers included."""
    info = np.finfo(x.dtype)
    last = int(np.log2(float(info.smallest_subnormal)))
    found = []
    with mp.workprec(PRECISION):
        for value, want in zip(got.tolist(), references(exact, tuple(x.tolist())), strict=True):
            unit = max(mp.frexp(want)[1] - 1 - info.nmant, last)
            found.append(float(mp.ldexp(abs(mp.mpf(value) - want), -unit)))
    return np.array(found)


@cache
def references(exact: Callable[[Any], Any], x: tuple[float, ...]) -> list[Any]:
    """Return the exact values; a worse function is held against the same."""
    with mp.workprec(PRECISION):
        return [exact(mp.mpf(argument)) for argument in x]


def worst(case: Case, dtype: str, count: int) -> tuple[float, float]:
    """Return the largest error of a function, and where it is made."""
    x = arguments(*case.ends[dtype], dtype, count)
    found = errors(applied(case, x), case.exact, x)
    place = int(np.argmax(np.where(np.isnan(found), np.inf, found)))
    return float(found[place]), float(x[place])


def digest() -> str:
    """Return a checksum of what functions of every kind make of numbers of every kind."""
    found = hashlib.sha256()
    for name in ("sech² = tanh′", "Φ, the normal", "log1p"):
        case = CASES[name]
        for dtype in ("float64", "float32"):
            found.update(applied(case, arguments(*case.ends[dtype], dtype, 200)).tobytes())
    return found.hexdigest()


def table(count: int = 4000) -> str:
    """Return the largest errors as Markdown."""
    lines = ["| function | float64, ULP | at | float32, ULP | at |", "|---|---|---|---|---|"]
    for name, case in CASES.items():
        cells = [f"{error:.2f} | {place:.6g}" for error, place in (worst(case, dtype, count) for dtype in ("float64", "float32"))]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
