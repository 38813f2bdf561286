"""Write the gallery: one offline page of examples, figures inline, every number held against its source."""

import html
import io
import re
from importlib import resources
from pathlib import Path
from typing import Any

from matplotlib import rc_context

from bpcore.graph import gates
from bpcore.graph.reverse import backward
from experiments.graphs import drawing, examples, text
from experiments.graphs.analysis import path_tables, path_text, product_text, savings
from experiments.graphs.examples import Check, Example, Picture
from experiments.graphs.networks import NETWORKS
from experiments.graphs.rules import rules
from experiments.graphs.words import backward_steps, forward_steps, inline
from experiments.report import pages

_PAGE_WIDTH = 1100  # pixels that a drawing has on the page; a wider one is scrolled

# the drawing's colors, as variables of the page, so that figures follow its light and dark theme
_COLORS = {
    drawing.VALUE: "--value",
    drawing.GRADIENT: "--gradient",
    drawing.INK: "--ink",
    drawing.MUTED: "--muted",
    drawing.WIRE: "--wire",
    drawing.GATE_FILL: "--gate",
    drawing.LEAF_FILL: "--leaf",
}


def build() -> list[Example]:
    """Return all examples in the order of a lecture."""
    first = (examples.product_of_sum, examples.logistic, examples.squared_norm, examples.several_paths, examples.roles)
    return [example() for example in (*first, *NETWORKS, rules)]


def write_gallery(folder: Path) -> tuple[Path, list[Check]]:
    """Write ``index.html`` and, beside it, each figure as SVG and PNG.

    Args:
        folder: made if it does not exist.

    Returns:
        The page, and every check on it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections = []
    built = build()
    for number, example in enumerate(built, start=1):
        pictures = [_picture(one, folder / f"example-{number}-{letter}") for letter, one in zip("abcdefgh", example.pictures, strict=False)]
        sections.append({"id": f"example-{number}", "example": example, "pictures": pictures})
    source = resources.files("experiments.graphs").joinpath("gallery.html.j2").read_text(encoding="utf-8")
    checks = [check for example in built for check in example.checks]
    page = pages.environment().from_string(source).render(sections=sections, checks=checks, gates=gates.catalogue())
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path, checks


def _picture(one: Picture, stem: Path) -> dict[str, Any]:
    gradients = backward(one.root)
    label = text.names(one.root)
    figure = drawing.draw(one.root, gradients, label, shapes=any(node.shape for node in gradients))
    for suffix in (".svg", ".png"):
        figure.save(stem.with_suffix(suffix))
    tables = path_tables(one.root, one.variables.values(), gradients) if one.paths else []
    return {
        "picture": one,
        "svg": inline_svg(figure, f"{one.caption} Computation graph of {len(figure.shown)} nodes; its table of nodes follows."),
        "file": f"{stem.name}.svg",
        "wide": figure.figure.get_figwidth() * 96 > _PAGE_WIDTH,  # CSS has 96 pixels to an inch
        "rows": [(row, inline(row.value), inline(row.gradient)) for row in text.tabulate(one.root, gradients, label)],
        "forward": forward_steps(one.root, label),
        "backward": backward_steps(one.root, gradients, label),
        "root": label[one.root],
        "paths": [
            {"table": table, "lines": [(path_text(path, label), product_text(path)) for path in table.paths], "sum": inline(table.total)}
            for table in tables
        ],
        "savings": savings(one.root) if one.paths else "",
    }


def inline_svg(figure: drawing.Drawing, title: str) -> str:
    """Return a figure as an SVG element for a page: no prolog, no ids that would repeat, colors as variables.

    Args:
        figure: the drawing.
        title: what a screen reader says.

    Returns:
        Markup, safe to insert: all text in it was escaped by matplotlib, the title here.
    """
    buffer = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "gradstab"}):
        figure.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = buffer.getvalue().decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[^"]*"', "", svg)
    for color, variable in _COLORS.items():
        svg = svg.replace(color, f"var({variable})")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(title)}" ', 1)
