"""Elementary functions of one number."""

import numpy as np

from bpcore.graph.gates.arithmetic import SILENT
from bpcore.graph.node import Array, Gate

exp = Gate("exp", np.exp, (lambda g, out, x: g * out,), rule="∂(e^x)/∂x = e^x", source="DLMF §4.7")

log = Gate("log", np.log, (lambda g, out, x: g / x,), rule="∂(ln x)/∂x = 1/x", source="DLMF §4.7", symbol="ln", domain="x > 0")


def _sqrt_vjp(g: Array, out: Array, x: Array) -> Array:
    with np.errstate(**SILENT):
        return np.asarray(0.5 * g / out)


sqrt = Gate(
    "sqrt",
    np.sqrt,
    (_sqrt_vjp,),
    rule="∂√x/∂x = 1/(2√x)",
    source="power rule",
    symbol="√",
    convention="infinite at x = 0: inf; so √(x²) gives inf·0 = NaN there, unlike |x|",
    domain="x ≥ 0",
)

absolute = Gate(
    "abs",
    lambda x: np.where(x.real < 0, -x, x),
    (lambda g, out, x: g * np.sign(x.real),),
    rule="∂|x|/∂x = sign x",
    source="one-sided limits",
    operator="abs",
    symbol="|x|",
    convention="0 at x = 0",
)


def _erf(x: Array) -> Array:
    from scipy import special  # costly to import, and most graphs do without

    return np.asarray(special.erf(x))


erf = Gate(
    "erf",
    _erf,
    (lambda g, out, x: g * (2 / np.sqrt(np.pi)) * np.exp(-x * x),),
    rule="∂(erf x)/∂x = 2e^(−x²)/√π",
    source="DLMF eq. 7.2.1",
)
