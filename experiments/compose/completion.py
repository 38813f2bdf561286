"""Tab completion of `gradstab run`, by Hydra's own shell plugins."""

import os

from experiments.compose.composition import compose


def complete(arguments: list[str]) -> int:
    """Answer Hydra's completion protocol: install, uninstall and query of a shell.

    The shell asks with the whole line, of which Hydra knows how to strip the program's name but not our command.

    Args:
        arguments: such as ``install=bash``.

    Returns:
        0.
    """
    for name in ("COMP_LINE", "COMP_WORDS"):
        if name in os.environ:
            os.environ[name] = os.environ[name].replace("gradstab run ", "gradstab ", 1)
    compose(["--shell-completion"], arguments)
    return 0
