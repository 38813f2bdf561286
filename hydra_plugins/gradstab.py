"""Where Hydra finds the launcher and the sweeper: it takes classes of this namespace only, by name.

Hydra 1.3 executes its own plugin modules anew, and then this one, whenever it looks for plugins; so what derives from
its sweeper stands here, where it meets the current class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper, BasicSweeperConf
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from experiments.compose import launcher, sweeper


class StackedLauncher(launcher.StackedLauncher):
    """`hydra/launcher=stacked`: compose all jobs, fast, before anything runs."""


@dataclass
class DesignSweeperConf(BasicSweeperConf):
    """Declare the sweeper's keys, beside Hydra's `params` and `max_batch_size`; `experiments.compose.sweeper.Axes` explains them."""

    _target_: str = "hydra_plugins.gradstab.DesignSweeper"
    zip: Any = None
    design: str | None = None
    n_samples: int | None = None
    seed: int = 0


class DesignSweeper(BasicSweeper):
    """`hydra/sweeper=design`: Hydra's grid, zipped axes and drawn points.

    Args:
        max_batch_size: as for Hydra's basic sweeper.
        params: overrides that stand in the config.
        zip: see `experiments.compose.sweeper.Axes`, as for the others.
        design: as there.
        n_samples: as there.
        seed: as there.
    """

    def __init__(
        self,
        max_batch_size: int | None,
        params: dict[str, str] | None = None,
        zip: Any = None,
        design: str | None = None,
        n_samples: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(max_batch_size, params)
        self.axes = sweeper.Axes(OmegaConf.to_container(zip) if OmegaConf.is_config(zip) else zip, design, n_samples, seed)

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose all jobs before the first runs; a launcher that only collects does so anyway."""
        if not getattr(self.launcher, "collects", False):
            super().validate_batch_is_legal(batch)

    def split_arguments(  # type: ignore[override]  # Hydra's needs no object, but is called on one
        self, overrides: list[Override], max_batch_size: int | None
    ) -> list[list[list[str]]]:
        """Turn overrides into batches of jobs."""
        assert self.config is not None
        jobs = self.axes.jobs(overrides, self.config)
        return [jobs] if max_batch_size is None else list(self.split_overrides_to_chunks(jobs, max_batch_size))


_STORE = ConfigStore.instance()
_STORE.store(group="hydra/launcher", name="stacked", node=launcher.StackedLauncherConf, provider="gradstab")
_STORE.store(group="hydra/sweeper", name="design", node=DesignSweeperConf, provider="gradstab")
