"""Read an expression and its values into a computation graph, without evaluating any Python."""

import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bpcore.graph.node import Array, Node, variable
from experiments.errors import UserError
from experiments.graphs.reader import MAX_ENTRIES, MAX_LENGTH, MAX_NODES, Reader
from experiments.graphs.refusals import shorten

MAX_VALUE_LENGTH = 50_000  # characters of a value: matrices are longer than formulas


@dataclass(frozen=True)
class Expression:
    """Hold a parsed expression.

    Args:
        text: as typed, on one line.
        root: of its graph.
        variables: leaves by name, in the order in which their values were given.
    """

    text: str
    root: Node
    variables: dict[str, Node]


def parse(text: str, values: Mapping[str, Any]) -> Expression:
    """Translate an expression into a graph.

    Args:
        text: for example ``(x+y)*z``.
        values: of every name in it.

    Returns:
        The graph, its values computed.

    Raises:
        ExpressionError: the text is no such expression, a name is unknown or unused, shapes do not fit, a value is not
            finite, or a bound is exceeded.
    """
    variables = {name: variable(value, name) for name, value in values.items()}
    reader = Reader(text, variables, MAX_LENGTH, MAX_NODES)
    root = reader.read()
    unused = [name for name in variables if name not in reader.used]
    if unused:
        raise UserError(f"`{unused[0]}` is given a value but does not occur in `{shorten(reader.text)}`: leave it out or use it")
    return Expression(reader.text, root, variables)


def parse_values(arguments: Iterable[str]) -> dict[str, Array]:
    """Read ``name=value`` arguments; a value is a number, a vector or a matrix in brackets, or arithmetic with them.

    Args:
        arguments: for example ``x=-2``, ``W=[[0.1,0.5],[-0.3,0.8]]``, ``t=pi/4``.

    Returns:
        Arrays by name, in the order given.

    Raises:
        UserError: an argument is not of that form, or a name is given twice.
    """
    values: dict[str, Array] = {}
    for argument in (" ".join(argument.split()) for argument in arguments):
        name, equals, text = argument.partition("=")
        name = name.strip()
        if not equals:
            kind = "neither an option nor a value" if argument.startswith("-") else "no value"
            raise UserError(f"`{shorten(argument)}` is {kind}, expected name=value, for example x=-2 (one expression only, in quotes)")
        if not name.isidentifier() or keyword.iskeyword(name):
            expected = "expected letters, digits and _, and no word reserved by Python"
            raise UserError(f"`{shorten(name)}` in `{shorten(argument)}` cannot be a name, {expected}")
        if name in values:
            raise UserError(f"`{name}` is given two values, expected one: leave out one of them")
        values[name] = Reader(text, {}, MAX_VALUE_LENGTH, MAX_ENTRIES, value_of=name).read().value
    return values
