"""The sentences of captions that figures have in common."""

from experiments.figures.data.table import FigureTable
from experiments.figures.style.curves import beyond
from experiments.text.numbers import count, number


def cut_off(table: FigureTable) -> str:
    """Return the sentence on values beyond the upper border, empty where there are none."""
    gone = table.frame["mean"][table.frame["mean"] > beyond(table.frame)]
    if not len(gone):
        return ""
    verb = "lies" if len(gone) == 1 else "lie"
    return f"{count(len(gone), 'value')}, up to {number(gone.max(), typeset=True)}, {verb} beyond the upper border (triangles)."


def repeated(table: FigureTable, geometric: bool = True) -> str:
    """Return the sentence that explains line and band."""
    if not (table.frame["n"] > 1).any():
        return ""
    mean = "geometric mean" if geometric else "mean"
    return f"Lines are the {mean} over seeds, bands reach from the smallest to the largest."


def lost(table: FigureTable, what: str = "values") -> str:
    """Return the sentence that counts exact zeros and non-finite values, empty where there are none."""
    zero, gone = int(table.frame["n_zero"].sum()), int(table.frame["n_not_finite"].sum())
    parts = []
    if zero:
        parts.append(f"{zero} {what} are exactly 0 (open circles at the lower border)")
    if gone:
        parts.append(f"{gone} {what} are not finite (crosses at the upper border)")
    return f"{' and '.join(parts)}; these have no place on the axis." if parts else ""


def sentences(*parts: str) -> str:
    """Join the parts of a caption that are not empty."""
    return " ".join(part for part in parts if part)
