"""The drawing says what the graph says, legibly."""

import re
from collections.abc import Iterable
from functools import reduce
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.transforms import Bbox

from bpcore.graph.gates import add, maximum, sigmoid, summation
from bpcore.graph.node import variable
from bpcore.graph.reverse import backward
from experiments.graphs import drawing as module
from experiments.graphs.dot import dot
from experiments.graphs.drawing import GRADIENT, INK, PAPER, VALUE, Drawing, draw
from experiments.graphs.expression import Expression, parse
from experiments.graphs.gallery import inline_svg
from experiments.graphs.networks import three_three_one
from experiments.graphs.text import names, rows
from experiments.text.numbers import number

CASES = {
    "sum": ("(x+y)*z", {"x": -2, "y": 5, "z": -4}),
    "logistic": ("1/(1+exp(-(w0*x0+w1*x1+w2)))", {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}),
    "matrix": ("norm2(W@x)", {"W": [[0.1, 0.5], [-0.3, 0.8]], "x": [0.2, 0.4]}),
    "paths": ("(x1+x2)**2*x2**2+x2", {"x1": 1, "x2": 2}),
    "roles": ("2*(x*y+max(z,w))-3/(w-x)", {"x": 3, "y": -4, "z": 2, "w": -1}),
}


def drawn(expression: Expression, shapes: bool = False) -> Drawing:
    gradients = backward(expression.root)
    return draw(expression.root, gradients, names(expression.root), shapes=shapes)


def extents(canvas: FigureCanvasAgg, artists: Iterable[Artist]) -> dict[Artist, Bbox]:
    return {artist: artist.get_window_extent(canvas.get_renderer()) for artist in artists}


@pytest.mark.parametrize("name", CASES)
def test_texts_equal_values_and_gradients(name: str) -> None:
    expression = parse(*CASES[name])
    gradients = backward(expression.root)
    found = drawn(expression)
    assert set(found.shown) == set(gradients)
    for node in found.shown:
        digits = 3 if node.value.ndim > 1 else 4
        for texts, value in ((found.values[node], node.value), (found.gradients[node], gradients[node])):
            assert [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in texts] == rows(value, digits)
    x = expression.variables[next(iter(expression.variables))]
    if x.shape == ():
        assert float(found.gradients[x][0].get_text()) == pytest.approx(float(gradients[x]), rel=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_values_stand_above_the_wire_in_green_and_gradients_below_in_red(name: str) -> None:
    found = drawn(parse(*CASES[name]))
    for node in found.shown:
        wire = found.placement.middle[node]  # y grows downward
        assert all(text.get_position()[1] < wire for text in found.values[node])
        assert all(text.get_position()[1] > wire for text in found.gradients[node])
        assert {text.get_color() for text in found.values[node]} == {VALUE}
        assert {text.get_color() for text in found.gradients[node]} == {GRADIENT}
        assert {text.get_style() for text in found.gradients[node]} == {"italic"}
        assert found.values[node][0].get_position()[0] > found.placement.left[node]
    red, green, blue = to_rgb(VALUE)
    assert green > max(red, blue)
    red, green, blue = to_rgb(GRADIENT)
    assert red > max(green, blue)


def luminance(color: str) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colors_are_legible_on_paper_and_differ_in_lightness() -> None:
    assert min(contrast(color, PAPER) for color in (VALUE, GRADIENT, INK, module.MUTED)) >= 4.5
    assert contrast(VALUE, GRADIENT) >= 1.3  # tells them apart in gray, beside place and slant


def overlaps(one: Bbox, other: Bbox, slack: float = 0.5) -> bool:
    return one.x0 + slack < other.x1 and other.x0 + slack < one.x1 and one.y0 + slack < other.y1 and other.y0 + slack < one.y1


def assert_legible(found: Drawing) -> None:
    canvas = FigureCanvasAgg(found.figure)
    texts = extents(canvas, found.figure.axes[0].texts)
    for (a, one), (b, other) in combinations(texts.items(), 2):
        assert not overlaps(one, other, slack=2.0), f"texts {a} and {b} overlap"
    boxes = extents(canvas, found.boxes.values())
    patches = {node: boxes[box] for node, box in found.boxes.items()}
    for one, other in combinations(patches.values(), 2):
        assert not overlaps(one, other)
    for node, label in found.labels.items():
        inside, box = texts[label], patches[node]
        assert box.x0 <= inside.x0
        assert inside.x1 <= box.x1
    for lines in (*found.values.values(), *found.gradients.values()):
        for text in lines:
            assert not any(overlaps(texts[text], box) for box in patches.values()), f"{text.get_text()!r} runs into a box"
    width, height = canvas.get_width_height()
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in texts.values())


@pytest.mark.parametrize("name", CASES)
def test_nothing_overlaps(name: str) -> None:
    expression = parse(*CASES[name])
    assert_legible(drawn(expression, shapes=True))


@pytest.mark.slow
def test_nothing_overlaps_in_sixty_nodes() -> None:
    example = three_three_one()
    biggest = max((draw(one.root, backward(one.root), names(one.root)) for one in example.pictures), key=lambda found: len(found.shown))
    assert 55 <= len(biggest.shown) <= 65
    assert_legible(biggest)


@pytest.mark.parametrize(("seed", "shape"), [(1, (2,)), (2, ())])
@pytest.mark.slow
def test_nothing_overlaps_in_random_graphs(seed: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    nodes = [variable(np.round(rng.normal(size=shape), 3), f"x{number_}") for number_ in range(8)]
    for _ in range(25):
        a, b = nodes[rng.integers(max(0, len(nodes) - 10), len(nodes))], nodes[rng.integers(len(nodes))]
        nodes.append([a + b, a - b, a * 0.3, maximum(a, b), sigmoid(a) * b, a + 1][rng.integers(6)])
    used = {parent for node in nodes for parent in node.inputs}
    root = summation(reduce(add, [node for node in nodes if node not in used]))
    assert_legible(draw(root, backward(root), names(root), shapes=True))


def test_legibility_can_fail() -> None:
    found = drawn(parse(*CASES["sum"]))
    first, second = found.values[found.shown[0]][0], found.gradients[found.shown[1]][0]
    second.set_position(first.get_position())
    with pytest.raises(AssertionError, match="overlap"):
        assert_legible(found)


def test_constants_stand_in_their_gates() -> None:
    found = drawn(parse("2*x + 1 - 3/x + max(x, 0)**2 + 2**x", {"x": 1.5}))
    labels = {label.get_text().replace("\N{NO-BREAK SPACE}", " ") for label in found.labels.values()}
    assert {"× 2", "+ 1", "3 ÷", "max(·, 0)", "^2", "2^·", "−"} <= labels


def test_the_order_of_a_difference_can_be_read() -> None:
    for text in ("x - y*2", "y*2 - x"):
        expression = parse(text, {"x": 1, "y": 5})
        first, second = (found_port(expression, index) for index in (0, 1))
        assert first < second  # the first operand enters above the second


def found_port(expression: Expression, index: int) -> float:
    found = drawn(expression)
    root = expression.root
    return module._ports(root, list(root.inputs), found.placement, 28.0)[index]


def test_files_are_the_same_each_time_and_of_their_format(tmp_path: Path) -> None:
    expression = parse(*CASES["logistic"])
    for suffix, start in ((".svg", b"<?xml"), (".png", b"\x89PNG")):
        contents = []
        for number_ in range(2):
            path = tmp_path / f"{number_}{suffix}"
            drawn(expression).save(path)
            contents.append(path.read_bytes())
        assert contents[0] == contents[1]
        assert contents[0].startswith(start)
    svg = (tmp_path / "0.svg").read_text(encoding="utf-8")
    for node in backward(expression.root):
        assert f">{number(float(node.value), 4)}<" in svg  # text stays text: it can be searched and read aloud
    assert "Date" not in svg


def test_inline_svg_has_no_ids_and_the_page_s_colors() -> None:
    svg = inline_svg(drawn(parse(*CASES["paths"])), 'a "title" & more')
    assert svg.startswith('<svg role="img" aria-label="a &quot;title&quot; &amp; more"')
    assert not re.search(r'\bid="', svg)
    assert "#" not in svg.replace("&#", "")  # no color of its own, and no reference to a lost id
    assert "var(--value)" in svg
    assert "var(--gradient)" in svg


def test_dot_has_every_node_and_edge_and_balanced_brackets() -> None:
    expression = parse(*CASES["roles"])
    gradients = backward(expression.root)
    text = dot(expression.root, gradients, names(expression.root))
    edges = sum(parent in gradients for node in gradients for parent in node.inputs)
    assert len(re.findall(r"^  n\d+ \[label=", text, flags=re.MULTILINE)) == len(gradients)
    assert len(re.findall(r"^  n\d+ -> n\d+ ", text, flags=re.MULTILINE)) == edges
    assert text.startswith("digraph {")
    assert all(text.count(left) == text.count(right) for left, right in ("{}", "[]"))
    assert f'<font color="{VALUE}">-4</font>' in text


def test_dot_quotes_what_it_must() -> None:
    root = variable(1.0, 'a"b\\c') * 2
    assert r"a\"b\\c" in dot(root, backward(root), names(root))
