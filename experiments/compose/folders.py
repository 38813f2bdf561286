"""A folder of one's own config files: `--config-dir`, which every command that composes takes."""

import argparse
import sys
from pathlib import Path

from experiments.errors import UserError


def add_config_dir(parser: argparse._ActionsContainer) -> None:
    """Declare the argument."""
    parser.add_argument(
        "-cd", "--config-dir", metavar="DIR", help="a folder with more config files, such as data/mine.yaml, and their modules"
    )


def config_dir_flags(folder: str | None) -> list[str]:
    """Return Hydra's flags for a folder of config files, and let Python find the modules that stand in it.

    They are looked for after all others, so that none of ours is shadowed; workers inherit the search path.

    Args:
        folder: as given, or None.

    Returns:
        Flags for `compose`; none without a folder.

    Raises:
        UserError: there is no such folder.
    """
    if folder is None:
        return []
    path = Path(folder).expanduser().resolve()
    if not path.is_dir():
        raise UserError(f"`--config-dir` must be a folder of config files, such as data/mine.yaml; {folder} is none")
    if str(path) not in sys.path:
        sys.path.append(str(path))
    return ["--config-dir", str(path)]
