"""Draw where δ vanishes and where it explodes: the phase diagram of an activation, or the plane of two swept keys.

gradstab phase activation=tanh
gradstab phase activation=tanh results/init_scale     measured factors as points on it
gradstab phase activation=relu dropout.rate=0.5       with hidden units dropped
gradstab phase -m skip=preactivation activation=relu init=he depth=10,20,50,100 skip.scale=0.1,0.2,0.5,1
"""

import argparse
from pathlib import Path
from typing import Any

from bpcore.activation import Activation
from experiments.compose.composition import compose, compose_one, runs_of
from experiments.compose.folders import add_config_dir, config_dir_flags
from experiments.errors import UserError
from experiments.figures import factor_map, phase_diagram
from experiments.figures.data import plane
from experiments.figures.data.table import FigureTable
from experiments.report.page import FORMATS, draw
from experiments.store.files import write_bytes, write_text
from experiments.store.reading import load
from experiments.sweep.numerics import ensure
from experiments.text.quoting import shortened
from experiments.theory import phase


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "arguments", nargs="*", metavar="key=value|RESULTS", help="activation=name, activation.alpha=…, dropout.rate=…; a results folder"
    )
    parser.add_argument("-m", "--multirun", action="store_true", help="the factor that theory predicts, over two swept keys")
    parser.add_argument("--output", type=Path, help="folder of the files; RESULTS_DIR/phase by default")
    add_config_dir(parser)


def execute(args: argparse.Namespace) -> int:
    """Compute the diagram, draw it, print the paths of its files.

    Returns:
        0.

    Raises:
        UserError: bad input, or the output cannot be written.
    """
    overrides = [word for word in args.arguments if "=" in word and not Path(word).is_dir()]
    folders = [Path(word) for word in args.arguments if word not in overrides]
    if len(folders) > 1:
        raise UserError(f"phase takes one results folder, got {len(folders)}: {shortened(', '.join(map(str, folders)))}")
    if args.multirun:
        return _swept(args, overrides, folders)
    (run,), _ = runs_of([compose_one(overrides, "phase", config_dir_flags(args.config_dir))])
    ensure(run.numerics)
    phi = run.activation
    if not isinstance(phi, Activation):
        raise UserError(f"phase draws the plane of one activation, got {run.choice('activation')}; choose one of them")
    if run.skip.span:
        raise UserError(f"phase draws the plane of a plain net, got skip={run.choice('skip')}; phase -m draws that of two swept keys")
    name, points = phase.label_of(run.config["activation"], run.dropout.rate), None
    if folders:
        found = phase.measured(load(folders[0]))
        if name not in found:
            has = ", ".join(found) or "none"
            raise UserError(f"{folders[0]} has no measured factor of activation={name} without normalization; it has: {has}")
        points = found[name][1]
    table = phase.diagram(name, phi, points, run.dropout.keep)
    _write(args.output or Path(run.results_dir) / "phase", name.replace(" ", "_"), phase_diagram, FigureTable(table))
    return 0


def _write(folder: Path, stem: str, figure: Any, table: FigureTable) -> None:
    """Draw a figure, write it with its table, and print the paths."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror or error}; choose another --output") from error
    for kind, content in draw(figure, table, FORMATS).items():
        write_bytes(folder / f"{stem}.{kind}", content)
        print(folder / f"{stem}.{kind}")
    write_text(folder / f"{stem}.csv", table.frame.to_csv(index=False, lineterminator="\n"))
    print(folder / f"{stem}.csv")


def _swept(args: argparse.Namespace, overrides: list[str], folders: list[Path]) -> int:
    """Draw the predicted factor over two swept keys."""
    if folders:
        raise UserError("phase -m takes no results folder: what was measured over two keys is in that folder's report")
    runs, _ = runs_of(compose(["--multirun", *config_dir_flags(args.config_dir)], overrides))
    ensure(runs[0].numerics)
    table = plane.over_two(runs)
    _write(args.output or Path(runs[0].results_dir) / "phase", f"{table.x}-{table.y}", factor_map, table)
    return 0
