"""The classical examples: their graphs, what is said of them, and the numbers that must come out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bpcore.graph.node import Array, Node, variable
from bpcore.graph.paths import count
from bpcore.graph.reverse import backward
from experiments.graphs.analysis import compare, relative
from experiments.graphs.expression import parse
from experiments.graphs.words import inline
from experiments.text.numbers import number

EXACT = 1e-12


@dataclass(frozen=True)
class Check:
    """Compare a computed number with a stated one.

    Args:
        example: title of the example.
        what: the quantity.
        stated: the number that must come out.
        computed: the number that came out.
        digits: decimals to which the stated number is rounded; None if it is exact, or comes from another computation.
        source: where the stated number comes from.
    """

    example: str
    what: str
    stated: Array
    computed: Array
    digits: int | None
    source: str

    @property
    def holds(self) -> bool:
        """Return whether they agree, to half a unit of the last decimal or to 1e-12 relatively."""
        if self.stated.shape != self.computed.shape:
            return False
        if self.digits is None:
            return relative(self.computed, self.stated) <= EXACT
        return bool((np.abs(self.computed - self.stated) <= 0.5 * 10.0**-self.digits).all())

    @property
    def stated_text(self) -> str:
        """Write the stated number with the decimals that are stated."""
        if self.stated.ndim:
            return inline(self.stated)
        return number(float(self.stated), 10) if self.digits is None else f"{float(self.stated):.{self.digits}f}"

    @property
    def computed_text(self) -> str:
        """Write the computed number."""
        return number(float(self.computed), 10) if self.computed.ndim == 0 else inline(self.computed)

    @property
    def difference_text(self) -> str:
        """Write how far they are apart, relatively where the stated number is exact."""
        if self.digits is None:
            return number(relative(self.computed, self.stated), 2)
        return f"rounded to {self.digits} decimals"

    def as_dict(self) -> dict[str, Any]:
        """Return the check for JSON."""
        return {
            "example": self.example,
            "what": self.what,
            "stated": self.stated.tolist(),
            "computed": self.computed.tolist(),
            "holds": self.holds,
            "source": self.source,
        }


@dataclass
class Picture:
    """Show one graph.

    Args:
        caption: what the reader should see in it.
        root: of the graph.
        variables: leaves by name, of which paths and comparisons speak.
        command: what a reader types to get it; empty where an expression cannot say it.
        paths: whether to list the paths.
    """

    caption: str
    root: Node
    variables: dict[str, Node]
    command: str = ""
    paths: bool = False


@dataclass
class Example:
    """Hold one section of the gallery.

    Args:
        title: of the section.
        text: paragraphs.
        pictures: graphs, in order.
        checks: numbers that must come out.
        table: header and rows of an extra table, if any.
    """

    title: str
    text: list[str]
    pictures: list[Picture] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    table: tuple[list[str], list[list[str]]] | None = None

    def check(self, what: str, stated: npt.ArrayLike, computed: npt.ArrayLike, source: str, digits: int | None = None) -> None:
        """Add a check to this example."""
        as_arrays = (np.asarray(stated, dtype=float), np.asarray(computed, dtype=float))
        self.checks.append(Check(self.title, what, *as_arrays, digits, source))

    def check_complex_step(self, picture: Picture) -> None:
        """Add, for every variable of a picture, the comparison with complex step."""
        for one in compare(picture.root, picture.variables.values(), backward(picture.root)):
            self.check(f"∂f/∂{one.name}", one.step, one.backward, "complex step")


def picture(expression: str, values: Mapping[str, Any], caption: str, **options: Any) -> Picture:
    """Make a picture of an expression.

    Args:
        expression: as typed.
        values: of its names.
        caption: of the picture.
        **options: of `Picture`.

    Returns:
        The picture, with the command that shows it.
    """
    parsed = parse(expression, values)
    words = [typed(name, value) for name, value in values.items()]
    command = " ".join([f'gradstab graph "{expression}"', *words])
    return Picture(caption, parsed.root, parsed.variables, command, **options)


def typed(name: str, value: npt.ArrayLike) -> str:
    """Write a value as it is typed in a shell, where brackets need quotes."""
    text = f"{name}={np.asarray(value).tolist()}".replace(" ", "")
    return f'"{text}"' if "[" in text else text


def product_of_sum() -> Example:
    """Return f = (x+y)z."""
    one = picture("(x+y)*z", {"x": -2, "y": 5, "z": -4}, "f = (x+y)z as two gates.")
    example = Example(
        "f = (x+y)z",
        ["The smallest graph with both of the basic gates. The forward pass runs from left to right, the backward pass the other way."],
        [one],
    )
    gradients = backward(one.root)
    q = one.root.inputs[0]
    example.check("q = x+y", 3, q.value, "the lecture")
    example.check("f", -12, one.root.value, "the lecture")
    for name, stated in (("x", -4), ("y", -4), ("z", 3)):
        example.check(f"∂f/∂{name}", stated, gradients[one.variables[name]], "the lecture")
    example.check("∂f/∂q", -4, gradients[q], "the value of z")
    example.check_complex_step(one)
    return example


def logistic() -> Example:
    """Return the logistic neuron, as single gates and as a sigmoid gate."""
    values = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
    fine = picture("1/(1+exp(-(w0*x0+w1*x1+w2)))", values, "Written out: the sigmoid is the last four gates.")
    coarse = picture("sigmoid(w0*x0+w1*x1+w2)", values, "The same four gates collapsed into one.")
    example = Example(
        "A logistic neuron, gate by gate",
        [
            "f = 1/(1+e^(−(w0·x0 + w1·x1 + w2))). How fine the gates are is a matter of taste: four gates ×(−1), exp, +1, 1/x make "
            "the sigmoid, and as one gate its derivative is σ(1−σ). `--collapse` turns the first graph into the second, `--expand` "
            "the second into the first."
        ],
        [fine, coarse],
    )
    stated = {"w0": -0.1966, "x0": 0.3932, "w1": -0.3932, "x1": -0.5898, "w2": 0.1966}
    for form, one in (("as single gates", fine), ("as a sigmoid gate", coarse)):
        gradients = backward(one.root)
        example.check(f"f, {form}", 0.7311, one.root.value, "the lecture", digits=4)
        for name, value in stated.items():
            example.check(f"∂f/∂{name}, {form}", value, gradients[one.variables[name]], "the lecture", digits=4)
        example.check_complex_step(one)
    for name in stated:
        pair = [backward(one.root)[one.variables[name]] for one in (fine, coarse)]
        example.check(f"∂f/∂{name}, one gate against four", pair[0], pair[1], "the other form")
    return example


def squared_norm() -> Example:
    """Return f = ‖Wx‖²."""
    one = picture("norm2(W@x)", {"W": [[0.1, 0.5], [-0.3, 0.8]], "x": [0.2, 0.4]}, "Wires carry vectors and matrices now.")
    example = Example(
        "f = ‖Wx‖²",
        [
            "With q = Wx, ∇q = 2q, and then ∇W = 2q xᵀ and ∇x = Wᵀ 2q: a gradient always has the shape of its value, and that "
            "alone settles which side is transposed."
        ],
        [one],
    )
    gradients, (W, x), q = backward(one.root), one.variables.values(), one.root.inputs[0]
    stated: list[tuple[str, npt.ArrayLike, Array]] = [("q", [0.22, 0.26], q.value), ("f", 0.116, one.root.value)]
    stated += [("∇q", [0.44, 0.52], gradients[q])]
    stated += [("∇W", [[0.088, 0.176], [0.104, 0.208]], gradients[W]), ("∇x", [-0.112, 0.636], gradients[x])]
    for what, value, computed in stated:
        example.check(what, value, computed, "the lecture")
    example.check_complex_step(one)
    return example


def several_paths() -> Example:
    """Return the three examples with several paths."""
    example = Example(
        "Several paths",
        [
            "A variable that is used twice reaches f on several paths. Each path contributes the product of its local derivatives, "
            "and ∂f/∂x is the sum over the paths. Reverse mode gets the same sum without walking them one by one: at each node it "
            "adds up what arrives, and only then multiplies on, so that every edge is gone over once."
        ],
    )
    cases: list[tuple[str, dict[str, float], Callable[[float, float], tuple[float, float, float]], str]] = [
        ("(x1+x2)*(x2+1)", {"x1": 2, "x2": 1}, lambda a, b: ((a + b) * (b + 1), b + 1, (a + b) + (b + 1)), "y = (x1+x2)(x2+1)"),
        (
            "x1**2+(x1+x2)**2",
            {"x1": 1, "x2": 2},
            lambda a, b: (a**2 + (a + b) ** 2, 2 * a + 2 * (a + b), 2 * (a + b)),
            "y = x1² + (x1+x2)²",
        ),
        (
            "(x1+x2)**2*x2**2+x2",
            {"x1": 1, "x2": 2},
            lambda a, b: ((a + b) ** 2 * b**2 + b, 2 * (a + b) * b**2, 2 * (a + b) * b**2 + 2 * (a + b) ** 2 * b + 1),
            "y = (x1+x2)² x2² + x2",
        ),
    ]
    q = variable(1.0)
    for _ in range(20):
        q = q + q
    many = count(q)
    example.text.append(
        f"In these small graphs the saving is small. Twenty gates q ← q + q in a row have {many.paths:,} paths and would cost "
        f"{many.path_by_path:,} multiplications path by path; reverse mode does it with {many.reverse}."
    )
    for expression, values, by_hand, title in cases:
        one = picture(expression, values, title, paths=True)
        one.root = one.root.named("y")
        example.pictures.append(one)
        y, *slopes = by_hand(*values.values())
        gradients = backward(one.root)
        example.check(f"{title}: value", y, one.root.value, "by hand")
        for (name, leaf), slope in zip(one.variables.items(), slopes, strict=True):
            example.check(f"{title}: ∂y/∂{name}", slope, gradients[leaf], "by hand")
        example.check_complex_step(one)
    return example


def roles() -> Example:
    """Return the circuit with add, max and multiply."""
    one = picture("2*(x*y+max(z,w))", {"x": 3, "y": -4, "z": 2, "w": -1}, "Three roles in one circuit.")
    example = Example(
        "Distribute, route, switch",
        [
            "Read backward, the gates have characters: add distributes its gradient to every input unchanged; max routes all of it "
            "to the larger input, and nothing to the other; multiply switches: each input receives the gradient times the other's "
            "value. Hence a large input makes the gradient of its partner large, which is why data are scaled before training."
        ],
        [one],
    )
    gradients = backward(one.root)
    example.check("f", -20, one.root.value, "by hand")
    for name, stated in (("x", -8), ("y", 6), ("z", 2), ("w", 0)):
        example.check(f"∂f/∂{name}", stated, gradients[one.variables[name]], "by hand")
    example.check_complex_step(one)
    return example
