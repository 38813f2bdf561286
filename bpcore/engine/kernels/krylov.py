"""Lanczos iteration with the Hessian of J as one compiled function: a product is the difference of two gradients, run after run.

Gradients are the step loop's own, called by its address. What is kept is h·m times what the equations say, h of the difference and m of
the sums over a batch, which spares a pass. `textbook.Textbook.krylov` says the same in numpy.
"""

import math
from typing import Any

from numba import carray, types

from bpcore.engine.kernels.language import ENTRIES, SUMS, call_of, inner
from bpcore.engine.kernels.loops import copy, squares
from bpcore.engine.kernels.pointers import vector
from bpcore.engine.rows import EXHAUSTED

walk = call_of(types.void, 5)


@inner(ENTRIES)
def _moved(theta, h, v, out):
    """Write θ + hv."""
    for i in range(theta.size):
        out[i] = theta[i] + h * v[i]


@inner(SUMS)
def _difference(image, base, beta, before, v):
    """Take from a gradient the one at θ, and what the last direction has of it; return what the new one has."""
    alpha = 0.0
    for i in range(v.size):
        image[i] -= base[i] + beta * before[i]
        alpha += image[i] * v[i]
    return alpha


@inner(SUMS)
def _rest(image, alpha, v):
    """Take from an image what the direction has of it, and return Σ of the squares that are left."""
    total = 0.0
    for i in range(v.size):
        image[i] -= alpha * v[i]
        total += image[i] * image[i]
    return total


@inner(ENTRIES)
def _scale(x, factor, out):
    """Write factor·x."""
    for i in range(x.size):
        out[i] = factor * x[i]


def _krylov(plan, T, told, scales, noise, rows, first, last, diverged, alphas, betas, counts):
    """Write α and β of each run's iteration, times h·m, and how many there are.

    told: the step loop's address, and how many products are made. scales: h of each run. noise: is added to the unit gradient that a run
    begins with. rows: room for four vectors as long as θ. first, last, diverged: what the step loop is told, 0 of every run.
    """
    P, products = plan.parameters_columns, told[1]
    room, noise = carray(rows, (4, P)), carray(noise, P)
    theta, base, v, before = room[0], room[1], room[2], room[3]
    for r in range(plan.runs):
        parameters, gradient = vector(plan.parameters, r * P, P, T), vector(plan.gradient, 0, P, T)
        h = scales[r]
        last[r] = 1
        walk(told[0], plan, T, first, last, diverged)
        copy(parameters, theta)
        copy(gradient, base)
        length = math.sqrt(squares(base))
        _moved(noise, 1 / length if length > 0 else 0.0, base, v)
        _scale(v, 1 / math.sqrt(squares(v)), v)
        _scale(v, 0.0, before)
        beta, largest = 0.0, 0.0
        for k in range(products):
            _moved(theta, h, v, parameters)
            walk(told[0], plan, T, first, last, diverged)
            alpha = _difference(gradient, base, beta, before, v)
            beta = math.sqrt(_rest(gradient, alpha, v))
            alphas[r * products + k], betas[r * products + k], counts[r] = alpha, beta, k + 1
            largest = max(largest, abs(alpha), beta)
            if not (beta > EXHAUSTED * largest and beta < math.inf):
                break
            copy(v, before)
            _scale(gradient, 1 / beta, v)
        last[r] = 0


def _signature(T: Any, record: Any) -> Any:
    """Return void(plan, T, …), given the types of a number and of the plan."""
    whole, number = types.CPointer(types.int64), types.CPointer(types.float64)
    return types.void(record, T, whole, number, number, number, whole, whole, whole, number, number, whole)


KERNELS = {"krylov": (_krylov, _signature, ENTRIES)}
