"""The configuration of a run: its schema, its validation, its identity.

Scalar keys are the fields of `Schema`, with their ranges beside them. A group is a node with a `_target_`, the dotted
path of a factory; its other keys are the factory's arguments, whose types are read off the factory's signature. So a
new file in a conf folder needs no change here.
"""

import functools
import hashlib
import json
from dataclasses import Field, dataclass, field, fields
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.utils import get_method
from omegaconf import MISSING, OmegaConf

from experiments.config.paths import CONF
from experiments.errors import UserError

ARITHMETIC_VERSION = 3
"""Raised whenever the numbers of the core change; part of every run's identity."""

Config = dict[str, Any]
GROUPS = ("activation", "init", "normalization", "loss", "optimizer", "clip", "data", "record", "executor")
UNIDENTIFYING = ("name", "results_dir", "executor")
"""Keys that change neither a number nor a row, and so neither the identity nor the tables."""

PATHS_TO_DATA = (("data", "dir"), ("data", "path"))
"""Where data lie is no part of a run's identity; what they are is."""


def _key(default: Any, help: str, at_least: float | None = None, choices: tuple[str, ...] = (), fix: str = "") -> Any:
    return field(default=default, metadata={"help": help, "at_least": at_least, "choices": choices, "fix": fix})


@dataclass
class Schema:
    """Declare every scalar key with its type, default, range and meaning; groups are nodes of their own."""

    depth: int = _key(5, "hidden layers", at_least=0, fix="depth=0 is a linear classifier")
    width: int = _key(64, "units of a hidden layer", at_least=1)
    output_activation: str = _key("identity", "φ of the output layer; a name from conf/activation")
    lr: float = _key(0.1, "learning rate η", at_least=0)
    bias_lr_factor: float = _key(1.0, "factor on the learning rate of the biases b and of β", at_least=0, fix="0 freezes them")
    weight_decay: float = _key(0.0, "λ of (λ/2)Σ‖W‖², weights only", at_least=0)
    batch_size: int | None = _key(None, "examples a step; null for all", at_least=1, fix="null takes all examples")
    steps: int = _key(100, "updates; 0 measures at initialization only", at_least=0)
    seed: int = _key(0, "of weights and batches", at_least=0)
    dtype: str = _key("float64", "of all arithmetic", choices=("float64", "float32"))
    numerics: str = _key("native", "portable: the same bits on AVX2 and AVX-512 machines", choices=("native", "portable"))
    name: str | None = _key(None, "folder of the results; null derives one from the sweep")
    results_dir: str = _key("results", "parent of that folder")
    activation: Any = MISSING
    init: Any = MISSING
    normalization: Any = MISSING
    loss: Any = MISSING
    optimizer: Any = MISSING
    clip: Any = MISSING
    data: Any = MISSING
    record: Any = MISSING
    executor: Any = MISSING


SCALARS: dict[str, "Field[Any]"] = {f.name: f for f in fields(Schema) if f.name not in GROUPS}


@dataclass
class RecordSchema:
    """Declare the keys of the record group, which is data and needs no factory."""

    name: str = "light"
    every: int = 1
    snapshot: int | None = None
    sharpness: bool = False
    extended: bool = False
    gradient_cosine: bool = False
    a_rank: bool = False
    modes: bool = False


@dataclass(frozen=True)
class Job:
    """Hold one validated run of a sweep.

    Args:
        index: place in the sweep, from 0.
        config: every key, groups as nested dicts.
        run_id: identity.
        overrides: the task overrides that Hydra composed it from.
    """

    index: int
    config: Config
    run_id: str
    overrides: tuple[str, ...] = ()


def register() -> None:
    """Make the schema known to Hydra, once: from 1.4 on it warns of a second time."""
    store = ConfigStore.instance()
    if "schema.yaml" not in store.repo:
        store.store(name="schema", node=Schema)


@functools.cache
def catalogue(group: str) -> list[str]:
    """Return the names of a group's files, which are its choices."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def build(node: Config) -> Any:
    """Call the factory of a group's node with the node's other keys.

    Args:
        node: with `_target_`, `name` and the factory's arguments.

    Returns:
        What the factory makes.
    """
    return get_method(node["_target_"])(**{key: value for key, value in node.items() if key not in ("_target_", "name")})


@functools.lru_cache(maxsize=64)
def _build_cached(serialized: str) -> Any:
    return build(json.loads(serialized))


def build_cached(node: Config) -> Any:
    """Build a node once per distinct content: data sets are read once for a whole sweep."""
    return _build_cached(json.dumps(node, sort_keys=True))


@functools.cache
def output_activation(name: str) -> Config:
    """Return the node of the activation that stands at the output."""
    if name not in catalogue("activation"):
        raise UserError(f"`output_activation` must be one of {', '.join(catalogue('activation'))}, got {name!r}")
    node = OmegaConf.to_container(OmegaConf.load(CONF / "activation" / f"{name}.yaml"))
    assert isinstance(node, dict)
    return {str(key): value for key, value in node.items()}


def run_id(config: Config, arithmetic_version: int | None = None) -> str:
    """Return the identity of a run: a hash of all that changes a number or a row.

    Args:
        config: validated.
        arithmetic_version: of the core that runs it; None for this one.

    Returns:
        16 hexadecimal digits of the SHA-256 of the config as sorted JSON, the checksum of the data and the version
        of the core's arithmetic.
    """
    content = {key: value for key, value in config.items() if key not in UNIDENTIFYING}
    for group, key in PATHS_TO_DATA:
        content[group] = {k: v for k, v in content[group].items() if k != key}
    content["data_checksum"] = build_cached(config["data"]).checksum
    content["arithmetic_version"] = ARITHMETIC_VERSION if arithmetic_version is None else arithmetic_version
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def flatten(config: Config) -> Config:
    """Return the dotted columns of the runs table: scalars, each group's choice, its keys as `group.key`.

    Args:
        config: validated.

    Returns:
        Column -> value, without the keys that change nothing.
    """
    columns: Config = {}
    for key, value in config.items():
        if key in UNIDENTIFYING:
            continue
        if isinstance(value, dict):
            columns[key] = value["name"]
            columns |= {f"{key}.{sub}": cell(item) for sub, item in value.items() if sub not in ("_target_", "name")}
        else:
            columns[key] = value
    return columns


def cell(value: Any) -> Any:
    """Return a value as the runs table holds it: a list of words as one text, in JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def uncell(value: Any) -> Any:
    """Return what `cell` was given."""
    if isinstance(value, str) and value.startswith("["):
        try:
            return json.loads(value)
        except ValueError:  # a word like any other
            pass
    return value


def nested(config: Config) -> Config:
    """Return the config as a reader of a snapshot wants it: groups as {name, …}, no import paths."""
    return {
        key: {sub: item for sub, item in value.items() if sub != "_target_"} if isinstance(value, dict) else value
        for key, value in config.items()
        if key not in UNIDENTIFYING
    }
