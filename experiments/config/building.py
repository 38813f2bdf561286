"""From a group's node to the object that it describes; equal nodes give the same object.

Two caches: one for data sets, which are few and large, and one for everything else, which is small. What is known of a
data set without its arrays is kept for good, so that planning a sweep over many data sets reads each of them once.
"""

import functools
import json
import pkgutil
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from bpcore.activations import Activation
from bpcore.clipping import Clip
from bpcore.dropout import Dropout
from bpcore.initializers import Initializer
from bpcore.losses import Loss
from bpcore.normalization import Normalization
from bpcore.optimizers import Optimizer
from bpcore.parametrization import Parametrization
from bpcore.schedules import Schedule
from bpcore.skips import Skip
from experiments.config.keys import Config
from experiments.config.node import once
from experiments.datasets.dataset import Dataset, Facts
from experiments.errors import UserError

Kind = TypeVar("Kind")

KINDS: dict[str, type] = {
    "activation": Activation,
    "init": Initializer,
    "normalization": Normalization,
    "skip": Skip,
    "dropout": Dropout,
    "loss": Loss,
    "optimizer": Optimizer,
    "parametrization": Parametrization,
    "schedule": Schedule,
    "clip": Clip,
    "data": Dataset,
}
"""What the factories of a group make; those of the others may make anything."""

_GROUP_OF = {kind: group for group, kind in KINDS.items()}

DATA_BYTES = 2**29
"""Data sets are kept up to this size altogether; the last one is kept in any case."""


def located(target: str) -> Callable[..., Any]:
    """Return what a dotted path names, which can be called.

    Raises:
        Exception: there is no such thing, in Hydra's words; or whatever importing its module raises.
    """
    try:
        found: Callable[..., Any] | None = pkgutil.resolve_name(target)
    except Exception:
        found = None
    if callable(found):
        return found
    from hydra.utils import get_method  # costly to import, and workers do without

    method: Callable[..., Any] = get_method(target)
    return method


def build(node: Config) -> Any:
    """Call the factory of a group's node with the node's other keys.

    Args:
        node: with `_target_`, `name` and the factory's arguments.

    Returns:
        What the factory makes.
    """
    return located(node["_target_"])(**{key: value for key, value in node.items() if key not in ("_target_", "name")})


def _key(node: Config) -> str:
    return once(node, "key", _serialized)


def _serialized(node: Config) -> str:
    return json.dumps(node, sort_keys=True)


@functools.lru_cache(maxsize=4096)
def _built(key: str) -> Any:
    return build(json.loads(key))


def built(kind: type[Kind], node: Config) -> Kind:
    """Return the small object that a node describes, made once per distinct content.

    Args:
        kind: of KINDS, but for data, which have a cache of their own.
        node: of a group.

    Returns:
        The object.

    Raises:
        UserError: the factory makes something else.
    """
    return _of_kind(kind, node, once(node, "object", lambda node: _built(_key(node))))


def _of_kind(kind: type[Kind], node: Config, made: Any) -> Kind:
    if not isinstance(made, kind):
        target = node["_target_"]
        raise UserError(f"`{_GROUP_OF[kind]}._target_` must make a {kind.__name__}, but {target} makes a {type(made).__name__}")
    return made


class _DataSets:
    """Keep the data sets that were used last, and the facts of all.

    Args:
        most: bytes of what is kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[str, Dataset] = OrderedDict()
        self._facts: dict[str, Facts] = {}

    def dataset(self, node: Config) -> Dataset:
        key = _key(node)
        if key not in self._kept:
            made = _of_kind(Dataset, node, build(node))
            self._kept[key], self._facts[key] = made, made.facts()
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(self._facts[kept].nbytes for kept in self._kept) > self.most:
            self._kept.popitem(last=False)
        return self._kept[key]

    def facts(self, node: Config) -> Facts:
        key = _key(node)
        if key not in self._facts:
            self.dataset(node)
        return self._facts[key]


_DATA = _DataSets(DATA_BYTES)


def dataset(node: Config) -> Dataset:
    """Return the data set that a node of the data group describes: read once, as long as it is kept.

    Raises:
        UserError: it cannot be had, or the factory makes something else.
    """
    return _DATA.dataset(node)


def facts(node: Config) -> Facts:
    """Return what is known of a data set without its arrays; they are read where nothing is known yet.

    Raises:
        UserError: as for `dataset`.
    """
    return _DATA.facts(node)
