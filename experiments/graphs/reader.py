"""Translate the syntax tree of an expression into gates, and refuse everything else with a caret under the place.

Python's `ast` gives the tree, of which a whitelist of nodes is understood. Length, depth, node count and array sizes
are bounded, so that no input can take long.
"""

import ast
import difflib
import inspect
import math
import types
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bpcore.graph import gates
from bpcore.graph.node import Gate, Node, constant
from experiments.graphs.refusals import REFUSED_OPERATORS, ExpressionError, fitting, kind_of, shorten, syntax_reason

MAX_LENGTH = 2000  # characters of an expression
MAX_DEPTH = 100
MAX_NODES = 1000
MAX_ENTRIES = 10_000  # of one array

CONSTANTS = {"pi": math.pi, "e": math.e}
ALIASES = {"ln": "log"}

_BINARY = {ast.Add: gates.add, ast.Sub: gates.subtract, ast.Mult: gates.multiply, ast.Div: gates.divide}
_BINARY |= {ast.Pow: gates.power, ast.MatMult: gates.matmul}


def functions() -> dict[str, Gate]:
    """Return the functions an expression may call: every gate by its name, and a few other names."""
    known = gates.catalogue()
    return known | {alias: known[name] for alias, name in ALIASES.items()}


class Reader:
    """Walk one syntax tree.

    Args:
        text: of the expression.
        variables: leaves by name; afterwards `used` holds the names that occur.
        most_letters: bound on the text's length.
        most_nodes: bound on the number of parts.
        value_of: the name whose value the text is; empty for the expression itself.
    """

    def __init__(self, text: str, variables: Mapping[str, Node], most_letters: int, most_nodes: int, value_of: str = "") -> None:
        self.value_of = value_of
        self.most_letters = most_letters
        self.most_nodes = most_nodes
        self.text = " ".join(text.split())
        self.variables = variables
        self.used: set[str] = set()
        self.functions = functions()
        self.nodes = 0
        # ast counts columns in bytes of UTF-8; carets stand under characters
        self.columns = [column for column, letter in enumerate(self.text) for _ in letter.encode(errors="replace")] + [len(self.text)]

    def read(self) -> Node:
        """Return the root of the expression's graph.

        Raises:
            ExpressionError: the text is no such expression, or a bound is exceeded.
        """
        if not self.text:
            raise self._error(f"it is empty, expected for example {f'{self.value_of}=2' if self.value_of else '(x+y)*z'}")
        if len(self.text) > self.most_letters:
            raise self._error(f"it has {len(self.text)} characters, expected at most {self.most_letters}", self.most_letters)
        odd = next((place for place, letter in enumerate(self.text) if not letter.isprintable()), None)
        if odd is not None:
            raise self._error(f"{self.text[odd]!r} has no place here: leave it out", odd)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's advice on a text that is no program
                tree = ast.parse(self.text, mode="eval")
        except SyntaxError as error:
            reason, place = syntax_reason(error, self.text)
            raise self._error(reason, place) from None
        except (ValueError, MemoryError, RecursionError):
            raise self._error("it is nested too deeply: write it flatter") from None
        with np.errstate(all="ignore"):  # values that are not finite are refused with their place
            return self._node(tree.body, 1)

    def _error(self, message: str, start: int | None = None, end: int | None = None) -> ExpressionError:
        subject = f"value of `{self.value_of}`" if self.value_of else "expression"
        return ExpressionError(subject, message) if start is None else ExpressionError(subject, message, self.text, start, end)

    def _fail(self, where: ast.AST, message: str) -> ExpressionError:
        return self._error(message, *self._span(where))

    def _span(self, where: ast.AST) -> tuple[int, int]:
        start = getattr(where, "col_offset", 0)
        end = getattr(where, "end_col_offset", None) or start + 1
        return self.columns[min(start, len(self.columns) - 1)], self.columns[min(end, len(self.columns) - 1)]

    def _source(self, where: ast.AST) -> str:
        start, end = self._span(where)
        return shorten(self.text[start:end])

    def _node(self, tree: ast.expr, depth: int) -> Node:
        self.nodes += 1
        if depth > MAX_DEPTH:
            place = self._span(tree)[0]
            raise self._error(f"it is nested more than {MAX_DEPTH} deep: write it flatter", place)
        if self.nodes > self.most_nodes:
            raise self._fail(tree, f"there are more than {self.most_nodes} parts: write sums over vectors and matrices instead")
        match tree:
            case ast.Constant():
                return self._number(tree)
            case ast.Name():
                return self._name(tree)
            case ast.List():
                return self._list(tree, depth)
            case ast.UnaryOp(op=ast.UAdd()):
                return self._node(tree.operand, depth + 1)
            case ast.UnaryOp(op=ast.USub()):
                return self._apply(tree, gates.negate, [self._node(tree.operand, depth + 1)])
            case ast.BinOp():
                return self._binary(tree, depth)
            case ast.Call():
                return self._call(tree, depth)
            case ast.Attribute(attr="T"):
                return self._apply(tree, gates.transpose, [self._node(tree.value, depth + 1)])
            case ast.Attribute():
                raise self._fail(tree, f"`.{tree.attr}` is not allowed: the only attribute is .T, the transpose")
            case _:
                kind = kind_of(tree)
                raise self._fail(tree, f"{kind} has no place here: expected numbers, names, + - * / ** @ and functions such as exp(x)")

    def _number(self, tree: ast.Constant) -> Node:
        if isinstance(tree.value, bool) or not isinstance(tree.value, int | float):
            raise self._fail(tree, f"`{self._source(tree)}` is no real number: expected for example 2, -0.5 or 1e-3")
        try:
            value = float(tree.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self._fail(tree, f"`{self._source(tree)}` is too large: expected at most 1.8e308")
        return constant(value)

    def _name(self, tree: ast.Name) -> Node:
        if tree.id in self.variables:
            self.used.add(tree.id)
            return self.variables[tree.id]
        if tree.id in CONSTANTS:
            return constant(CONSTANTS[tree.id], tree.id)
        if self.value_of:
            raise self._fail(tree, f"`{tree.id}` is no number: a value has numbers, pi and e, as in -2, pi/4 or [1, 2]")
        if tree.id in self.functions:
            raise self._fail(tree, f"`{tree.id}` is a function: write {tree.id}(…), or give `{tree.id}` a value")
        raise self._fail(tree, f"`{tree.id}` has no value{self._guess(tree.id, self.variables)}: give it one, as in {tree.id}=2")

    def _guess(self, name: str, known: Iterable[str]) -> str:
        close = difflib.get_close_matches(name, list(known), n=1)
        return f" (did you mean `{close[0]}`?)" if close else ""

    def _list(self, tree: ast.List, depth: int) -> Node:
        if not tree.elts:
            raise self._fail(tree, "an empty list holds no numbers: expected for example [1, 2] or [[1, 2], [3, 4]]")
        entries = [self._node(entry, depth + 1) for entry in tree.elts]
        for entry, node in zip(tree.elts, entries, strict=True):
            if not node.constant:
                raise self._fail(entry, f"`{self._source(entry)}` varies, and a list holds numbers only: give the whole list a name")
        shapes = {node.shape for node in entries}
        if len(shapes) > 1:
            raise self._fail(tree, "the rows of this list differ in length: expected a vector or a rectangular matrix")
        if len(shapes.pop()) > 1:
            raise self._fail(tree, "a list may be nested twice at most: expected a vector or a matrix")
        return constant([node.value for node in entries])

    def _binary(self, tree: ast.BinOp, depth: int) -> Node:
        spine = [tree]  # a + b + c + … leans left: walked down in a loop, a long sum is not a deep one
        while isinstance(spine[-1].left, ast.BinOp):
            spine.append(spine[-1].left)
            self.nodes += 1
        node = self._node(spine[-1].left, depth + 1)
        for part in reversed(spine):
            node = self._combine(part, node, depth)
        return node

    def _combine(self, tree: ast.BinOp, left: Node, depth: int) -> Node:
        gate = _BINARY.get(type(tree.op))
        if gate is None:
            symbol, hint = REFUSED_OPERATORS[type(tree.op)]
            place = self.text.find(symbol, self._span(tree.left)[1])
            raise self._error(f"operator `{symbol}` is not known: {hint}", place, place + len(symbol))
        right = self._node(tree.right, depth + 1)
        if gate is gates.divide and isinstance(tree.left, ast.Constant) and tree.left.value == 1:
            return self._apply(tree, gates.reciprocal, [right])  # 1/x is one gate, as lectures draw it
        return self._apply(tree, gate, [left, right])

    def _call(self, tree: ast.Call, depth: int) -> Node:
        if not isinstance(tree.func, ast.Name):
            raise self._fail(tree.func, f"`{self._source(tree.func)}` cannot be called: a product is written with *")
        name = tree.func.id
        if name in self.variables and name not in self.functions:
            raise self._fail(tree.func, f"`{name}` is a value and cannot be called: a product is written with *")
        if name not in self.functions:
            known = ", ".join(word for word, gate in self.functions.items() if not gate.operator or gate is gates.absolute)
            raise self._fail(tree.func, f"no function `{shorten(name)}`{self._guess(name, self.functions)}: expected one of {known}")
        gate = self.functions[name]
        parameters = dict(self._setting(gate, word) for word in tree.keywords)
        operands = [self._node(argument, depth + 1) for argument in tree.args]
        arity = len(gate.vjps)
        if gate.role == "route" and arity == 2 and len(operands) > 2:  # max(a, b, c) is max(max(a, b), c)
            while len(operands) > 2:
                operands[:2] = [self._apply(tree, gate, operands[:2])]
        if len(operands) != arity:
            raise self._fail(tree, f"`{name}` got {len(operands)} arguments, expected {arity}")
        return self._apply(tree, gate, operands, parameters)

    def _setting(self, gate: Gate, word: ast.keyword) -> tuple[str, Any]:
        if word.arg is None:
            raise self._fail(word, "a star has no place here: expected the arguments one by one")
        function = gate.forward
        signature = inspect.signature(function).parameters.values() if isinstance(function, types.FunctionType) else ()
        known = {parameter.name: parameter.default for parameter in signature if parameter.default is not parameter.empty}
        if word.arg not in known:
            expected = f"expected {', '.join(known)}" if known else "expected none"
            raise self._fail(word, f"`{gate.name}` has no setting `{word.arg}`, {expected}")
        try:
            value = ast.literal_eval(word.value)  # reads literals only
        except (ValueError, TypeError, RecursionError):
            value = None
        wanted = {bool: (bool,), float: (float, int)}.get(type(known[word.arg]), (int,))
        if type(value) not in wanted or abs(value) > 1e6:
            raise self._fail(word, f"setting `{word.arg}` of `{gate.name}` got {self._source(word.value)}, expected {wanted[0].__name__}")
        return word.arg, value

    def _apply(self, tree: ast.expr, gate: Gate, operands: list[Node], parameters: Mapping[str, Any] | None = None) -> Node:
        if _size(gate, operands) > MAX_ENTRIES:
            raise self._fail(tree, f"`{self._source(tree)}` would have more than {MAX_ENTRIES} entries: use smaller vectors")
        try:
            node = gate(*operands, **(parameters or {}))
        except (ValueError, TypeError):
            shapes = " and ".join(str(operand.shape) for operand in operands)
            raise self._fail(tree, f"`{gate.name}` got shapes {shapes}: expected {fitting(gate, parameters)}") from None
        if not np.isfinite(node.value).all():
            kind = "not a number" if np.isnan(node.value).any() else "infinite"
            overflow = not gate.domain or (gate is gates.power and kind == "infinite" and bool(operands[0].value.all()))
            hint = "the largest double is 1.8e308" if overflow else f"`{gate.name}` is defined for {gate.domain}"
            raise self._fail(tree, f"`{self._source(tree)}` is {kind} here: {hint}; choose other values")
        return constant(node.value) if all(operand.constant for operand in operands) else node


def _size(gate: Gate, operands: list[Node]) -> int:
    """Return how many entries the result will have, before it is computed; 0 where the shapes do not fit anyway."""
    shapes = [operand.shape for operand in operands]
    if gate is gates.matmul:
        return math.prod(shapes[0][:-1]) * math.prod(shapes[1][:-2] + shapes[1][-1:] if len(shapes[1]) > 1 else ())
    try:
        return math.prod(np.broadcast_shapes(*shapes))
    except ValueError:
        return 0
