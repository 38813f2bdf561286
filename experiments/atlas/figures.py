"""The files of a finding: its figure as PNG, SVG and PDF, its tables as CSV, all made from the tables alone."""

from dataclasses import dataclass
from pathlib import Path

from experiments.atlas.judging import Judged
from experiments.figures.style.render import render
from experiments.report import pages
from experiments.store.files import write_bytes, write_text

FORMATS = ("png", "svg", "pdf")


@dataclass(frozen=True)
class Picture:
    """Hold a figure as the page shows it.

    Args:
        source: data URI, empty where there is no figure.
        caption: how to read it.
        alt: for those who do not see it.
        files: paths of figure and tables, relative to the page.
        broken: why there is no figure, where its code failed.
    """

    source: str
    caption: str
    alt: str
    files: tuple[str, ...]
    broken: str = ""


def write(judged: Judged, folder: Path, relative: str, paper: bool = False) -> Picture:
    """Write a finding's tables, and draw and write its figure.

    Args:
        judged: the finding with its tables.
        folder: of the files, which exists.
        relative: the folder's path as seen from the page.
        paper: whether figures have a paper's size.

    Returns:
        The figure for the page; without a source where the finding has none.
    """
    name, tables = judged.finding.id, judged.estimate.tables
    files = []
    for table, frame in tables.items():
        file = f"{name}.csv" if table == "numbers" else f"{name}_{table}.csv"
        write_text(folder / file, frame.to_csv(index=False, lineterminator="\n"))
        files.append(f"{relative}/{file}")
    entry = judged.entry
    if entry.draw is None or not tables:
        return Picture("", "", "", tuple(files))
    try:
        images = render(lambda: entry.figure(tables), FORMATS, paper)
        words = entry.words(tables)
    except Exception as error:  # a figure that cannot be drawn costs the figure, not the atlas
        return Picture("", "", "", tuple(files), f"its figure failed: {type(error).__name__}: {' '.join(str(error).split())}")
    for kind, content in images.items():
        write_bytes(folder / f"{name}.{kind}", content)
    alt = f"Figure of {judged.finding.label}, {judged.finding.title}: {judged.estimate.reason}"
    return Picture(pages.data_uri(images), words, alt, (*(f"{relative}/{name}.{kind}" for kind in FORMATS), *files))
