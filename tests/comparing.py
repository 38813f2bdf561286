"""Two sets of gradients, held against each other array by array and run by run, with relative error and no absolute tolerance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Key = tuple[str, int]

TOLERANCE = 1e-10


def scaled_norm(x: Array) -> float:
    """Return ‖x‖ without overflow or underflow."""
    return float(scaled_norms(np.asarray(x)[None])[0])


def scaled_norms(x: Array) -> Array:
    """Return ‖x‖ of each run, (R,), without overflow or underflow."""
    flat = x.reshape(len(x), -1)
    peak = np.abs(flat).max(axis=1, initial=0.0)
    divisor = np.where(np.isfinite(peak) & (peak > 0), peak, 1.0)
    return np.where(divisor == peak, peak * np.sqrt(((flat / divisor[:, None]) ** 2).sum(axis=1)), peak)


@dataclass(frozen=True)
class Zero:
    """State that a gradient cancels by construction, so that no digit of it need be right.

    Args:
        reason: why.
        terms: norm of the sums of absolute terms that cancel.
        limit: largest size of what is left, as a fraction of `terms`.
    """

    reason: str
    terms: float
    limit: float = 1e-12


def mismatches(
    actual: Mapping[Key, Array],
    expected: Mapping[Key, Array],
    tolerance: float = TOLERANCE,
    zeros: Mapping[tuple[Key, int], Zero] | None = None,
) -> list[str]:
    """Compare two sets of gradients array by array and run by run, with relative error and no absolute tolerance.

    A reference of exactly zero is itself a mismatch, because it would let a vanished gradient pass.

    Args:
        actual: under test, (kind, layer) -> (R, …).
        expected: the reference.
        tolerance: on ‖actual − expected‖/‖expected‖.
        zeros: ((kind, layer), run) -> what cancels by construction; held against the size of its terms instead.

    Returns:
        One line for each array that disagrees.
    """
    lines = []
    if set(actual) != set(expected):
        lines.append(f"different sets of arrays: only in one of them {sorted(set(actual) ^ set(expected))}")
    for key in sorted(set(actual) & set(expected)):
        if actual[key].shape != expected[key].shape:
            lines.append(f"{key}: shape {actual[key].shape}, expected {expected[key].shape}")
            continue
        errors, norms = scaled_norms(actual[key] - expected[key]), scaled_norms(expected[key])
        for run, (one, other) in enumerate(zip(actual[key], expected[key], strict=True)):
            zero = (zeros or {}).get((key, run))
            if zero is not None:
                for name, array, limit in (("value", one, zero.limit), ("reference", other, zero.limit), ("error", one - other, 1e-12)):
                    if not scaled_norm(array) <= limit * zero.terms:
                        lines.append(f"{key} run {run}: {name} {scaled_norm(array):.2e} of terms {zero.terms:.2e}, though {zero.reason}")
                continue
            if not 0 < norms[run] < np.inf:
                lines.append(f"{key} run {run}: the reference's norm is {norms[run]}, so this case tests nothing")
            elif not errors[run] <= tolerance * norms[run]:
                lines.append(f"{key} run {run}: relative error {errors[run] / norms[run]:.2e}, norm {norms[run]:.2e}")
    return lines


def assert_gradients_match(actual: Mapping[Key, Array], expected: Mapping[Key, Array], **options: Any) -> None:
    """Fail with one line per array that disagrees; see `mismatches`."""
    lines = mismatches(actual, expected, **options)
    assert not lines, "\n" + "\n".join(lines)
