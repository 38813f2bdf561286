"""The gallery: every number holds, a wrong one would be shown, and the page is whole without a network."""

import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from bpcore.graph.reverse import backward
from experiments.graphs import gallery
from experiments.graphs.examples import Check, Example, product_of_sum, typed
from experiments.graphs.expression import parse, parse_values
from experiments.graphs.text import names
from experiments.graphs.words import backward_steps, forward_steps


@pytest.fixture(scope="module")
def built() -> list[Example]:
    return gallery.build()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, built: list[Example]) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "build", lambda: built)
        path, checks = gallery.write_gallery(tmp_path_factory.mktemp("gallery"))
    assert len(checks) == sum(len(example.checks) for example in built)
    assert len(list(path.parent.glob("*.png"))) == len(list(path.parent.glob("*.svg"))) == sum(len(example.pictures) for example in built)
    return path.read_text(encoding="utf-8")


def test_every_number_holds(built: list[Example]) -> None:
    failed = [f"{check.example}: {check.what}" for example in built for check in example.checks if not check.holds]
    assert not failed


# the numbers as they were stated, once more and by themselves: nothing here comes from the gallery's own lists
STATED = [
    ("f = (x+y)z", "q = x+y", 3.0, 1e-12),
    ("f = (x+y)z", "f", -12.0, 1e-12),
    ("f = (x+y)z", "∂f/∂x", -4.0, 1e-12),
    ("f = (x+y)z", "∂f/∂y", -4.0, 1e-12),
    ("f = (x+y)z", "∂f/∂z", 3.0, 1e-12),
    ("A logistic neuron", "f, as single gates", 0.7311, 1e-4),
    ("A logistic neuron", "∂f/∂w0, as single gates", -0.1966, 3e-4),
    ("A logistic neuron", "∂f/∂x0, as single gates", 0.3932, 2e-4),
    ("A logistic neuron", "∂f/∂w1, as a sigmoid gate", -0.3932, 2e-4),
    ("A logistic neuron", "∂f/∂x1, as a sigmoid gate", -0.5898, 1e-4),
    ("A logistic neuron", "∂f/∂w2, as a sigmoid gate", 0.1966, 3e-4),
    ("f = ‖Wx‖²", "q", [0.22, 0.26], 1e-12),
    ("f = ‖Wx‖²", "f", 0.116, 1e-12),
    ("f = ‖Wx‖²", "∇q", [0.44, 0.52], 1e-12),
    ("f = ‖Wx‖²", "∇W", [[0.088, 0.176], [0.104, 0.208]], 1e-12),
    ("f = ‖Wx‖²", "∇x", [-0.112, 0.636], 1e-12),
]


@pytest.mark.parametrize(("title", "what", "stated", "rtol"), STATED)
def test_the_classical_numbers(built: list[Example], title: str, what: str, stated: float | list[float], rtol: float) -> None:
    found = [check for example in built if example.title.startswith(title) for check in example.checks if check.what == what]
    assert found
    for check in found:
        np.testing.assert_allclose(check.computed, stated, rtol=rtol, atol=0)


def test_the_network_gives_the_layered_core_s_delta_to_the_last_digits(built: list[Example]) -> None:
    (network,) = [example for example in built if "2-3-2" in example.title]
    deltas = [check for check in network.checks if check.what.startswith("δ")]
    assert len(deltas) == 4  # two layers, one sample and a batch
    for check in deltas:
        assert check.source.startswith("mlp.py")
        np.testing.assert_allclose(check.computed, check.stated, rtol=1e-13, atol=0)


def test_all_examples_are_there(built: list[Example]) -> None:
    captions = " ".join(example.title + " " + " ".join(one.caption for one in example.pictures) for example in built)
    for part in ("(x+y)z", "logistic", "‖Wx‖²", "(x1+x2)(x2+1)", "x1² + (x1+x2)²", "(x1+x2)² x2² + x2", "Distribute, route, switch"):
        assert part in captions
    for part in ("3-3-1", "bias as a bias", "weight of a constant input", "2-3-2", "one sample", "batch of m", "rules"):
        assert part in captions


def test_the_rules_are_all_there(built: list[Example]) -> None:
    table = built[-1].table
    assert table is not None
    assert [row[0] for row in table[1]] == ["power", "logarithm", "exponential", "sum", "product", "quotient", "chain"]
    for row in table[1]:
        by_rule, by_graph, by_step, by_quotient = map(float, row[4:])
        assert by_graph == pytest.approx(by_rule, rel=1e-11)
        assert by_step == pytest.approx(by_rule, rel=1e-11)
        assert by_quotient == pytest.approx(by_rule, rel=1e-8)


@pytest.mark.parametrize(
    ("stated", "digits", "holds"), [(0.7311, 4, True), (0.7312, 4, False), (0.73106, 5, True), (0.7310585786300049, None, True)]
)
def test_checks_compare_as_they_say(stated: float, digits: int | None, holds: bool) -> None:
    computed = np.asarray(0.7310585786300049)
    assert Check("", "", np.asarray(stated), computed, digits, "").holds is holds
    assert not Check("", "", np.asarray(stated + 1e-3), computed, digits, "").holds
    assert not Check("", "", np.asarray([stated]), computed, digits, "").holds


def test_the_page_is_offline_and_well_formed(page: str) -> None:
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert all(link.startswith("#") for link in links)
    assert not re.search(r"url\((?!#)|@import|<script", page)

    open_: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "br"):
                open_.append(tag)

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert open_.pop() == tag

    Balance().feed(page)
    assert open_ == []
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg ") == page.count('role="img"') > 10


def test_the_page_s_commands_give_the_page_s_graphs(built: list[Example]) -> None:
    count = 0
    for example in built:
        for one in example.pictures:
            if one.command:
                program, command, expression, *values = shlex.split(one.command)
                assert (program, command) == ("gradstab", "graph")
                root = parse(expression, parse_values(values)).root
                assert root.value == pytest.approx(float(one.root.value), rel=1e-15)
                count += 1
    assert count >= 9
    assert typed("W", [[1.0, -2.0]]) == '"W=[[1.0,-2.0]]"'


def test_a_number_that_does_not_hold_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = product_of_sum()
    wrong.check("f", -13, -12, "a mistake & <nonsense>")
    monkeypatch.setattr(gallery, "build", lambda: [wrong])
    path, checks = gallery.write_gallery(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "✗ does not hold" in text
    assert "1 do not" in text
    assert "a mistake &amp; &lt;nonsense&gt;" in text
    assert [check.holds for check in checks].count(False) == 1


def test_the_words_name_roles_and_numbers() -> None:
    root = parse("2*(x*y+max(z,w))+x", {"x": 3, "y": -4, "z": 2, "w": -1}).root
    label = names(root)
    forward = [step.formula for step in forward_steps(root, label)]
    assert forward[0] == "q1 = x*y = -12"
    told = backward_steps(root, backward(root), label)
    text = "\n".join(f"{step.formula} | {step.reason}" for step in told)
    assert "all of the gradient goes to z" in text
    assert "add distributes" in text
    assert "multiply switches" in text
    assert "∂f/∂x = 1 + (-8) = -7 | x is used 2 times: its paths add up" in text
    tie = parse("max(x, y)", {"x": 1, "y": 1}).root
    assert "at a tie each input receives half" in backward_steps(tie, backward(tie), names(tie))[1].reason
    product = parse("norm2(W@x)", {"W": [[1, 2], [3, 4]], "x": [1, -1]}).root
    steps = backward_steps(product, backward(product), names(product))
    assert steps[-1].formula == "W receives [[-2, 2], [-2, 2]]; x receives [-8, -12]"
    assert "transposed, ∂f/∂X = G Yᵀ" in steps[-1].reason
    closed = parse("relu(x)", {"x": -1}).root
    assert "closed here" in backward_steps(closed, backward(closed), names(closed))[1].reason
