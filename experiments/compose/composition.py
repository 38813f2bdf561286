"""From a command line to the configs of a sweep, by Hydra's rules, and to its runs.

What is ordinary is composed by a `Composer` that is kept, which gives what Hydra gives; the rest, and every mistake, by Hydra
itself. The runs come afterwards, when all configs are known and valid, so a mistake in the last run of a sweep costs nothing.
"""

import contextlib
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from experiments.compose.hydras import Composed, by_hydra
from experiments.compose.layers import by_layer
from experiments.compose.many import kept_composer
from experiments.compose.refusals import refuse_overrides
from experiments.config.keys import UNIDENTIFYING
from experiments.config.run import Run
from experiments.config.validation import validate
from experiments.errors import UserError
from experiments.text.quoting import shortened


def compose(flags: list[str], overrides: list[str]) -> list[Composed]:
    """Compose the configs of a command line, by Hydra's rules.

    Args:
        flags: Hydra's flags, such as --multirun.
        overrides: Hydra's overrides.

    Returns:
        One entry a job, in the sweep's order; none where a flag asked only for information.

    Raises:
        UserError: Hydra refused the command line.
    """
    overrides = by_layer(overrides)
    refuse_overrides(overrides)
    if set(flags) <= {"--multirun"} and (found := kept_composer().found(overrides, multirun=bool(flags))) is not None:
        return found
    return by_hydra(flags, overrides)


def compose_one(overrides: list[str], what: str, flags: Sequence[str] = ()) -> Composed:
    """Compose the configuration of what takes a single one.

    Args:
        overrides: Hydra's.
        what: takes it: a command, for the error.
        flags: Hydra's.

    Returns:
        The configuration.

    Raises:
        UserError: Hydra refused the command line, or it is a sweep.
    """
    with contextlib.suppress(HydraException, ValueError, RecursionError):  # `compose` says what is wrong with an override
        for override in OverridesParser.create().parse_overrides(overrides):
            if override.is_sweep_override():
                line = shortened(str(override.input_line))
                raise UserError(f"`{what}` takes one configuration, and `{line}` is a sweep; choose one of its values")
    composed = compose([*flags], overrides)
    if len(composed) != 1:
        raise UserError(f"`{what}` takes one configuration, and this is a sweep of {len(composed)}; leave the experiment or hydra.mode out")
    return composed[0]


def runs_of(composed: list[Composed]) -> tuple[list[Run], int]:
    """Validate all configs before any of them runs.

    Args:
        composed: as Hydra gave them.

    Returns:
        The runs, numbered by their place in the sweep, and how many were left out because they repeat an earlier one.

    Raises:
        UserError: naming the first config that is not valid.
    """
    for key in (*UNIDENTIFYING, "numerics"):
        if any(entry.config.get(key) != composed[0].config.get(key) for entry in composed):
            raise UserError(f"`{key}` must be the same for all runs of a sweep; do not sweep over it")
    runs: dict[str, Run] = {}
    for index, entry in enumerate(composed):
        try:
            run = validate(entry.config, len(runs), entry.overrides)
        except UserError as error:
            place = f" (job {index} of {len(composed)}: {shortened(' '.join(entry.overrides))})" if len(composed) > 1 else ""
            raise UserError(f"{error}{place}") from error
        runs.setdefault(run.run_id, run)
    return list(runs.values()), len(composed) - len(runs)
