"""A small page made from tables made by hand: three findings, one of them refuted, with their figures."""

from pathlib import Path

from experiments.atlas import figures, judging, page
from experiments.atlas.catalogue import select
from experiments.atlas.judging import Judged
from tests.experiments.findings.published.test_pilots import TestPhase
from tests.experiments.findings.tables import geometric, joined, results

PROVENANCE = {"command": "gradstab reproduce", "versions": {"numpy": "2"}, "sweep": []}


def judged() -> list[Judged]:
    sweeps = {
        "s_vanish": {"depths": joined(geometric(0.23, 3), geometric(0.23, 10))},
        "f_phase": TestPhase().tables(1.0),
        "f_xavier_tanh": {"depths": joined(geometric(0.96, 5), geometric(0.96, 50))},
    }
    entries = {entry.finding.id: entry for entry in select(list(sweeps))}
    tables = {name: {sweep: results(runs) for sweep, runs in parts.items()} for name, parts in sweeps.items()}
    return [judging.judge(entries[name], tables[name], f"gradstab reproduce --finding {name}") for name in sweeps]


def write(folder: Path, lost: list[str] | None = None) -> Path:
    target = folder / "figures"
    target.mkdir(parents=True)
    commands = {"depths": "gradstab run -m depth=2"}
    sections = [page.section(one, figures.write(one, target, "figures"), commands) for one in judged()]
    path = folder / "atlas.html"
    path.write_text(page.render(sections, "default", "gradstab reproduce", PROVENANCE, lost or []), encoding="utf-8")
    return path
