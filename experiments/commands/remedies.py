"""Try remedies on a net that does not train, the five of the literature also in pairs, and say which one works.

gradstab remedies depth=20 activation=sigmoid
gradstab remedies depth=50 activation=relu init=normal --seeds 5
"""

import argparse
import math
import shlex
from typing import Any

import pandas as pd

from experiments.compose.composition import compose_one
from experiments.compose.folders import add_config_dir, config_dir_flags
from experiments.config.identity import flatten
from experiments.config.run import Run
from experiments.config.validation import validate
from experiments.diagnosis import remedies
from experiments.diagnosis.effects import conclude, effects
from experiments.diagnosis.remedies import Candidate
from experiments.diagnosis.search import Search
from experiments.errors import UserError
from experiments.report.data import tell_data
from experiments.report.remedies import as_text, write
from experiments.store.tables import Tables
from experiments.sweep.again import initial_sharpness
from experiments.sweep.invocation import Invocation, carry_out, command_line
from experiments.sweep.plan import Plan, default_name
from experiments.text.numbers import count
from experiments.text.plain import as_json
from experiments.text.quoting import quote

SEEDS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = (
        "remedies, each a file in conf/remedy:\n"
        + "\n".join(f"  {level.remedy:20s} {level.advice} ({level.source})" for level in remedies.levels())
        + f"\nwithout batch_size={remedies.BATCH_SIZE} examples are taken a step; `gradstab run --help` lists the keys"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="the configuration that does not train")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help=f"repetitions of every change, ≥ 2 (default: {SEEDS})")
    parser.add_argument("--budget", type=int, metavar="N", help="at most N runs: what the causes of the ailing run point to comes first")
    parser.add_argument("--json", action="store_true", help="print all rows and the conclusions as JSON")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be run, and what it would cost")
    parser.add_argument("--fresh", action="store_true", help="replace results of the same name")
    add_config_dir(parser)


def execute(args: argparse.Namespace) -> int:
    """Compose the configuration, run all changes of it, print them ranked, write the report.

    Returns:
        0 done; 1 if a run failed; 130 if interrupted.

    Raises:
        UserError: bad input.
    """
    remedies.check_seeds(args.seeds)
    composed = compose_one(args.overrides, "remedies", config_dir_flags(args.config_dir))
    patient = remedies.prepare(validate(composed.config, overrides=composed.overrides))
    if args.budget is not None and args.budget < 2 * args.seeds:
        raise UserError(
            f"`--budget` must be an integer ≥ {2 * args.seeds}, got {quote(args.budget)}: one change and none, with {args.seeds} seeds each"
        )
    search = Search(patient, args.seeds, args.budget, initial_sharpness)
    first = remedies.runs_of(search.likely() if args.dry_run else search.tried, args.seeds)
    folder = remedies.folder_of(patient, default_name(remedies.runs_of(search.tried, args.seeds), "remedies"))

    def grow(tables: Tables) -> list[Run]:
        search.grow(tables.runs)
        return remedies.runs_of(search.tried, args.seeds)

    def report(tables: Tables, done: Plan) -> int:
        return _report(tables, done, search.tried, patient, args)

    return carry_out(Invocation(first, folder, fresh=args.fresh, dry_run=args.dry_run, as_json=args.json), report, tell_data, grow)


def _report(tables: Tables, done: Plan, tried: list[Candidate], patient: Run, args: argparse.Namespace) -> int:
    table = effects(labeled(tables, tried, args.seeds), clip_rates(tables))
    clipping = table[(table["n_changes"] == 1) & table["change"].str.contains("clip=")]
    conclusions = conclude(table, float(clipping["clip_rate"].iloc[0]) if len(clipping) else math.nan)
    shown = [(key, str(value)) for key, value in flatten(patient.config).items() if key != "seed"]
    page = write(done.folder, table, conclusions, " ".join(command_line()), shown)
    if args.json:
        print(as_json({"conclusions": conclusions.lines(), "changes": table.to_dict("records"), "report": page}))
    else:
        print(as_text(table, conclusions))
        print(f"{done.folder}: {count(len(done.runs), 'run')}, {count(done.done, 'run')} done before; {page} shows them")
    return 0


def labeled(tables: Tables, tried: list[Candidate], seeds: int) -> pd.DataFrame:
    """Return the runs table with each run's change beside it, in the order of the candidates."""
    rows = tables.runs.set_index("run_id", drop=False)
    own = [(candidate, run.run_id) for candidate in tried for run in remedies.runs_of([candidate], seeds)]
    places = [candidate for candidate, run_id in own if run_id in rows.index]
    runs = rows.loc[[run_id for _, run_id in own if run_id in rows.index]].reset_index(drop=True)
    extra: dict[str, Any] = {
        "change": [candidate.label for candidate in places],
        "n_changes": [candidate.cost[0] for candidate in places],
        "cost": [candidate.cost[1] for candidate in places],
        "advice": ["; ".join(level.advice for level in candidate.levels) for candidate in places],
        "command": [shlex.join(["gradstab", "run", *candidate.run.overrides]) for candidate in places],
        "reason": ["; ".join(level.reason for level in candidate.levels) for candidate in places],
    }
    return runs.assign(**extra)


def clip_rates(tables: Tables) -> "pd.Series[float]":
    """Return the share of recorded steps that were clipped, by run."""
    return tables.steps["clipped"].astype("float64").groupby(tables.steps["run_id"]).mean()
