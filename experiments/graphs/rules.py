"""The rules of differentiation as a table, every row evaluated in four ways."""

from collections.abc import Callable

import numpy as np

from bpcore.graph.perturb import complex_step, evaluate
from bpcore.graph.reverse import backward
from experiments.graphs.examples import Example
from experiments.graphs.expression import parse
from experiments.text.numbers import number

_POINT = 1.3

_RULES: tuple[tuple[str, str, str, str, Callable[[float], float]], ...] = (
    ("power", "(xⁿ)′ = n xⁿ⁻¹", "x**3", "3x²", lambda x: 3 * x**2),
    ("logarithm", "(ln x)′ = 1/x", "log(x)", "1/x", lambda x: 1 / x),
    ("exponential", "(eˣ)′ = eˣ", "exp(x)", "eˣ", lambda x: float(np.exp(x))),
    ("sum", "(u + v)′ = u′ + v′", "x**2+exp(x)", "2x + eˣ", lambda x: 2 * x + float(np.exp(x))),
    ("product", "(uv)′ = u′v + uv′", "x**2*exp(x)", "2x eˣ + x² eˣ", lambda x: (2 * x + x**2) * float(np.exp(x))),
    ("quotient", "(u/v)′ = (u′v − uv′)/v²", "exp(x)/x", "(eˣ x − eˣ)/x²", lambda x: float(np.exp(x)) * (x - 1) / x**2),
    ("chain", "(u(v(x)))′ = u′(v(x)) v′(x)", "log(1+x**2)", "2x/(1 + x²)", lambda x: 2 * x / (1 + x**2)),
)


def rules() -> Example:
    """Return the table of rules: by the rule, by reverse mode, by complex step, by a difference quotient."""
    example = Example(
        "The rules of differentiation",
        [
            f"Every row at x = {_POINT}: what the rule says, what the graph's backward pass gives, what complex step gives, and a "
            "central difference, which carries an error of the order of its step squared and so agrees to about nine digits only."
        ],
    )
    rows = []
    for name, rule, expression, derivative, by_rule in _RULES:
        parsed = parse(expression, {"x": _POINT})
        x = parsed.variables["x"]
        graph, step = float(backward(parsed.root)[x]), float(complex_step(parsed.root, x))
        h = 1e-5
        ahead, behind = (float(evaluate(parsed.root, {x: _POINT + sign * h})) for sign in (1, -1))
        quotient = (ahead - behind) / (2 * h)
        rows.append([name, rule, expression, derivative, *(number(value, 12) for value in (by_rule(_POINT), graph, step, quotient))])
        example.check(f"{name} rule, ({expression})′", by_rule(_POINT), graph, "the rule")
        example.check(f"{name} rule, ({expression})′", step, graph, "complex step")
        example.check(f"{name} rule, ({expression})′", quotient, graph, "central difference", digits=8)
    example.table = (["rule", "", "example", "derivative", "by the rule", "by the graph", "complex step", "central difference"], rows)
    return example
