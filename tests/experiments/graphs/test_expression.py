"""The parser: what it reads, what it refuses and where, and how fast it refuses."""

import ast
import contextlib
import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcore.graph import gates
from bpcore.graph.reverse import backward, topological_order
from experiments import graphs
from experiments.errors import UserError
from experiments.graphs.expression import parse, parse_values
from experiments.graphs.reader import functions
from experiments.graphs.refusals import ExpressionError
from experiments.graphs.text import infix, names


def test_the_lecture_example() -> None:
    expression = parse("(x+y)*z", {"x": -2, "y": 5, "z": -4})
    gradients = backward(expression.root)
    assert expression.root.value == -12
    assert {name: float(gradients[leaf]) for name, leaf in expression.variables.items()} == {"x": -4, "y": -4, "z": 3}


VALUES = {"x": 1.5, "y": 0.25, "z": -2.0}
ATOMS = st.sampled_from(["x", "y", "z", "2", "0.5", "3e-1", "pi"])


def combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", " + ", "* "]), inner).map(lambda parts: "".join(parts))
    return st.one_of(
        two,
        two.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
        inner.map(lambda text: f"({text})**2"),
        inner.map(lambda text: f"tanh({text})"),
        inner.map(lambda text: f"max({text}, 1)"),
        inner.map(lambda text: f"2**-({text})**2"),
    )


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.recursive(ATOMS, combine, max_leaves=8).map(lambda text: f"x*y*z+{text}"))
def test_expressions_have_python_s_own_value_and_are_written_back(text: str) -> None:
    try:
        expected = eval(text, {"__builtins__": {}}, VALUES | {"tanh": math.tanh, "max": max, "pi": math.pi})
    except (ZeroDivisionError, OverflowError):
        return
    expression = parse(text, VALUES)
    np.testing.assert_allclose(expression.root.value, expected, rtol=1e-12, atol=1e-13 * abs(expression.root.value).max() + 1e-13)
    written = infix(expression.root, names(expression.root))
    # constants are written with six digits
    assert parse(written, VALUES).root.value == pytest.approx(float(expression.root.value), rel=1e-4)


@pytest.mark.parametrize(
    ("text", "gates_used"),
    [
        ("1/(1+exp(-x))", ["negate", "exp", "add", "reciprocal"]),
        ("2/x", ["divide"]),
        ("x**2", ["power"]),
        ("-x**2", ["power", "negate"]),
        ("max(x, 1, 0)", ["max", "max"]),
        ("2*3*x", ["multiply"]),
        ("ln(x)", ["log"]),
        ("abs(-2)*x", ["multiply"]),
        ("leaky_relu(x, alpha=0.2)", ["leaky_relu"]),
        ("+x*e", ["multiply"]),
    ],
)
def test_which_gates_an_expression_becomes(text: str, gates_used: list[str]) -> None:
    root = parse(text, {"x": 1.7}).root
    assert [node.gate.name for node in topological_order(root) if node.gate] == gates_used


def test_every_gate_can_be_called_by_name() -> None:
    assert functions().keys() >= gates.catalogue().keys()
    for name, gate in gates.catalogue().items():
        arguments = ", ".join(["x", "y"][: len(gate.vjps)])
        values: dict[str, Any] = {"x": [[0.5, 0.2], [0.1, 0.7]], "y": [[0.3, 0.7], [0.6, 0.4]]}
        parse(f"sum({name}({arguments}))", {key: values[key] for key in ["x", "y"][: len(gate.vjps)]})


def test_vectors_matrices_and_arithmetic_as_values() -> None:
    values = parse_values(["W=[[0.1,0.5],[-0.3,0.8]]", "x=[.2, 2/5]", "t=-pi/4", "z=-4", "n = 1e-3"])
    assert values["W"].tolist() == [[0.1, 0.5], [-0.3, 0.8]]
    assert values["x"].tolist() == [0.2, 0.4]
    assert (float(values["t"]), float(values["z"]), float(values["n"])) == (-math.pi / 4, -4.0, 1e-3)
    expression = parse("norm2(W@x) + 0*sum(W.T@[1, 2])", {"W": values["W"], "x": values["x"]})
    assert expression.root.value == pytest.approx(0.116, rel=1e-12)


# what is refused: expression, values, part of the one line, what the carets stand under
REFUSED = [
    ("__import__('os').system('true')", {}, "cannot be called", "__import__('os').system"),
    ("__import__('os')", {}, "no function `__import__`", "__import__"),
    ("x.__class__", {"x": 1}, "`.__class__` is not allowed", "x.__class__"),
    ("(1).__class__.__bases__", {}, "is not allowed", "(1).__class__.__bases__"),
    ("[i for i in range(9)]", {}, "a comprehension has no place", "[i for i in range(9)]"),
    ("sum(i for i in x)", {"x": 1}, "a comprehension has no place", "(i for i in x)"),
    ("{x: 1}", {"x": 1}, "a dictionary", "{x: 1}"),
    ("lambda: x", {"x": 1}, "a lambda", "lambda: x"),
    ("x if x else 1", {"x": 1}, "a condition", "x if x else 1"),
    ("x == 1", {"x": 1}, "a comparison", "x == 1"),
    ("x and y", {"x": 1, "y": 2}, "`and`/`or`", "x and y"),
    ("x[0]", {"x": [1]}, "an index", "x[0]"),
    ("(x := 2)", {"x": 1}, "an assignment", "x := 2"),
    ("f'{x}'", {"x": 1}, "a string", "f'{x}'"),
    ("'abc'", {}, "no real number", "'abc'"),
    ("x + 2j", {"x": 1}, "no real number", "2j"),
    ("x + True", {"x": 1}, "no real number", "True"),
    ("~x", {"x": 1}, "`not` or `~`", "~x"),
    ("x ^ 2", {"x": 1}, "a power is written **", "^"),
    ("x // 2", {"x": 1}, "operator `//`", "//"),
    ("x % 2", {"x": 1}, "operator `%`", "%"),
    ("x | y", {"x": 1, "y": 1}, "abs(x)", "|"),
    ("9**9**9**9", {}, "is infinite here", "9**9**9"),
    ("x**1e300", {"x": 10}, "is infinite here: the largest double", "x**1e300"),
    ("exp(x)", {"x": 1e9}, "is infinite here: the largest double", "exp(x)"),
    ("2 * log(x - 3)", {"x": 1}, "`log` is defined for x > 0", "log(x - 3)"),
    ("y + 1/x", {"x": 0, "y": 1}, "defined for x other than 0", "1/x"),
    ("sqrt(x)", {"x": -1}, "defined for x ≥ 0", "sqrt(x)"),
    ("x**0.5", {"x": -1}, "is not a number", "x**0.5"),
    ("x**-1", {"x": 0}, "`power` is defined for", "x**-1"),
    ("x + q", {"x": 1}, "`q` has no value", "q"),
    ("alpha + alhpa", {"alpha": 1}, "did you mean `alpha`", "alhpa"),
    ("exq(x)", {"x": 1}, "did you mean `exp`", "exq"),
    ("exp + x", {"x": 1}, "`exp` is a function", "exp"),
    ("x(2)", {"x": 1}, "`x` is a value and cannot be called", "x"),
    ("exp(x, x)", {"x": 1}, "got 2 arguments, expected 1", "exp(x, x)"),
    ("tanh(*x)", {"x": 1}, "a star", "*x"),
    ("tanh(**x)", {"x": 1}, "a star", "**x"),
    ("tanh(x, beta=2)", {"x": 1}, "no setting `beta`", "beta=2"),
    ("sum(x, axis=0.5)", {"x": [1]}, "expected int", "axis=0.5"),
    ("sum(x, axis=y)", {"x": [1], "y": 1}, "setting `axis`", "axis=y"),
    ("sum(x, axis=7)", {"x": [1]}, "expected an axis that the array has", "sum(x, axis=7)"),
    ("x + y", {"x": [1, 2], "y": [1, 2, 3]}, "got shapes (2,) and (3,): expected equal shapes", "x + y"),
    ("x@y", {"x": [1, 2], "y": [1, 2, 3]}, "as many columns on the left", "x@y"),
    ("2 * x.T", {"x": [1, 2]}, "expected a matrix", "x.T"),
    ("[x, 1]", {"x": 1}, "a list holds numbers only", "x"),
    ("[[1, 2], [3]] * x", {"x": 1}, "differ in length", "[[1, 2], [3]]"),
    ("[[[1]]] * x", {"x": 1}, "nested twice at most", "[[[1]]]"),
    ("[] * x", {"x": 1}, "an empty list", "[]"),
    ("x,", {"x": 1}, "a comma", "x,"),
    ("(x+y)z", {"x": 1, "y": 1, "z": 1}, "written with *", "z"),
    ("1+22x", {"x": 1}, "written with *", "x"),
    ("x²", {"x": 1}, "a power is written **", "²"),
    ("x = 2", {"x": 1}, "`=` has no place", "="),
    ("x + (y", {"x": 1, "y": 1}, "has no partner", "("),
    ("x + y)", {"x": 1, "y": 1}, "has no partner", ")"),
    ("x +", {"x": 1}, "cannot be read", "+"),
    ("", {}, "is empty", None),
    ("x\x00", {"x": 1}, "leave it out", "\x00"),
    ("θ*é^2", {"θ": 1, "é": 2}, "operator `^`", "^"),
    ("1e999 * x", {"x": 1}, "too large", "1e999"),
    ("9" * 1500, {}, "too large", None),
    ("-" * 1900 + "x", {"x": 1}, "deep", None),
    ("(" * 900 + "x" + ")" * 900, {"x": 1}, "deep", None),
    ("x**" * 150 + "x", {"x": 1}, "deep", None),
    ("exp(" * 150 + "x" + ")" * 150, {"x": 1}, "deep", None),
    ("x+" * 99_999 + "x", {"x": 1}, "characters, expected at most", None),
    ("[" * 300 + "]" * 300, {}, "deep", None),
    ("x*" + ",".join(["1"] * 900), {"x": 1}, "a comma", None),
]


@pytest.mark.parametrize(("text", "values", "message", "place"), REFUSED, ids=[str(row[0])[:30] for row in REFUSED])
def test_refused_within_a_second_in_one_line_with_a_caret(text: str, values: dict[str, Any], message: str, place: str | None) -> None:
    started = time.process_time()
    with pytest.raises(UserError) as caught:
        parse(text, values)
    assert time.process_time() - started < 1
    lines = str(caught.value).split("\n")
    assert message in lines[0]
    assert isinstance(caught.value, ExpressionError)
    if len(lines) == 1:  # there is no place to point at
        assert lines[0].startswith("expression: ")
        assert "empty" in lines[0] or "too deeply" in lines[0]
        return
    _, shown, carets = lines
    assert re.match(r"expression, character \d+: .*(:|,) ", lines[0])  # where, what, and after a colon or comma how to repair it
    if place is not None:
        assert len(text) > 60 or lines[0].startswith(f"expression, character {carets.index('^') - 1}: ")
        marked = "".join(letter for letter, caret in zip(shown[2:], carets[2:], strict=False) if caret == "^")
        assert marked == place


def test_a_long_sum_is_not_a_deep_one() -> None:
    expression = parse("+".join(["x"] * 450), {"x": 0.5})
    assert expression.root.value == 225
    assert backward(expression.root)[expression.variables["x"]] == 450


@pytest.mark.parametrize(
    ("expression", "shape"),
    [("sum(x*y)", "outer product"), ("sum(x@y)", "outer product"), ("sum((x*y)@(x*y))", "then squared")],
)
def test_arrays_cannot_be_blown_up(expression: str, shape: str) -> None:
    values = {"x": np.ones((9000, 1)), "y": np.ones((1, 9000))}
    started = time.process_time()
    with pytest.raises(UserError, match="would have more than 10000 entries"):
        parse(expression, values)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("x", "expected name=value"),
        ("-v", "`-v` is neither an option nor a value"),
        ("x\ny", "`x y` is no value"),
        ("=3", "cannot be a name"),
        ("2x=3", "cannot be a name"),
        ("lambda=3", "cannot be a name"),
        ("x=", "value of `x`: it is empty, expected for example x=2"),
        ("x=y", "value of `x`, character 1: `y` is no number"),
        ("x=[1,[2]]", "value of `x`, character 1: the rows of this list differ"),
        ("x=__import__('os')", "value of `x`, character 1: no function"),
        ("x=[" + "1," * 20_000 + "1]", "value of `x`, character 20000: there are more than 10000 parts"),
        ("x=nan", "value of `x`, character 1: `nan` is no number"),
    ],
)
def test_values_are_refused_by_name(argument: str, message: str) -> None:
    started = time.process_time()
    with pytest.raises(UserError) as caught:
        parse_values([argument])
    assert time.process_time() - started < 1
    assert message in str(caught.value).split("\n")[0]


def test_a_name_has_one_value_and_every_value_is_used() -> None:
    with pytest.raises(UserError, match="`x` is given two values"):
        parse_values(["x=1", "x=2"])
    with pytest.raises(UserError, match="`y` is given a value but does not occur in `2\\*x`"):
        parse("2*x", {"x": 1, "y": 2})


def test_a_long_expression_is_shown_around_the_place() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("x+" * 200 + "q" + "+x" * 200, {"x": 1})
    _, shown, carets = str(caught.value).split("\n")
    assert len(shown) < 120
    assert shown[carets.index("^")] == "q"


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(st.sampled_from("xy()[]{}+-*/@.,:=1e2'\"#\\ \n^|&~%<>!_λ²if for lambda sum max"), max_size=30))
def test_any_text_is_either_read_or_refused_properly(text: str) -> None:
    with contextlib.suppress(UserError):  # and no other exception
        assert np.isfinite(parse(text, {"x": 1.0, "y": [1.0, 2.0]}).root.value).all()


def test_nothing_is_evaluated_by_python() -> None:
    folder = Path(graphs.__file__).parent
    for path in folder.glob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        assert not {call.id for call in calls if isinstance(call, ast.Name)} & {"eval", "exec", "compile", "__import__"}
