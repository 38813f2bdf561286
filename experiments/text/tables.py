"""One table, written for the terminal or as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.text.numbers import number


@dataclass(frozen=True)
class TextTable:
    """Hold a table of texts.

    Args:
        head: names of the columns.
        rows: one list of cells a row; a cell is one text, or the lines of a cell of several.
        left: the columns that are flush left; the others are flush right.

    Raises:
        ValueError: a row has not one cell a column.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str | Sequence[str]]]
    left: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"`rows` must have {len(self.head)} cells each, got {len(row)}")

    def terminal(self, rule: bool = False) -> str:
        """Set the columns under their names, two spaces apart.

        Args:
            rule: whether a line stands under the names.

        Returns:
            Lines without trailing spaces.
        """
        lines = [list(self.head)]
        for cells in ([_lines(cell) for cell in row] for row in self.rows):
            height = max(map(len, cells), default=0)
            lines += [[cell[at] if at < len(cell) else "" for cell in cells] for at in range(height)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        if rule:
            lines.insert(1, ["─" * width for width in widths])
        flush = [str.ljust if name in self.left else str.rjust for name in self.head]
        placed = [[set_(text, width) for set_, text, width in zip(flush, line, widths, strict=True)] for line in lines]
        return "\n".join("  ".join(line).rstrip() for line in placed)

    def markdown(self) -> str:
        """Write the table in Markdown; a pipe in a cell is escaped."""
        rows = [[_escaped(name) for name in self.head], *([_escaped("<br>".join(_lines(cell))) for cell in row] for row in self.rows)]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join([lines[0], f"|{'---|' * len(self.head)}", *lines[1:]])


def _lines(cell: str | Sequence[str]) -> Sequence[str]:
    return [cell] if isinstance(cell, str) else cell


def _escaped(text: str) -> str:
    return text.strip().replace("|", "\\|")


def from_records(rows: Sequence[Mapping[str, Any]], left: frozenset[str] = frozenset()) -> TextTable:
    """Make a table of records of the same keys; what is no text is written as a number.

    Args:
        rows: one or more.
        left: the columns that are flush left.
    """
    head = list(rows[0])
    return TextTable(head, [[_cell(row[name]) for name in head] for row in rows], left)


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else number(value)
