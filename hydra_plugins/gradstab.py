"""Where Hydra finds the launcher and the sweeper: it takes classes of this namespace only, by name."""

from hydra.core.config_store import ConfigStore

from experiments import launcher, sweeper


class StackedLauncher(launcher.StackedLauncher):
    """`hydra/launcher=stacked`."""


class DesignSweeper(sweeper.DesignSweeper):
    """`hydra/sweeper=design`."""


_STORE = ConfigStore.instance()
_STORE.store(group="hydra/launcher", name="stacked", node=launcher.StackedLauncherConf, provider="gradstab")
_STORE.store(group="hydra/sweeper", name="design", node=sweeper.DesignSweeperConf, provider="gradstab")
