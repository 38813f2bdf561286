"""Hydra itself: it composes a command line, with all that it may say, and its refusals become one line."""

import contextlib
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from tqdm import tqdm
from yaml import YAMLError

from experiments.compose.explanations import explain
from experiments.compose.fast import TaskConfig
from experiments.compose.launcher import collect_with
from experiments.compose.refusals import refuse_choices
from experiments.config.keys import Config, register
from experiments.config.paths import CONF
from experiments.errors import UserError
from experiments.text.quoting import shortened

_RELEASE = tuple(int(part) for part in hydra.__version__.split(".")[:2])
VERSION_BASE: dict[str, Any] = {"version_base": "1.3"} if _RELEASE < (1, 4) else {}
"""Hydra 1.3 must be told which release's defaults to use; from 1.4 on it warns of being told."""


@dataclass(frozen=True)
class Composed:
    """Hold one config as Hydra composed it.

    Args:
        config: plain containers, resolved, not yet validated.
        overrides: of this job.
        choices: group -> the name of its choice.
    """

    config: Config
    overrides: tuple[str, ...]
    choices: Mapping[str, Any]

    @property
    def experiment(self) -> str | None:
        """Return the choice of the experiment group, or None."""
        return self.choices.get("experiment")


def checked(composed: list[Composed]) -> list[Composed]:
    """Return what was composed.

    Raises:
        UserError: a group was given several choices.
    """
    for entry in {id(entry.choices): entry for entry in composed}.values():  # the jobs of a sweep share most of their choices
        refuse_choices(entry.choices, entry.config)
    return composed


@contextmanager
def _arguments(arguments: list[str]) -> Iterator[None]:
    """Let Hydra read these arguments, and let its exceptions reach us instead of being printed."""
    argv, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = ["gradstab", *arguments], "1"
    try:
        yield
    finally:
        sys.argv = argv
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error


def by_hydra(flags: list[str], overrides: list[str]) -> list[Composed]:
    """Compose the configs of a command line by Hydra itself.

    Args:
        flags: Hydra's flags, such as --multirun.
        overrides: Hydra's overrides.

    Returns:
        One entry a job, in the sweep's order; none where a flag asked only for information.

    Raises:
        UserError: Hydra refused the command line.
    """
    register()
    composed: list[Composed] = []
    refused: list[OmegaConfBaseException] = []

    def collect(job: TaskConfig) -> None:
        composed.append(Composed(job.container(), job.overrides, job.choices))
        bar.update()

    @collect_with(collect)
    def take(cfg: Any) -> None:
        runtime = HydraConfig.get()
        try:
            overrides = OmegaConf.to_container(runtime.overrides.task, resolve=False)
            assert isinstance(overrides, list)
            collect(TaskConfig(cfg, tuple(str(text) for text in overrides), dict(runtime.runtime.choices)))
        except OmegaConfBaseException as error:  # raised here, Hydra would print it in its own words first
            refused.append(error)

    bar = tqdm(desc="composing", unit="run", file=sys.stderr, disable=None, leave=False, delay=1)
    with bar, tempfile.TemporaryDirectory(prefix="gradstab-") as scratch:  # Hydra leaves a multirun.yaml somewhere
        if "--hydra-help" in flags:
            overrides = []
        own = (
            [] if "--hydra-help" in flags or any(o.startswith("hydra.sweep.dir=") for o in overrides) else [f"hydra.sweep.dir='{scratch}'"]
        )
        try:
            silent = contextlib.redirect_stderr(io.StringIO()) if "--package" in flags else contextlib.nullcontext()
            with _arguments([*flags, *own, *overrides]), silent:
                hydra.main(config_path=str(CONF), config_name="config", **VERSION_BASE)(take)()
        except SystemExit as end:  # after words of Hydra's own
            if end.code and "--package" in flags:
                raise UserError(f"`--package {shortened(flags[flags.index('--package') + 1])}` names no part of the config") from end
            raise
        except (HydraException, OmegaConfBaseException, YAMLError, OSError, ValueError, AssertionError, RecursionError, TypeError) as error:
            if isinstance(error, TypeError) and not _raised_in_hydra(error):
                raise
            if "hydra.mode changed" in str(error) and "--multirun" not in flags:
                return by_hydra([*flags, "--multirun"], overrides)  # a prepared sweep says so; Hydra 1.4 wants it said beforehand
            raise UserError(explain(error)) from error
    if refused:
        raise UserError(explain(refused[0])) from refused[0]
    return checked(composed)


def _raised_in_hydra(error: Exception) -> bool:
    """Tell whether Hydra stumbled over what it was given, as over a number in the place of a choice's name."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).partition(".")[0] in ("hydra", "omegaconf")
