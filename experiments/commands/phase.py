"""Draw the phase diagram of an activation: where δ vanishes, where it explodes, and the edge of chaos between.

gradstab phase activation=tanh
gradstab phase activation=tanh results/init_scale     measured factors as points on it
gradstab phase activation=relu dropout.rate=0.5       with hidden units dropped
"""

import argparse
from pathlib import Path

from bpcore.activation import Activation
from experiments.compose.composition import compose_one, runs_of
from experiments.compose.folders import add_config_dir, config_dir_flags
from experiments.errors import UserError
from experiments.figures import phase_diagram
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
    (run,), _ = runs_of([compose_one(overrides, "phase", config_dir_flags(args.config_dir))])
    ensure(run.numerics)
    phi = run.activation
    if not isinstance(phi, Activation):
        raise UserError(f"phase draws the plane of one activation, got {run.choice('activation')}; choose one of them")
    name, points = phase.label_of(run.config["activation"], run.dropout.rate), None
    if folders:
        found = phase.measured(load(folders[0]))
        if name not in found:
            has = ", ".join(found) or "none"
            raise UserError(f"{folders[0]} has no measured factor of activation={name} without normalization; it has: {has}")
        points = found[name][1]
    table = phase.diagram(name, phi, points, run.dropout.keep)
    folder: Path = args.output or Path(run.results_dir) / "phase"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror or error}; choose another --output") from error
    stem = name.replace(" ", "_")
    for kind, content in draw(phase_diagram, FigureTable(table), FORMATS).items():
        write_bytes(folder / f"{stem}.{kind}", content)
        print(folder / f"{stem}.{kind}")
    write_text(folder / f"{stem}.csv", table.to_csv(index=False, lineterminator="\n"))
    print(folder / f"{stem}.csv")
    return 0
