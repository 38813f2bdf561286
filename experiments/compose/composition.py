"""Hydra's part: from a command line to the configs of a sweep.

Hydra composes and sweeps; its task function only takes the config. The runs come afterwards, when all configs are
known and valid, so a mistake in the last run of a sweep costs nothing.
"""

import contextlib
import difflib
import io
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from tqdm import tqdm
from yaml import YAMLError

from experiments.compose.fast import TaskConfig
from experiments.compose.launcher import collect_with
from experiments.compose.refusals import refuse_choices, refuse_overrides
from experiments.config.files import catalogue, choice
from experiments.config.keys import GROUPS, SCALARS, UNIDENTIFYING, Config, register
from experiments.config.paths import CONF
from experiments.config.run import Run
from experiments.config.validation import validate
from experiments.errors import UserError
from experiments.text.quoting import quote, shortened

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


def compose(flags: list[str], overrides: list[str]) -> list[Composed]:
    """Compose the configs of a command line, by Hydra's own rules.

    Args:
        flags: Hydra's flags, such as --multirun.
        overrides: Hydra's overrides.

    Returns:
        One entry a job, in the sweep's order; none where a flag asked only for information.

    Raises:
        UserError: Hydra refused the command line.
    """
    register()
    refuse_overrides(overrides)
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
                return compose([*flags, "--multirun"], overrides)  # a prepared sweep says so; Hydra 1.4 wants it said beforehand
            raise UserError(explain(error)) from error
    if refused:
        raise UserError(explain(refused[0])) from refused[0]
    return checked(composed)


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


def _raised_in_hydra(error: Exception) -> bool:
    """Tell whether Hydra stumbled over what it was given, as over a number in the place of a choice's name."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).partition(".")[0] in ("hydra", "omegaconf")


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


def explain(error: Exception) -> str:
    """Turn one of Hydra's exceptions into one line: what, where, what was expected, how to fix.

    Args:
        error: from Hydra or OmegaConf.

    Returns:
        One line.
    """
    chain: list[BaseException] = [error]
    while chain[-1].__cause__ is not None or chain[-1].__context__ is not None:
        chain.append(chain[-1].__cause__ or chain[-1].__context__ or error)
    text = "\n".join(str(link) for link in chain)
    for pattern, make in _EXPLANATIONS:
        if match := re.search(pattern, text, re.DOTALL):
            return make(match)
    return re.sub(r"\s+", " ", re.sub(r"See https?://\S+.*", "", str(error), flags=re.DOTALL)).strip()


def _unknown_key(match: re.Match[str]) -> str:
    key = match["key"]
    parent, _, leaf = key.rpartition(".")
    if parent:
        owners = [name for name in catalogue(parent) if leaf in choice(parent, name)]
        hint = f"{parent}={' or '.join(owners)} has it" if owners else f"`--cfg job --package {parent}` shows its keys"
        return f"unknown key `{shortened(key)}`: the chosen {parent} has no `{shortened(leaf)}`; {hint}"
    close = difflib.get_close_matches(key, [*SCALARS, *GROUPS, "experiment"], n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"keys: {', '.join([*SCALARS, *GROUPS])}"
    plus = " (experiments are chosen with a plus: +experiment=name)" if key == "experiment" else ""
    return f"unknown key `{shortened(key)}`{plus}; {hint}"


def _unknown_choice(match: re.Match[str]) -> str:
    options = sorted(set(re.findall(r"^\s+(\w+)$", match["options"], re.MULTILINE)))
    close = difflib.get_close_matches(match["choice"], options, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"`{match['group']}` has no choice {quote(match['choice'])}; {hint}choices: {', '.join(options)}"


def _wrong_type(match: re.Match[str]) -> str:
    kind = {"Integer": "an integer", "Float": "a number", "Boolean": "true or false", "String": "a word"}
    return f"`{match['key']}` must be {kind.get(match['kind'], match['kind'])}, got {quote(match['value'])}"


def _needs_experiment_plus(match: re.Match[str]) -> str:
    return f"`{match['group']}` is not in the defaults; add it with a plus: +{match['group']}={shortened(match['choice'])}"


def _sweep_without_multirun(match: re.Match[str]) -> str:
    return f"`{shortened(match['override'])}` is a sweep; add -m to run all of its values"


def _no_yaml(match: re.Match[str]) -> str:
    return f"cannot read {match['file']}: {match['what'].strip()}, line {match['line']}; expected YAML, as in the files of conf"


def _cannot_parse(match: re.Match[str]) -> str:
    line = match.string.split("See http")[0].replace("LexerNoViableAltException: ", "near ").rstrip("^ \n")
    return f"cannot read an override ({shortened(line)}); quote values with special characters, as in 'name=\"a b\"'"


def _wrong_container(match: re.Match[str]) -> str:
    wanted = "one value or a group's keys belong; a choice is made by `override /activation: tanh` in its defaults"
    return f"{match['file']}.yaml has a list or a mapping where {wanted}"


_EXPLANATIONS = [
    (r"(?P<what>[^\n]*)\n\s*in \"(?P<file>[^\"]+)\", line (?P<line>\d+)", _no_yaml),
    (r"Sweep parameters '(?P<override>[^']*)' requires", _sweep_without_multirun),
    (r"Ambiguous value for argument '(?P<override>[^']*)'", _sweep_without_multirun),
    (r"is not Optional\s+full_key: (?P<key>[\w.]+)", lambda m: f"`{m['key']}` must have a value, got null"),
    (r"Config group override must be a string or a list", lambda m: "a group must be given the name of a choice, as in activation=tanh"),
    (r"argument of type '\w+' is not iterable", lambda m: "a group must be given the name of a choice, as in activation=tanh"),
    (r"Missing mandatory value: (?P<key>[\w.]+)", lambda m: f"`{m['key']}` must have a value, got ???"),
    (r"File name too long", lambda _: "an override names a group, choice or key of so many characters that none can be called so"),
    (r"Exceeds the limit \(\d+ digits\)", lambda _: "an override holds an integer of thousands of digits; expected a shorter one"),
    (r"maximum recursion depth", lambda _: "an override is nested too deeply; expected key=value with a plain value, or a sweep of such"),
    (r"missing EQUAL at", lambda m: "an override has the form key=value; `gradstab run --help` lists the keys"),
    (r"append to your default list use \+(?P<group>\w+)=(?P<choice>\w+)", _needs_experiment_plus),
    (r"Value '(?P<value>[^']*)' of type '\w+' could not be converted to (?P<kind>\w+).*?full_key: (?P<key>[\w.]+)", _wrong_type),
    (r"Value '(?P<value>[^']*)' .*?is not a (?P<kind>\w+).*?full_key: (?P<key>[\w.]+)", _wrong_type),
    (r"Key '\w+' is not in struct[^\n]*\s+full_key: (?P<key>[\w.]+)", _unknown_key),
    (r"Key '\w+' not in '\w+'[^\n]*\s+full_key: (?P<key>[\w.]+)", _unknown_key),
    (r"Could not find '(?P<group>[\w/]+)/(?P<choice>[^'/]+)'\s+Available options in '[^']*':(?P<options>.*)", _unknown_choice),
    (r"^(?P<what>[^\n]*)\n\s*full_key: (?P<key>[\w.]+)", lambda m: f"`{m['key']}`: {m['what']}"),
    (r"In '(?P<file>[^']+)'[^\n]*\n[^\n]*Cannot merge \w+ with \w+", _wrong_container),
    (r"LexerNoViableAltException|token recognition error|no viable alternative|mismatched input|extraneous input", _cannot_parse),
]
