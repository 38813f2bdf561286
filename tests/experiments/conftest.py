"""Small results folders, made once by real runs, composed once: Hydra's own part is tested elsewhere."""

import copy
import itertools
import os
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.plugins import Plugins

from experiments.compose.composition import compose
from experiments.config.files import choice
from experiments.config.keys import GROUPS
from experiments.config.paths import CONF
from experiments.config.run import Run
from experiments.config.validation import validate
from experiments.store.reading import load
from experiments.store.tables import Results
from experiments.sweep.execution import execute
from experiments.sweep.plan import plan
from tests.experiments.helpers import TINY

SWEEPS = {
    "one_run": ["depth=3", "steps=4"],
    "step_zero": ["depth=3", "steps=0"],
    "linear": ["depth=0", "steps=2"],
    "seeds_alone": ["depth=3", "steps=2", "seed=0,1,2"],
    "one_axis": ["activation=sigmoid,tanh,relu", "depth=4", "steps=3", "seed=0,1"],
    "two_axes": ["depth=2,4,6", "activation=sigmoid,relu", "steps=3", "seed=0,1"],
    "three_axes": ["depth=2,4", "activation=sigmoid,relu", "normalization=none,batch", "steps=3"],
    "four_axes": ["depth=2,3", "activation=sigmoid,relu", "normalization=none,batch", "optimizer=sgd,adam", "steps=2"],
    "inert_axis": ["lr=0.01,0.1,1.0", "activation=tanh,relu", "depth=4", "steps=3"],
    "many_levels": ["init.scale=0.1,0.2,0.4,0.8,1.0,1.5,2.0,3.0,5.0", "activation=tanh,relu", "depth=4", "steps=1"],
    "diverged": ["init.scale=1,10", "depth=50", "activation=relu", "steps=3"],
    "underflowed": ["depth=100", "activation=sigmoid", "dtype=float32", "steps=1"],
    "clipped": ["clip=norm", "clip.threshold=0.01,1.0,100.0", "activation=relu", "depth=4", "steps=25", "seed=0,1"],
    "clip_or_not": ["clip=none,value,norm", "init.scale=5", "depth=3", "steps=3"],
    "regression": ["data=chebyshev", "loss=mse", "depth=2", "steps=3"],
}


def made(base: dict[str, Any], folder: Path, overrides: list[str]) -> Results:
    """Run the product of `key=a,b` overrides, in their order, and load what is written."""
    pairs = [override.partition("=") for override in overrides]
    values = itertools.product(*(text.split(",") for _, _, text in pairs))
    runs: list[Run] = []
    for combination in values:
        config = copy.deepcopy(base)
        for (key, _, _), value in zip(pairs, combination, strict=True):
            group, _, sub = key.partition(".")
            if key in GROUPS:
                config[key] = choice(key, value)
            else:
                (config[group] if sub else config)[sub or key] = yaml.safe_load(value)
        runs.append(validate(config, len(runs)))
    execute(plan(runs, folder), ["gradstab", "run", *overrides], progress=False)
    return load(folder)


class Samples(dict[str, Results]):
    """Hold the sweeps by name; each is made when it is first asked for."""

    def __init__(self, base: dict[str, Any], root: Path) -> None:
        super().__init__()
        self._base, self._root = base, root

    def __missing__(self, name: str) -> Results:
        self[name] = made(self._base, self._root / name, SWEEPS[name])
        return self[name]


@pytest.fixture(scope="session", autouse=True)
def conf_files_are_read_once() -> Iterator[None]:
    """Keep what Hydra reads of our conf files, which no test changes: each of its compositions would parse all of them anew."""
    Plugins.instance()  # among them the source of files
    source = SourcesRegistry.instance().resolve("file")
    plain, ours, kept = source.load_config, os.path.realpath(CONF), dict[tuple[str, str, str], bytes]()

    def load_config(self: Any, config_path: str) -> Any:
        if os.path.realpath(self.path) != ours:
            return plain(self, config_path)
        key = (self.path, self.provider, config_path)
        if key not in kept:
            kept[key] = pickle.dumps(plain(self, config_path), pickle.HIGHEST_PROTOCOL)
        return pickle.loads(kept[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "load_config", load_config)
        yield


@pytest.fixture(scope="session")
def base() -> dict[str, Any]:
    """Return the composed config of a small run."""
    return compose([], TINY)[0].config


@pytest.fixture(scope="session")
def samples(base: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    return Samples(base, tmp_path_factory.mktemp("samples"))


@pytest.fixture
def folder(samples: dict[str, Results], tmp_path: Path) -> Path:
    """Return a private copy of the two-axes sweep."""
    return Path(shutil.copytree(samples["two_axes"].path, tmp_path / "two axes"))
