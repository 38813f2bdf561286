"""Run one configuration, or a sweep of them, and write its tables.

gradstab run depth=20 activation=sigmoid
gradstab run -m depth=2,10,50 activation=sigmoid,tanh seed='range(10)'
gradstab run +experiment=depth_by_activation
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from experiments.compose.composition import compose, compose_one, runs_of
from experiments.compose.folders import add_config_dir, config_dir_flags
from experiments.config.files import catalogue, choice
from experiments.config.keys import GROUPS, SCALARS
from experiments.config.run import Run
from experiments.errors import UserError
from experiments.report.data import tell_data
from experiments.report.terminal import describe_run, describe_sweep, run_rows
from experiments.store.tables import Tables
from experiments.sweep.invocation import Invocation, carry_out
from experiments.sweep.plan import Plan, folder_of
from experiments.sweep.restore import recorded_runs
from experiments.text.numbers import count
from experiments.text.plain import as_json
from experiments.text.quoting import shortened


def further_help() -> str:
    """Return the keys, the groups with their choices, and the prepared sweeps."""
    lines = ["keys, with their defaults:"]
    for key, declared in SCALARS.items():
        default, meta = ("null" if declared.default is None else declared.default), declared.metadata
        span = (
            f" (≥ {meta['at_least']})" if meta["at_least"] is not None else f" ({' | '.join(meta['choices'])})" if meta["choices"] else ""
        )
        lines.append(f"  {key + '=' + str(default):28s} {meta['help']}{span}")
    lines.append("groups, chosen as group=name and tuned as group.key=value; a choice's keys stand behind it:")
    lines += [f"  {group:15s} {', '.join(_choice(group, name) for name in catalogue(group))}" for group in GROUPS]
    lines.append(f"prepared sweeps, chosen as +experiment=name:\n  {' '.join(catalogue('experiment'))}")
    return "\n".join(lines)


def _choice(group: str, name: str) -> str:
    keys = [key for key in choice(group, name) if key not in ("_target_", "name")]
    return f"{name} ({' '.join(keys)})" if keys else name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; Hydra's own flags are handed on."""
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="Hydra overrides")
    parser.add_argument("--json", action="store_true", help="print the runs as JSON")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be run, and what it would cost")
    parser.add_argument("--fresh", action="store_true", help="replace results of the same name")
    parser.add_argument("--extend", action="store_true", help="add the runs to results of the same name")
    parser.add_argument("--from", dest="source", metavar="FOLDER", help="repeat the sweep of a results folder, from its record alone")
    flags = parser.add_argument_group("Hydra's flags")
    flags.add_argument("-m", "--multirun", action="store_true", help="run every combination of swept values")
    flags.add_argument("-c", "--cfg", choices=["job", "hydra", "all"], help="print the composed config and stop")
    flags.add_argument("-p", "--package", help="only this part of the config, with --cfg")
    flags.add_argument("--resolve", action="store_true", help="resolve interpolations, with --cfg")
    add_config_dir(flags)
    flags.add_argument("-i", "--info", choices=["all", "config", "defaults", "defaults-tree", "plugins", "searchpath"])
    flags.add_argument("--hydra-help", action="store_true", help="Hydra's own help")


def _hydra_flags(args: argparse.Namespace) -> list[str]:
    flags = [f"--{name.replace('_', '-')}" for name in ("multirun", "resolve", "hydra_help") if getattr(args, name)]
    for name in ("cfg", "package", "info"):
        if getattr(args, name) is not None:
            flags += [f"--{name}", getattr(args, name)]
    return flags


def execute(args: argparse.Namespace) -> int:
    """Compose, validate, run, write, print.

    Returns:
        0 done, diverged runs included; 1 if a run failed; 130 if interrupted.

    Raises:
        UserError: bad input.
    """
    if args.package and not args.cfg:
        raise UserError("--package chooses a part of what --cfg prints; add --cfg job")
    if args.fresh and args.extend:
        raise UserError("--fresh and --extend exclude each other: replace the old results, or add to them")
    own = config_dir_flags(args.config_dir)
    if args.source is not None:
        runs, folder = _recorded(args)
    else:
        runs, folder = _composed(args, own)
        if not runs:
            return 0
    invocation = Invocation(runs, folder, args.fresh, args.extend, args.dry_run, args.json, partial=True)
    return carry_out(invocation, lambda tables, done: _print(tables, done, args.json), tell_data)


def _composed(args: argparse.Namespace, own: list[str]) -> tuple[list[Run], Path]:
    """Compose and validate; the configs as Hydra gave them are not kept. No runs where a flag asked only for information."""
    composed = compose([*_hydra_flags(args), *own], args.overrides)
    if not composed:
        if args.cfg or args.info or args.hydra_help:
            return [], Path()
        raise UserError("the sweep is empty: one of its axes has no value; give it at least one")
    runs, repeated = runs_of(composed)
    if repeated:
        print(f"gradstab: {count(repeated, 'run')} left out, being the same as an earlier one of the sweep", file=sys.stderr)
    return runs, folder_of(runs, composed[0].experiment)


_PLACES = ("name", "results_dir", "executor")


def _recorded(args: argparse.Namespace) -> tuple[list[Run], Path]:
    """Restore the runs of a results folder; the overrides say where they go, and nothing else."""
    source = Path(args.source)
    strangers = [override for override in args.overrides if override.partition("=")[0].partition(".")[0] not in _PLACES]
    if strangers or _hydra_flags(args):
        what = (strangers or _hydra_flags(args))[0]
        raise UserError(f"--from repeats a sweep as it was; besides it, only {', '.join(_PLACES)} can be given, got {shortened(what)}")
    composed = compose_one(args.overrides, "--from").config
    places = {key: composed[key] for key in _PLACES} | {"name": composed["name"] or f"{source.resolve().name}-again"}
    runs = recorded_runs(source, places)
    if not runs:
        raise UserError(f"{source} holds no runs; there is nothing to repeat")
    runs = [replace(run, index=index) for index, run in enumerate(runs)]
    return runs, folder_of(runs, None)


def _print(tables: Tables, done: Plan, json_wanted: bool) -> int:
    if json_wanted:
        print(as_json(run_rows(tables)))
        return 0
    print(describe_run(tables) if len(tables.runs) == 1 else describe_sweep(tables))
    diverged = int((tables.runs["status"] == "diverged").sum())
    notes = [count(len(tables.runs), "run"), f"{done.done} done before" if done.done else "", f"{diverged} diverged" if diverged else ""]
    print(f"{done.folder}: {', '.join(note for note in notes if note)}; `gradstab report {done.folder}` draws them")
    return 0
