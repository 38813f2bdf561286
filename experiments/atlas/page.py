"""The atlas as one offline page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from experiments.atlas.figures import Picture
from experiments.atlas.glyph import Glyph, glyph
from experiments.atlas.judging import Judged, measured, row
from experiments.figures.data.roles import is_numeric
from experiments.findings.finding import CERTAINTIES, KNOBS, VERDICTS, Finding
from experiments.report import pages
from experiments.report.tables import provenance_rows
from experiments.text.numbers import MISSING, number
from experiments.text.words import words

MOST_ROWS = 60
"""Of a numbers table on the page; the rest stands in its CSV file."""


@dataclass(frozen=True)
class Section:
    """Hold a finding as the page shows it.

    Args:
        finding: as its conf file states it.
        entry: of verdicts.json.
        measured: number with interval, as text.
        glyph: the numbers as a drawing, or None.
        picture: the figure.
        columns: (name, whether it holds numbers) of the numbers table.
        rows: of the numbers table, as text.
        left_out: rows that stand in the CSV file alone.
        commands: sweep -> the command that runs it alone.
    """

    finding: Finding
    entry: Mapping[str, Any]
    measured: str
    glyph: Glyph | None
    picture: Picture
    columns: list[tuple[str, bool]]
    rows: list[list[str]]
    left_out: int
    commands: Mapping[str, str]


def section(judged: Judged, picture: Picture, commands: Mapping[str, str]) -> Section:
    """Prepare a finding for the page.

    Args:
        judged: the finding with its estimate.
        picture: its figure.
        commands: sweep -> the command that runs it alone.
    """
    entry = row(judged)
    numbers = judged.estimate.tables.get("numbers", pd.DataFrame())
    shown = numbers.head(MOST_ROWS)
    columns = [(words(str(name)), is_numeric(numbers[name])) for name in numbers.columns]
    rows = [[_text(value) for value in values] for values in shown.itertuples(index=False, name=None)]
    return Section(judged.finding, entry, measured(entry), glyph(entry), picture, columns, rows, len(numbers) - len(shown), commands)


def _text(value: Any) -> str:
    if value is None or pd.isna(value):
        return MISSING
    if isinstance(value, str):
        return value
    if str(value) in ("True", "False"):
        return "yes" if value else "no"
    return number(value)


def render(sections: list[Section], mode: str, command: str, provenance: dict[str, Any], lost: list[str]) -> str:
    """Return the page.

    Args:
        sections: the findings, in order.
        mode: of MODES.
        command: the command line.
        provenance: of the runs.
        lost: findings that do not come out any more as in the reference, one line each.

    Returns:
        HTML that needs no other file.
    """
    environment = pages.environment()
    environment.filters["number"] = number
    environment.filters["words"] = words
    verdicts = [section.entry["verdict"] for section in sections]
    knobs = {knob for section in sections for knob in section.finding.knobs}
    return environment.get_template("atlas.html.j2").render(
        sections=sections,
        held=[section for section in sections if section.entry["verdict"] != "refuted"],
        refuted=[section for section in sections if section.entry["verdict"] == "refuted"],
        verdicts={name: (meaning, verdicts.count(name)) for name, meaning in VERDICTS.items() if name in verdicts},
        knobs={knob: meaning for knob, meaning in KNOBS.items() if knob in knobs},
        certainties=CERTAINTIES,
        mode=mode,
        command=command,
        provenance=provenance_rows(provenance),
        lost=lost,
    )
