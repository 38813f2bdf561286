"""What an expression is refused for, in words: with a caret under the place, and what was expected."""

import ast
from collections.abc import Mapping
from typing import Any

from bpcore.graph import gates
from bpcore.graph.node import Gate
from experiments.errors import UserError
from experiments.text.quoting import MOST_QUOTED, shortened

REFUSED_OPERATORS = {
    ast.BitXor: ("^", "a power is written **, as in x**2"),
    ast.BitOr: ("|", "an absolute value is written abs(x), a squared norm norm2(x)"),
    ast.Mod: ("%", "expected + - * / ** or @"),
    ast.FloorDiv: ("//", "a division is written /"),
    ast.BitAnd: ("&", "expected + - * / ** or @"),
    ast.LShift: ("<<", "expected + - * / ** or @"),
    ast.RShift: (">>", "expected + - * / ** or @"),
}
"""What Python can do and an expression cannot: how it is written, and what to write instead."""

_KINDS: dict[type[ast.expr], str] = {
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Lambda: "a lambda",
    ast.Compare: "a comparison",
    ast.BoolOp: "`and`/`or`",
    ast.IfExp: "a condition",
    ast.Subscript: "an index",
    ast.Tuple: "a comma",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.Starred: "a star",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "a string",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.UnaryOp: "`not` or `~`",
}


class ExpressionError(UserError):
    """Report what is wrong with an expression, and where: a line, then the text with a caret under the place.

    Args:
        subject: what is read, for example "expression".
        message: what is wrong with it, and how to repair it.
        text: of the subject; empty if there is no place to point at.
        start: the place in the text, in characters.
        end: where it ends, exclusive.
    """

    def __init__(self, subject: str, message: str, text: str = "", start: int = 0, end: int | None = None) -> None:
        if not text:
            super().__init__(f"{subject}: {message}")
            return
        width = max(1, (end if end is not None else start + 1) - start)
        left = max(0, start - MOST_QUOTED // 2)  # a long text is shown around the place only
        shown = text[left : left + MOST_QUOTED]
        carets = " " * (start - left) + "^" * min(width, max(1, len(shown) - (start - left)))
        super().__init__(f"{subject}, character {start + 1}: {message}\n  {shown}\n  {carets}")


def syntax_reason(error: SyntaxError, text: str) -> tuple[str, int]:
    """Say in the words of expressions what Python's parser took offence at, and the place where a caret points."""
    place = min((error.offset or len(text)) - 1, len(text) - 1)
    letter, before = text[place], text[:place].rstrip()
    side_by_side = before and (before[-1].isalnum() or before[-1] in ")]_") and (letter.isalnum() or letter in "([_")
    reason = error.msg
    if "nested" in reason:
        reason = "brackets are nested too deeply: write the expression flatter"
    elif letter in "²³⁰¹⁴⁵⁶⁷⁸⁹":
        reason = f"`{letter}` is no operator: a power is written **, as in x**2"
    elif letter == "=":
        reason = "`=` has no place in an expression: give values after it, as in x=2"
    elif "never closed" in reason or "unmatched" in reason or "does not match" in reason:
        reason = f"the bracket `{letter}` has no partner: add one, or leave this one out"
    elif "decimal literal" in reason or side_by_side:
        place += "decimal literal" in reason and place + 1 < len(text)  # Python points at the last digit
        reason = "two factors stand side by side: a product is written with *, as in 2*x or (x+y)*z"
    else:
        reason = f"it cannot be read here ({reason.splitlines()[0]}): expected something like (x+y)*z"
    return reason, place


def kind_of(tree: ast.expr) -> str:
    """Name a part of Python's syntax that no expression has."""
    return _KINDS.get(type(tree), f"{type(tree).__name__} syntax")


def shorten(text: str) -> str:
    """Return the text, or both of its ends where it is long."""
    return shortened(text, 40)


def fitting(gate: Gate, parameters: Mapping[str, Any] | None) -> str:
    """Say which shapes a gate takes."""
    if gate is gates.matmul:
        return "vectors or matrices, with as many columns on the left as rows on the right"
    if gate is gates.transpose:
        return "a matrix, as in [[1, 2], [3, 4]]"
    if parameters:
        return "an axis that the array has, counted from 0"
    return "equal shapes, or sides of 1, which are repeated"
