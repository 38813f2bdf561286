"""What came out, as a table beside AutoTrainer's published figures, with what was asked for and what it says of the nets that failed."""

from typing import Any

from experiments.bench.repair.nets import ATTAINABLE, MOST_ILL, NEAR
from experiments.diagnosis.outcome import LITTLE
from experiments.statistics.intervals import proportion
from experiments.text.numbers import number
from experiments.text.tables import TextTable

PUBLISHED = {
    "circle": {"ill": 92, "before": 0.527, "after": 0.795},
    "blob": {"ill": 98, "before": 0.502, "after": 0.811},
}
"""AutoTrainer's on its own nets of these families: mean test accuracy before and after repair, at three times the training's cost."""

PUBLISHED_COST = 3.0

LEAST_REPAIRED, MOST_COST = 0.99, 3.0
LEAST_AFTER = {"circle": 0.835, "blob": 0.85}

CENTRES, CENTRES_FRESH, NEAREST_MEAN = 255 / 300, 0.822, 254 / 300
"""Of *blob*: share of the test examples whose nearest true centre is that of their class, of fresh ones, and that by means in place of
centres. tests/experiments/bench/test_repair.py counts them.
"""

Row = dict[str, Any]


def bars(row: Row) -> dict[str, tuple[str, bool]]:
    """Return of a row what is to be, in words, and whether it is."""
    least = LEAST_AFTER[row["data"]]
    return {
        "every ill net is detected": (_share(row["detected"], row["ill"]), row["detected"] == row["ill"] > 0),
        "no healthy net is accused": (_share(row["accused"], row["healthy"]), row["accused"] == 0 < row["healthy"]),
        f"repaired in ≥ {_percent(LEAST_REPAIRED)}": (
            _share(row["repaired"], row["ill"]),
            row["ill"] > 0 and row["repaired"] >= LEAST_REPAIRED * row["ill"],
        ),
        f"mean accuracy ≥ {_percent(least)}": (f"{100 * row['after']:.2f} %", row["after"] >= least),
        f"cost ≤ {number(MOST_COST)} trainings": (number(row["cost"]), row["cost"] <= MOST_COST),
    }


def table(rows: list[Row]) -> TextTable:
    """Return one line a data set of ours, and one of AutoTrainer's under it."""
    head = ["data", "by", "ill", "healthy", "detected", "accused", "repaired", "own size kept", "before", "after", "cost"]
    lines = []
    for row in rows:
        published = PUBLISHED[row["data"]]
        counts = [str(row[name]) for name in ("ill", "healthy", "detected", "accused", "repaired", "kept")]
        lines.append([row["data"], "gradstab", *counts, _percent(row["before"]), _percent(row["after"]), number(row["cost"])])
        theirs = [str(published["ill"]), *["–"] * 5]
        means = [_percent(published["before"]), _percent(published["after"])]
        lines.append([row["data"], "AutoTrainer, its nets", *theirs, *means, number(PUBLISHED_COST)])
    return TextTable(head, lines, frozenset({"data", "by"}))


def document(rows: list[Row]) -> list[str]:
    """Return the paragraphs of the page in Markdown."""
    parts = [
        f"Nets of AutoTrainer's families on its *circle* and *blob*, times 100 (experiments/bench/repair/nets.py): ill where at most "
        f"{_percent(MOST_ILL)} of the test examples are right, healthy and repaired within {100 * NEAR:.0f} points of the attainable "
        f"{_percent(ATTAINABLE['circle'])} and {_percent(ATTAINABLE['blob'])}. Detected is a net that the diagnosis calls ill, accused a "
        "healthy one that it does: one that did not learn, or that learned little (a skill below "
        f"{number(LITTLE)}) with a cause to explain it; a signal or a cause beside a net that learned is a remark. Of what is "
        "tried the first that does as well as any on the training examples is taken, the simplest net being tried first. The 300 test "
        f"examples are the same in both sets of nets: of *blob*'s the rule that knows the true centres has {_percent(CENTRES)} right (of "
        f"fresh examples {_percent(CENTRES_FRESH)}), the nearest mean of the training examples {_percent(NEAREST_MEAN)}, so that a mean of "
        f"{_percent(LEAST_AFTER['blob'])} asks for as much as can be known. Own size kept: repaired "
        "ones whose depth and width are as they were. Cost: "
        "steps of all attempts over those of one training each. AutoTrainer's figures are of nets of its own, drawn from the same "
        "families, and no comparison net by net.",
        table(rows).markdown(),
    ]
    for row in rows:
        lines = [f"- {name}: {value}, {'met' if met else 'missed'}" for name, (value, met) in bars(row).items()]
        drawn = (
            f"**{row['data']}**, the {row['set']} set: {row['drawn']} nets drawn. {row['healthy_standardized']} of the {row['healthy']} "
            f"healthy ones stand on standardized inputs. Causes in the ill ones: {_counted(row['causes'])}. "
            f"Taken: {_counted(row['taken'])}."
        )
        parts += [drawn, "\n".join(lines)]
        for name, what in (("missed", "not detected"), ("wrongly_accused", "accused"), ("not_repaired", "not repaired")):
            if row[name]:
                parts.append(f"{what}:\n\n" + "\n".join(f"- `{net}`" for net in row[name]))
    return parts


def _percent(share: float) -> str:
    return f"{number(100 * share)} %"


def _share(count: int, of: int) -> str:
    if not of:
        return "–"
    ends = proportion(count, of)
    return f"{count} of {of} (95 % {100 * ends.low:.0f}–{100 * ends.high:.0f} %)"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()) or "none"
