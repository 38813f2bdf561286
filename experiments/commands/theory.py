"""Predict a configuration without running it: fixed points, χ₁, depth scales, the factor per layer, where δ underflows.

gradstab theory activation=tanh init.scale=1.5 init.bias_std=0.2 depth=50
gradstab theory -m activation=sigmoid,tanh,relu init.scale=1,1.414,2
"""

import argparse
import sys

from tqdm import tqdm

from experiments.compose.composition import compose, runs_of
from experiments.compose.folders import add_config_dir, config_dir_flags
from experiments.errors import UserError
from experiments.report.data import tell_data
from experiments.sweep.numerics import ensure
from experiments.text.plain import as_json
from experiments.theory.table import as_table, as_text, describe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = "The keys are those of `gradstab run`; what concerns training alone changes nothing here."
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="Hydra overrides")
    parser.add_argument("--json", action="store_true", help="print {q_star, chi_1, xi_c, xi_grad, …} as JSON; of a sweep a list")
    parser.add_argument("-m", "--multirun", action="store_true", help="predict every combination of swept values")
    add_config_dir(parser)


def execute(args: argparse.Namespace) -> int:
    """Compose, validate, predict, print.

    Returns:
        0.

    Raises:
        UserError: bad input.
    """
    composed = compose([*(["--multirun"] if args.multirun else []), *config_dir_flags(args.config_dir)], args.overrides)
    if not composed:
        raise UserError("the sweep is empty: one of its axes has no value; give it at least one")
    runs, _ = runs_of(composed)
    ensure(runs[0].numerics)
    tell_data(runs)
    bar = tqdm(runs, desc="predicting", unit="config", file=sys.stderr, disable=None, leave=False, delay=1)
    described = [describe(run) for run in bar]
    if args.json:
        print(as_json(described if args.multirun or len(runs) > 1 else described[0]))
    elif len(runs) == 1:
        print(as_text(described[0]))
    else:
        print(as_table(runs, described))
        print("factor: ‖δ^l‖/‖δ^(l+1)‖ over the hidden layers of this net on these data; χ₁, ξ and trainable depth of an infinite one")
    return 0
