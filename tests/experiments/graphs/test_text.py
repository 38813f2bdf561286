"""Names, numbers and tables."""

import numpy as np
import pytest

from bpcore.graph.gates import summation
from bpcore.graph.node import variable
from bpcore.graph.reverse import backward
from experiments.graphs.expression import parse
from experiments.graphs.text import infix, names, operation, rows, table, tabulate


def test_arrays_are_written_row_by_row_and_large_ones_by_shape() -> None:
    assert rows(np.array(0.5)) == ["0.5"]
    assert rows(np.array([1.0, -2.5])) == ["[1, -2.5]"]
    assert rows(np.array([[1.0, -2.5], [10.0, 0.0]])) == ["[ 1  -2.5]", "[10     0]"]
    assert rows(np.zeros((3, 20))) == ["array 3×20"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("(x+y)*z", "(x + y)*z"),
        ("x-(y-z)", "x - (y - z)"),
        ("x-y-z", "x - y - z"),
        ("x/(y*z)", "x/(y*z)"),
        ("x/y*z", "x/y*z"),
        ("(x**y)**z", "(x**y)**z"),
        ("x**y**z", "x**y**z"),
        ("(-x)**2+y*z", "(-x)**2 + y*z"),
        ("-x**2+y*z", "-x**2 + y*z"),
        ("1/(1+exp(-x))*y*z", "1/(1 + exp(-x))*y*z"),
        ("1/(1/x)+y*z", "1/(1/x) + y*z"),
        ("x*-2+y*z", "x*-2 + y*z"),
        ("(-2)**x+y*z", "(-2)**x + y*z"),
    ],
)
def test_expressions_are_written_with_the_brackets_they_need(text: str, written: str) -> None:
    values = {"x": 2.0, "y": 3.0, "z": 1.0}
    root = parse(text, values).root
    assert infix(root, names(root)) == written
    assert parse(written, values).root.value == root.value


def test_names_follow_lectures_and_avoid_taken_ones() -> None:
    root = parse("(x+y)*z", {"x": -2, "y": 5, "z": -4}).root
    assert list(names(root).values()) == ["x", "y", "q1", "z", "f"]
    root = parse("(q1+f)*z", {"q1": -2, "f": 5, "z": -4}).root
    label = list(names(root).values())
    assert len(set(label)) == 5
    assert label[2].startswith("s")


def test_the_table_holds_what_backward_says() -> None:
    x, y = variable(2.0, "x"), variable([1.0, 3.0], "y")
    root = summation(x * y * 2)
    gradients = backward(root)
    listed = tabulate(root, gradients, names(root))
    assert [row.name for row in listed] == ["x", "y", "q1", "q2", "f"]
    assert [row.expression for row in listed] == ["", "", "x*y", "q1*2", "sum(q2)"]
    assert all((row.gradient == gradients[row.node]).all() and (row.value == row.node.value).all() for row in listed)
    text = table(listed, "f")
    assert "∂f/∂node" in text
    assert "multiply, switches" in text
    assert all(line == line.rstrip() for line in text.split("\n"))
    assert operation(root, names(root)) == "sum(q2)"
