"""From a figure to the bytes of its files, the same for the same figure."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from experiments.figures.style.look import STYLE

PAPER_WIDTH = 6.9
"""Inches; the width of a page's text in two columns."""

PAPER: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "lines.linewidth": 1.1,
    "lines.markersize": 2.8,
    "figure.dpi": 300,
    "pdf.fonttype": 42,
}
"""What a figure of a paper has otherwise: print's font sizes and line widths, and fonts that a publisher can edit."""


_DRAWN_IN_ORDER = ("png", "svg", "pdf")
"""The backend for PDF changes the figure's resolution, and what is drawn after it comes out at half the size."""


@contextmanager
def _glyphs() -> Iterator[None]:
    """Let a folder's name hold signs that the font lacks; they are drawn as boxes, without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


def render(make: Callable[[], Figure], formats: tuple[str, ...], paper: bool = False) -> dict[str, bytes]:
    """Draw a figure.

    Args:
        make: returns the figure; called once, in the common style.
        formats: of png, svg and pdf.
        paper: whether the figure is for print, PAPER_WIDTH inches wide.

    Returns:
        Format -> the file's bytes.
    """
    images = {}
    with matplotlib.rc_context({**STYLE, **(PAPER if paper else {})}), _glyphs():
        figure = make()
        if paper:
            width, height = figure.get_size_inches()
            figure.set_size_inches(PAPER_WIDTH, height * PAPER_WIDTH / width)
        for name in sorted(formats, key=_DRAWN_IN_ORDER.index):
            buffer = BytesIO()
            if name == "png":  # savefig would draw everything twice
                FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})  # type: ignore[no-untyped-call]
            elif name == "pdf":
                from matplotlib.backends.backend_pdf import FigureCanvasPdf  # costly to import, and rarely asked for

                FigureCanvasPdf(figure).print_pdf(buffer, metadata={"CreationDate": None, "Creator": "gradstab", "Producer": None})  # type: ignore[no-untyped-call]
            else:
                FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": "gradstab"})  # type: ignore[no-untyped-call]
            figure.set_layout_engine("none")  # the places found for the first format hold for the others
            images[name] = buffer.getvalue()
    return images
