"""From the tables of all runs to verdicts, and what has become of the reference's."""

import copy
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.atlas.catalogue import Entry
from experiments.config.paths import REFERENCE
from experiments.errors import UserError
from experiments.findings.conditions import Condition
from experiments.findings.finding import Estimate, Finding, Judgement, not_testable
from experiments.store.columns import KEYS, RUN_RESULTS
from experiments.store.tables import Results
from experiments.text import plain
from experiments.text.numbers import MISSING, interval, number
from experiments.text.quoting import quote
from experiments.text.tables import from_records
from experiments.text.words import words

COLUMNS = {
    "id": "the finding",
    "title": "in a few words",
    "claim": "in one sentence",
    "source": "who published it",
    "certainty": "read, secondary, recalled or derived",
    "control": "whether it is a popular claim that is expected to fail",
    "knobs": "what it is about",
    "published_text": "what was published, in words",
    "quantity": "what the numbers are",
    "published": "the published number, or null",
    "theory": "theory's number, or null",
    "measured": "the measured number, or null",
    "low": "lower end of its interval, or null",
    "high": "upper end",
    "interval": "which interval",
    "n": "runs that it rests on",
    "data": "which data it was measured on",
    "verdict": "reproduced, caveat, refuted, not_reproduced or not_testable",
    "reason": "the numbers that decided",
    "conditions": "what the rule is made of: name, holds (null where there was nothing to decide it by), evidence",
    "against": "the same of what would refute the claim",
    "command": "regenerates it",
}
"""The keys of an entry of verdicts.json."""

_AGREES = ("reproduced", "caveat")

_MOST_NAMED = 3
"""Settings that are named where no run of them came through; the others are counted."""


@dataclass(frozen=True)
class Judged:
    """Hold a finding with its estimate.

    Args:
        entry: the finding and its code.
        estimate: what came out.
        command: that regenerates it.
        data: on which it was measured.
        broken: what went wrong in its code, or empty.
    """

    entry: Entry
    estimate: Estimate
    command: str
    data: str
    broken: str = ""

    @property
    def finding(self) -> Finding:
        """Return the finding."""
        return self.entry.finding


def judge(entry: Entry, results: Mapping[str, Results], command: str) -> Judged:
    """Estimate and judge one finding; failed runs are left out, and said.

    A setting of which no run came through is an arm of the rule that was not measured: what is left may not be called reproduced, nor
    refuted.

    Args:
        entry: the finding and its code.
        results: sweep name -> tables.
        command: that regenerates it.

    Returns:
        The estimate; not_testable where no run came through, or where the finding's code fails.
    """
    data = _data(results)
    failed = sum(int((tables.runs["status"] == "failed").sum()) for tables in results.values())
    total = sum(len(tables.runs) for tables in results.values())
    if total == failed:
        return Judged(entry, not_testable(f"none of its {total} runs came through"), command, data)
    missing = _lost_settings(results)
    try:
        estimate = entry.estimate({name: _finished(tables) for name, tables in results.items()}, entry.finding)
        if not isinstance(estimate, Estimate):
            raise TypeError(f"estimate() must return an Estimate, got {type(estimate).__name__}")
    except Exception as error:
        if os.environ.get("GRADSTAB_TRACEBACK"):
            raise
        if missing:  # an estimate need not be ready for an arm that is not there
            return Judged(entry, not_testable(f"no run came through of {missing}", total - failed), command, data)
        broken = f"its estimate failed: {type(error).__name__}: {' '.join(str(error).split())}"
        return Judged(entry, not_testable(broken, total - failed), command, data, broken)
    if failed:
        estimate = replace(estimate, reason=f"{estimate.reason} {failed} of {total} runs failed and are left out.")
    if missing:
        estimate = _undecided(estimate, missing)
    return Judged(entry, estimate, command, data)


def _lost_settings(results: Mapping[str, Results]) -> str:
    """Name the settings of which every run failed, a setting being what varies within a sweep but for the seed; empty if none."""
    lost = []
    for name, tables in results.items():
        runs = tables.runs
        failed = runs["status"] == "failed"
        axes = [column for column in runs.columns if column not in {*KEYS, *RUN_RESULTS, "seed"} and runs[column].nunique(dropna=False) > 1]
        if failed.all():
            lost.append(f"the sweep {name}")
        elif axes:
            for values, rows in failed.groupby([runs[axis] for axis in axes], dropna=False, observed=True):
                if rows.all():
                    lost.append(f"{name} at {', '.join(f'{axis}={value}' for axis, value in zip(axes, values, strict=True))}")
    more = f" and {len(lost) - _MOST_NAMED} more" if len(lost) > _MOST_NAMED else ""
    return "; ".join(lost[:_MOST_NAMED]) + more


def _undecided(estimate: Estimate, missing: str) -> Estimate:
    """Return the estimate with what is missing among its conditions; its rule holds no more, though it may fail."""
    before = estimate.judgement
    conditions = (*before.conditions, Condition("some run of every setting came through", None, f"none of {missing}"))
    verdict = before.verdict if before.verdict == "not_reproduced" else "not_testable"
    return replace(estimate, judgement=Judgement(verdict, conditions, before.against), reason=f"{estimate.reason} None of {missing}.")


def _data(results: Mapping[str, Results]) -> str:
    """Name the data of all runs; where there are several files of them, which."""
    names: set[str] = set()
    for tables in results.values():
        own = tables.runs.reindex(columns=["data", "data.split"]).drop_duplicates()
        names |= {name if pd.isna(part) else f"{name} ({part})" for name, part in own.itertuples(index=False) if not pd.isna(name)}
    return ", ".join(sorted(names))


def _finished(tables: Results) -> Results:
    came_through = tables.runs["status"] != "failed"
    if came_through.all():
        return tables
    finished = copy.copy(tables)  # its long tables may not have been asked for yet
    finished.runs = tables.runs[came_through].reset_index(drop=True)
    return finished


def _plain(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def row(judged: Judged) -> dict[str, Any]:
    """Return a finding's entry of verdicts.json, its keys being those of COLUMNS."""
    finding, estimate = judged.finding, judged.estimate
    numbers = {name: _plain(getattr(estimate, name)) for name in ("published", "theory", "measured", "low", "high")}
    values = {
        **{name: getattr(finding, name) for name in ("id", "title", "claim", "source", "certainty", "control")},
        "knobs": list(finding.knobs),
        "published_text": finding.published,
        **{name: getattr(estimate, name) for name in ("quantity", "interval", "n", "verdict", "reason")},
        **numbers,
        **{name: [asdict(condition) for condition in getattr(estimate.judgement, name)] for name in ("conditions", "against")},
        "data": judged.data,
        "command": judged.command,
    }
    return {name: values[name] for name in COLUMNS}


def as_json(rows: list[dict[str, Any]]) -> str:
    """Return verdicts.json: a list of entries."""
    return plain.as_json(rows) + "\n"


def measured(entry: dict[str, Any]) -> str:
    """Write what was measured, with its interval: 0.204 (0.201–0.206)."""
    if entry["measured"] is None:
        return MISSING
    if entry["low"] is None or entry["high"] is None:
        return number(entry["measured"])
    return f"{number(entry['measured'])} ({interval(entry['low'], entry['high'])})"


def summary(rows: list[dict[str, Any]]) -> str:
    """Return the summary table in Markdown."""
    cells = [
        {
            "finding": label(entry["id"]),
            "quantity": entry["quantity"] or MISSING,
            "published": entry["published"],
            "theory": entry["theory"],
            "measured": measured(entry),
            "n": entry["n"],
            "verdict": words(entry["verdict"]),
        }
        for entry in rows
    ]
    reasons = [f"- **{label(entry['id'])}** ({entry['title']}): {entry['reason']}{failing(entry)}" for entry in rows]
    return "\n".join(["# The atlas of findings", "", from_records(cells).markdown(), "", *reasons, ""])


def failing(entry: Mapping[str, Any]) -> str:
    """Say which conditions of the rule do not hold, with their evidence; empty where all do, or an older entry has none.

    Args:
        entry: of verdicts.json.
    """
    words = {False: "Fails", None: "Undecided"}
    missed = [one for one in entry.get("conditions", []) if one["holds"] is not True]
    return "".join(f" {words[one['holds']]}: {one['name']} ({one['evidence']})." for one in missed)


def label(name: str) -> str:
    """Return the displayed name of an id."""
    return name.upper().replace("_", "-")


def table(rows: list[dict[str, Any]]) -> str:
    """Return the verdicts as a text table."""
    cells = [
        {
            "finding": label(entry["id"]),
            "published": entry["published"],
            "theory": entry["theory"],
            "measured (interval)": measured(entry),
            "n": entry["n"],
            "verdict": entry["verdict"],
        }
        for entry in rows
    ]
    return from_records(cells, left=frozenset({"finding", "verdict"})).terminal()


def reference(path: Path = REFERENCE / "verdicts.json") -> dict[str, dict[str, Any]]:
    """Return the entries of the committed reference by id; none where there is no reference.

    Args:
        path: of its verdicts.json.

    Raises:
        UserError: the file is damaged.
    """
    if not path.is_file():
        return {}
    try:
        return {entry["id"]: {**entry, "verdict": entry["verdict"]} for entry in json.loads(path.read_text(encoding="utf-8"))}
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"cannot read the reference {path}: {quote(error)}; restore it, or write one by `gradstab reproduce`") from error


def lost(rows: list[dict[str, Any]], before: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return one line for each finding that does not come out any more as it does in the reference.

    A finding that was reproduced, with or without a caveat, must be so again; a popular claim that was refuted must be
    refuted again. Findings that the reference does not settle, or that it measured on other data, are not compared.

    Args:
        rows: entries of this invocation.
        before: entries of the reference by id.

    Returns:
        Lines such as "F-BN is no longer reproduced (not_reproduced): …".
    """
    lines = []
    for entry in rows:
        then = before.get(entry["id"], {})
        was = then.get("verdict") if then.get("data") == entry["data"] else None
        if was in _AGREES and entry["verdict"] not in _AGREES:
            lines.append(f"{label(entry['id'])} is no longer reproduced ({entry['verdict']}): {entry['reason']}{failing(entry)}")
        elif was == "refuted" and entry["verdict"] != "refuted":
            lines.append(f"{label(entry['id'])} is no longer refuted ({entry['verdict']}): {entry['reason']}")
    return lines
