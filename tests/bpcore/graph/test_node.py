"""Nodes and gates: operators, names, errors, and what the graph may import."""

import ast
import pkgutil
import sys
from pathlib import Path

import numpy as np
import pytest

import bpcore
import bpcore.graph.node
from bpcore.graph.gates import add, exp, matmul, multiply, negate, power, reciprocal, subtract, transpose
from bpcore.graph.node import Gate, Node, variable
from tests.processes import run


def test_values_are_copied_and_cannot_be_changed() -> None:
    given_array = np.array([1.0, 2.0])
    x = variable(given_array)
    given_array[0] = 5.0
    assert x.value.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        x.value[0] = 3.0


def test_operators_are_gates_on_either_side() -> None:
    x = variable([[1.0, 2.0], [3.0, 4.0]])
    array = np.array([[2.0, 0.0], [1.0, 1.0]])
    cases: list[tuple[Node, Gate, np.ndarray]] = [
        (x + array, add, x.value + array),
        (array + x, add, x.value + array),
        (x - 1, subtract, x.value - 1),
        (1 - x, subtract, 1 - x.value),
        (array * x, multiply, array * x.value),
        (x @ array, matmul, x.value @ array),
        (array @ x, matmul, array @ x.value),
        (-x, negate, -x.value),
        (x**2, power, x.value**2),
        (2**x, power, 2**x.value),
        (x.T, transpose, x.value.T),
        (reciprocal(x), reciprocal, 1 / x.value),
    ]
    for node, gate, value in cases:
        assert isinstance(node, Node)
        assert node.gate is gate
        assert (node.value == value).all()
    assert (x / 2).value.tolist() == (x.value / 2).tolist()
    assert (2 / x).value.tolist() == (2 / x.value).tolist()
    assert abs(-x).value.tolist() == x.value.tolist()
    assert +x is x


def test_wrong_operands_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"gate `add` got inputs of shapes \(2,\) and \(3,\)"):
        variable([1, 2]) + variable([1, 2, 3])
    with pytest.raises(TypeError, match="gate `exp` got 2 operands, expected 1"):
        exp(1.0, 2.0)
    with pytest.raises(TypeError, match="expected numbers"):
        variable("x")


def test_a_name_stays_with_the_computation() -> None:
    q = (variable(1.0, "x") + 2).named("q")
    assert (q.name, q.value) == ("q", 3.0)
    assert "q add: 3.0" in repr(q)
    assert "variable: array of shape (2,)" in repr(variable([1, 2]))


def modules() -> list[str]:
    """Return the modules of the graph by their dotted names."""
    return [module.name for module in pkgutil.walk_packages(bpcore.graph.__path__, "bpcore.graph.")]


def test_the_graph_loads_nothing_of_the_layered_core() -> None:
    assert {"bpcore.graph.node", "bpcore.graph.reverse", "bpcore.graph.gates.routers"} <= set(modules())
    loading = f"import importlib, sys\nfor name in {modules()}: importlib.import_module(name)\nprint(*sys.modules)"
    answer = run([sys.executable, "-c", loading], cwd=Path(bpcore.__file__).parents[1])
    assert answer.returncode == 0, answer.stderr
    loaded = {name for name in answer.stdout.split() if name.split(".")[0] in ("bpcore", "experiments")}
    assert loaded == {"bpcore", "bpcore.graph", *modules()}


def test_nodes_know_of_no_gate() -> None:
    tree = ast.parse(Path(str(bpcore.graph.node.__file__)).read_text(encoding="utf-8"))
    origins = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    origins |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not [origin for origin in origins if origin.startswith("bpcore")]


def test_the_door_of_the_package_is_all_that_a_reader_needs() -> None:
    x, y = bpcore.graph.variable(2.0, "x"), bpcore.graph.constant(3.0)
    f = bpcore.graph.gates.sigmoid(x * y - 6)
    assert isinstance(f, bpcore.graph.Node)
    assert isinstance(f.gate, bpcore.graph.Gate)
    assert bpcore.graph.backward(f)[x] == 0.75  # 3σ′(0)
