"""A graph evaluated anew, and its derivative by complex step."""

import numpy as np

from bpcore.graph.gates import exp
from bpcore.graph.node import variable
from bpcore.graph.perturb import complex_step, evaluate


def test_evaluate_takes_other_leaves_and_leaves_the_graph_alone() -> None:
    x, y = variable(2.0), variable(3.0)
    q = x * y
    f = q + x
    assert evaluate(f, {x: 5.0}) == 20.0
    assert evaluate(f, {q: 1.0}) == 3.0  # any node's value can be put in its place
    assert (f.value, q.value) == (8.0, 6.0)


def test_complex_step_knows_a_derivative_far_below_rounding() -> None:
    x = variable(40.0)
    f = exp(-x) + 1  # 1 + 4e-18 rounds to 1
    np.testing.assert_allclose(complex_step(f, x), -np.exp(-40.0), rtol=1e-15, atol=0)
