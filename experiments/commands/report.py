"""Draw results: figures (SVG, PNG, a CSV beside each) and one self-contained HTML page; several folders are compared.

gradstab report results/overview
gradstab report results/relu results/tanh --output results/compare.html
"""

import argparse
from pathlib import Path

from experiments.errors import UserError
from experiments.report.page import FORMATS, write_report
from experiments.text.quoting import quote


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULTS", help="a results folder; several are compared")
    parser.add_argument("--output", type=Path, metavar="FILE.html", help="the page; by default report.html in the results folder")
    parser.add_argument("--formats", default=",".join(FORMATS), help=f"image files to write, of {','.join(FORMATS)} (default: both)")


def execute(args: argparse.Namespace) -> int:
    """Draw the figures, write the page, print its path.

    Returns:
        0.

    Raises:
        UserError: a folder is no results folder, or the output cannot be written.
    """
    formats = tuple(dict.fromkeys(word.strip() for word in args.formats.split(",") if word.strip()))
    if not formats or not set(formats) <= set(FORMATS):
        raise UserError(f"--formats must be {' or '.join(FORMATS)} or both, with a comma, got {quote(args.formats)}")
    print(write_report(args.results, args.output, formats))
    return 0
