"""Run the atlas of published findings, judge each, and write one page.

gradstab reproduce
gradstab reproduce --finding f_nielsen_init,f_phase --quick
gradstab reproduce --findings my_findings/ width=128
"""

import argparse
import shlex
import sys
from pathlib import Path

from tqdm import tqdm

from experiments.atlas import catalogue, figures, judging, page
from experiments.atlas.catalogue import Entry
from experiments.atlas.figures import Picture
from experiments.atlas.judging import Judged
from experiments.atlas.parts import Parts
from experiments.atlas.sweeps import Composition, compose_all
from experiments.compose.folders import add_config_dir, config_dir_flags
from experiments.errors import UserError
from experiments.findings.finding import Estimate
from experiments.forks.sharing import shared_out
from experiments.store.files import write_text
from experiments.store.reading import read_provenance
from experiments.store.tables import Tables
from experiments.sweep.invocation import Invocation, carry_out, command_line
from experiments.sweep.plan import Plan
from experiments.text import plain
from experiments.text.numbers import count
from experiments.text.quoting import quote, shortened


def further_help() -> str:
    """Return the findings with their titles."""
    return "findings:\n" + "\n".join(f"  {name:18s} {title}" for name, title in catalogue.titles().items())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="Hydra overrides of every sweep; finding=a,b picks findings")
    parser.add_argument("--finding", metavar="A,B", help="only these findings, by id")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_true", help="fewer seeds and depths")
    mode.add_argument("--full", action="store_true", help="more seeds and depths")
    parser.add_argument("--findings", type=Path, metavar="DIR", help="a folder of your own findings, <id>.yaml and <id>.py of each")
    parser.add_argument("--paper", action="store_true", help="figures in the size of a paper")
    parser.add_argument("--json", action="store_true", help="print verdicts.json instead of the table")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be run, and what it would cost")
    parser.add_argument("--fresh", action="store_true", help="run everything anew")
    add_config_dir(parser)


def _chosen(args: argparse.Namespace) -> tuple[list[str] | None, list[str]]:
    """Return the chosen ids, or None for all, and the other overrides."""
    named = [word.partition("=")[2] for word in args.overrides if word.startswith("finding=")]
    if args.finding is not None:
        named.append(args.finding)
    rest = [word for word in args.overrides if not word.startswith("finding=")]
    for word in rest:
        if "=" not in word:
            raise UserError(f"{quote(word)} is no override; expected key=value, or --finding {shortened(word)}")
        if word.lstrip("+~").startswith(("experiment=", "hydra.", "hydra/")):
            raise UserError(f"`{shortened(word)}` has no place here: a finding states its sweeps itself; leave it out")
    return ([name for words in named for name in words.split(",")] if named else None), rest


def execute(args: argparse.Namespace) -> int:
    """Compose, run, estimate, judge, draw, write, print.

    Returns:
        0; 1 if a finding that the reference settles came out otherwise, a run failed or a finding's code failed;
        130 if interrupted.

    Raises:
        UserError: bad input.
    """
    names, overrides = _chosen(args)
    mode = "quick" if args.quick else "full" if args.full else "default"
    entries = catalogue.select(names, args.findings)
    before = judging.reference()
    composition = compose_all([entry.finding for entry in entries], mode, overrides, config_dir_flags(args.config_dir))
    tail = "".join(f" {shlex.quote(override)}" for override in overrides)

    def command(entry: Entry) -> str:
        return f"{_alone(entry, args, mode)}{tail}"

    def report(tables: Tables, done: Plan) -> int:
        provenance = read_provenance(done.folder / "provenance.json")
        parts = Parts(tables, composition, done.folder, provenance)
        parts.prepare("layers", "steps")
        target = composition.folder / "figures"
        target.mkdir(parents=True, exist_ok=True)

        def settle(entry: Entry) -> tuple[Estimate, str, str, Picture]:
            one = judging.judge(entry, parts[entry.finding.id], command(entry))
            return one.estimate, one.data, one.broken, figures.write(one, target, target.name, args.paper)

        with tqdm(total=len(entries), desc="judging", unit="finding", disable=None, delay=2, leave=False, file=sys.stderr) as bar:
            settled = shared_out(settle, entries, bar.update)
        judged = [Judged(entry, estimate, command(entry), *rest) for entry, (estimate, *rest, _) in zip(entries, settled, strict=True)]
        lost = judging.lost([judging.row(one) for one in judged], before)
        troubles = [f"{one.finding.label}: {one.broken}" for one in judged if one.broken]
        troubles += _write(judged, [picture for *_, picture in settled], composition, mode, provenance, lost)
        return _tell(judged, composition, lost, troubles, done.done, args.json)

    folder = composition.folder / "runs"
    return carry_out(Invocation(composition.runs, folder, args.fresh, not args.fresh, args.dry_run, args.json), report)


def _alone(entry: Entry, args: argparse.Namespace, mode: str) -> str:
    """Return the command that reproduces a finding alone, but for its overrides."""
    flags = "" if mode == "default" else f" --{mode}"
    own = f" --findings {shlex.quote(str(args.findings))}" if entry.origin else ""
    return f"gradstab reproduce --finding {entry.finding.id}{flags}{own}"


def _write(
    judged: list[Judged],
    pictures: list[Picture],
    composition: Composition,
    mode: str,
    provenance: dict[str, object],
    lost: list[str],
) -> list[str]:
    """Write verdicts, summary and page; return what went wrong in the findings' figures."""
    folder = composition.folder
    sections, troubles = [], []
    for one, picture in zip(judged, pictures, strict=True):
        if picture.broken:
            troubles.append(f"{one.finding.label}: {picture.broken}")
        commands = {sweep: composition.commands[one.finding.id, sweep] for sweep in one.finding.sweeps}
        sections.append(page.section(one, picture, commands))
    rows = [judging.row(one) for one in judged]
    write_text(folder / "verdicts.json", judging.as_json(rows))
    write_text(folder / "summary.md", judging.summary(rows))
    write_text(folder / "atlas.html", page.render(sections, mode, " ".join(command_line()), provenance, lost))
    return troubles


def _tell(judged: list[Judged], composition: Composition, lost: list[str], troubles: list[str], skipped: int, as_json: bool) -> int:
    rows = [judging.row(one) for one in judged]
    if as_json:
        print(plain.as_json(rows))
    else:
        print(judging.table(rows))
        done = f", {skipped} done before" if skipped else ""
        print(f"{composition.folder / 'atlas.html'}: {count(len(rows), 'finding')}, {count(len(composition.runs), 'run')}{done}")
    for line in [*troubles, *lost]:
        print(f"gradstab: {line}", file=sys.stderr)
    return 1 if lost or troubles else 0
