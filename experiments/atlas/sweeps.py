"""From findings to runs: all sweeps composed, equal runs made once, everything run as one plan."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from experiments.compose.composition import runs_of
from experiments.compose.many import Composer, kept_composer
from experiments.config.building import dataset
from experiments.config.run import Run
from experiments.errors import UserError
from experiments.findings.finding import Finding, Sweep

_DEFAULT_NAME = "atlas"


@dataclass(frozen=True)
class Composition:
    """Hold the runs of an invocation.

    Args:
        runs: of all sweeps, each once.
        members: (finding, sweep) -> its run ids, in the sweep's order.
        commands: (finding, sweep) -> the command that runs it alone.
        folder: of the atlas.
    """

    runs: list[Run]
    members: Mapping[tuple[str, str], list[str]]
    commands: Mapping[tuple[str, str], str]
    folder: Path
    shared: int = field(default=0)


def merged(*layers: tuple[str, ...]) -> list[str]:
    """Join lists of overrides; a later one of the same key takes the place of an earlier.

    Args:
        layers: lists of overrides, the strongest last.

    Returns:
        One override a key.
    """
    joined: dict[str, str] = {}
    for layer in layers:
        own = {override.partition("=")[0].lstrip("+"): override for override in layer}
        rechosen = tuple(f"{key}." for key in own if "." not in key)  # the keys of a group's choice of before would not fit
        joined = {key: override for key, override in joined.items() if not key.startswith(rechosen)} | own
    return list(joined.values())


class _Data:
    """Choose the data of sweeps: the first alternative whose files are there."""

    def __init__(self, composer: Composer, overrides: tuple[str, ...]) -> None:
        self._composer = composer
        self._overrides = tuple(override for override in overrides if override.lstrip("+").startswith("data"))
        self._refusals: dict[tuple[str, ...], Exception | None] = {}

    def choose(self, sweep: Sweep) -> tuple[str, ...]:
        """Return the overrides that choose a sweep's data; none where it states no alternatives.

        Raises:
            UserError: no alternative is there.
        """
        refusals = []
        for alternative in sweep.data:
            if (refusal := self._refusal(alternative)) is None:
                return alternative
            refusals.append(refusal)
        if refusals:
            raise UserError(str(refusals[-1])) from refusals[-1]
        return ()

    def _refusal(self, alternative: tuple[str, ...]) -> Exception | None:
        """Return what speaks against an alternative."""
        if alternative not in self._refusals:
            try:
                (composed,) = self._composer.compose(merged(alternative, self._overrides))
                dataset(composed.config["data"])
                self._refusals[alternative] = None
            except (UserError, ValueError) as error:
                self._refusals[alternative] = error
        return self._refusals[alternative]


def compose_all(findings: list[Finding], mode: str, overrides: list[str], flags: Sequence[str] = ()) -> Composition:
    """Compose and validate every sweep of every finding before anything runs.

    Args:
        findings: chosen.
        mode: of MODES.
        overrides: of the command line, stronger than the findings' own.
        flags: Hydra's, for a folder of config files.

    Returns:
        The runs, each once.

    Raises:
        UserError: a sweep is not valid; the finding is named.
    """
    runs: dict[str, Run] = {}
    members, commands = {}, {}
    folder = Path()
    total = 0
    composer, stronger = Composer(flags) if flags else kept_composer(), tuple(overrides)
    data = _Data(composer, stronger)
    pairs = [(finding, sweep) for finding in findings for sweep in finding.sweeps.values()]
    bar = tqdm(pairs, desc="composing", unit="sweep", file=sys.stderr, disable=None, leave=False, delay=1)
    for finding, sweep in bar:
        try:
            chosen = merged(sweep.overrides, data.choose(sweep), sweep.modes[mode], stronger)
            composed = composer.compose(chosen)
            if not composed:
                raise UserError("the sweep is empty: one of its axes has no value; give it at least one")
            own, _ = runs_of(composed)
        except UserError as error:
            raise UserError(f"{finding.id}, sweep {sweep.name}: {error}") from error
        folder = Path(own[0].results_dir) / (own[0].name or _DEFAULT_NAME)
        for run in own:
            runs.setdefault(run.run_id, replace(run, index=len(runs)))
        total += len(own)
        members[finding.id, sweep.name] = [run.run_id for run in own]
        commands[finding.id, sweep.name] = shlex.join(["gradstab", "run", "-m", *flags, *chosen])
    return Composition(list(runs.values()), members, commands, folder, total - len(runs))
