"""Validation of a run's configuration: every key alone, and the keys together; each refusal is one line that says how to fix it."""

import functools
import inspect
import json
import logging
import math
import types
import typing
from collections.abc import Callable
from typing import Any

import numpy as np
from hydra.utils import get_method

from bpcore.activations import Activation
from bpcore.clipping import Clip
from bpcore.initializers import Initializer
from bpcore.losses import Loss
from bpcore.normalization import Normalization
from bpcore.optimizers import Optimizer
from experiments.config.keys import GROUPS, SCALARS, Config, RecordSchema, build_cached, catalogue, output_activation
from experiments.config.outputs import check_outputs, settle
from experiments.datasets.factories import Dataset
from experiments.errors import UserError


def _types(annotation: Any) -> tuple[type, ...]:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return typing.get_args(annotation)
    return (annotation,)


_LARGEST_INTEGER = 2**63 - 1
"""What the tables can hold."""

_WORDS: dict[Any, str] = {
    int: "an integer",
    float: "a number",
    str: "a word",
    bool: "true or false",
    type(None): "null",
    list[str]: "a list of words",
}


def _coerce(key: str, value: Any, annotation: Any) -> Any:
    """Return the value as its declared type, so that 1 and 1.0 are the same run; refuse another type."""
    allowed = _types(annotation)
    if value is None and type(None) in allowed:
        return None
    if isinstance(value, bool):
        if bool in allowed:
            return value
    elif isinstance(value, int) and int in allowed:
        if abs(value) > _LARGEST_INTEGER:
            raise UserError(f"`{key}` must be an integer below 2^63, got {value}")
        return value
    elif isinstance(value, (int, float)) and float in allowed:
        return float(value)
    elif isinstance(value, float) and int in allowed and value.is_integer():
        return int(value)
    elif isinstance(value, str) and str in allowed:
        return value
    elif isinstance(value, list) and list[str] in allowed and value and all(isinstance(word, str) for word in value):
        return value[0] if len(value) == 1 and str in allowed else value  # so that [a] and a are the same run
    expected = " or ".join(_WORDS.get(kind, kind.__name__) for kind in allowed)
    raise UserError(f"`{key}` must be {expected}, got {value!r}{_quoting(key, value, allowed)}")


def _quoting(key: str, value: Any, allowed: tuple[type, ...]) -> str:
    """Say how to write names that look like numbers, where lists of words are taken, which are names of columns."""
    strange = [word for word in (value if isinstance(value, list) else [value]) if not isinstance(word, str)]
    if list[str] not in allowed or not strange or isinstance(strange[0], (dict, list)):
        return ""
    return f"; a name that looks like a number is quoted, as in '{key}=\"{strange[0]}\"'"


def _check_scalar(key: str, value: Any) -> Any:
    declared = SCALARS[key]
    value = _coerce(key, value, declared.type)
    meta = declared.metadata
    fix = f"; {meta['fix']}" if meta["fix"] else ""
    if meta["choices"] and value not in meta["choices"]:
        raise UserError(f"`{key}` must be {' or '.join(meta['choices'])}, got {value!r}")
    if meta["at_least"] is not None and value is not None:
        kind = "an integer" if int in _types(declared.type) else "a finite number"
        if not (math.isfinite(value) and value >= meta["at_least"]):
            raise UserError(f"`{key}` must be {kind} ≥ {meta['at_least']}, got {value}{fix}")
    return value


def _check_group(group: str, node: Any) -> Config:
    """Check a group's keys; the runs of a sweep share most of their nodes, which are checked once."""
    checked = _check_serialized(group, json.dumps(node, sort_keys=False, default=repr))
    return dict(checked)


@functools.lru_cache(maxsize=4096)
def _check_serialized(group: str, node: str) -> Config:
    return _check_node(group, json.loads(node))


def _check_node(group: str, node: Any) -> Config:
    """Check a group's keys against its factory's signature and build it once, so that ranges are checked too."""
    if not isinstance(node, dict) or "name" not in node or ("_target_" not in node and group != "record"):
        raise UserError(f"`{group}` must be one of {', '.join(catalogue(group))}, got {node!r}; choose with {group}=name")
    factory: Callable[..., Any] = RecordSchema if group == "record" else _factory(group, node["_target_"])
    hints = typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    known = list(inspect.signature(factory).parameters)
    defaults = {key: p.default for key, p in inspect.signature(factory).parameters.items() if key != "name" and p.default is not p.empty}
    checked: Config = {}
    for key, value in {**node, **{key: default for key, default in defaults.items() if key not in node}}.items():
        if key in ("_target_", "name"):
            checked[key] = value
        elif key not in known:
            raise UserError(f"`{group}.{key}` is not a key of {group}={node['name']}; its keys: {', '.join(known) or 'none'}")
        else:
            checked[key] = _coerce(f"{group}.{key}", value, hints[key])
    if group != "record":
        _check_built(group, checked)
    return checked


def _factory(group: str, target: str) -> Callable[..., Any]:
    log = logging.getLogger("hydra.utils")  # it prints what it raises as well
    before, log.disabled = log.disabled, True
    try:
        found: Callable[..., Any] = get_method(target)
        inspect.signature(found)  # some of what is built into Python has none
        return found
    except Exception as error:  # whatever importing a stranger's module raises
        raise UserError(f"`{group}._target_` must be the dotted path of a factory, got {target!r}: {error}".splitlines()[0]) from error
    finally:
        log.disabled = before


_KINDS: dict[str, type] = {
    "activation": Activation,
    "init": Initializer,
    "normalization": Normalization,
    "loss": Loss,
    "optimizer": Optimizer,
    "clip": Clip,
    "data": Dataset,
}


def _check_built(group: str, node: Config) -> None:
    """Build a node, so that its ranges are checked by the factory itself."""
    try:
        built = build_cached(node)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(str(error).replace("`", f"`{group}.", 1)) from error
    except Exception as error:  # whatever a factory raises on what it was given
        raise UserError(f"`{group}`: {node['_target_']} failed with {type(error).__name__}: {error}".replace("\n", " ")) from error
    expected = _KINDS.get(group)
    if expected is not None and not isinstance(built, expected):
        raise UserError(f"`{group}._target_` must make a {expected.__name__}, but {node['_target_']} makes a {type(built).__name__}")


def validate(config: Config) -> Config:
    """Check every key of a composed config, alone and together, and return it normalized.

    Args:
        config: as composed by Hydra, resolved to plain containers.

    Returns:
        The same keys, with values of their declared types.

    Raises:
        UserError: a key is unknown, of the wrong type, out of range, or does not go with another.
    """
    for key in config:
        if key not in SCALARS and key not in GROUPS:
            raise UserError(f"unknown key `{key}`; keys: {', '.join([*SCALARS, *GROUPS])}")
    missing = [key for key in (*SCALARS, *GROUPS) if key not in config]
    if missing:
        raise UserError(f"`{missing[0]}` is missing; leave out ~{missing[0]}, every key has a default")
    checked = {key: _check_scalar(key, config[key]) for key in SCALARS}
    checked["loss"] = _check_group("loss", config["loss"])
    config = {**config, "data": settle(config["data"], build_cached(checked["loss"]))}
    checked |= {group: _check_group(group, config[group]) for group in GROUPS}
    _check_place(checked["name"], checked["results_dir"])
    _check_record(checked["record"])
    _check_together(checked)
    return checked


def _check_place(name: str | None, results_dir: str) -> None:
    if name is not None and (name in ("", ".", "..") or "/" in name or "\\" in name or not name.isprintable() or len(name.encode()) > 200):
        raise UserError(f"`name` must be a plain folder name, got {name!r}; the parent goes into results_dir")
    if not results_dir or not results_dir.isprintable():
        raise UserError(f"`results_dir` must be a folder, got {results_dir!r}; . is the current one")


def _check_record(record: Config) -> None:
    if record["name"] not in ("light", "full"):
        raise UserError(f"`record` must be light or full, got {record['name']!r}")
    if record["every"] < 1:
        raise UserError(f"`record.every` must be an integer ≥ 1, got {record['every']}")
    if record["snapshot"] is not None and record["snapshot"] < 0:
        raise UserError(f"`record.snapshot` must be a step ≥ 0 or null, got {record['snapshot']}")


def _check_together(config: Config) -> None:
    loss, data = build_cached(config["loss"]), build_cached(config["data"])
    m = data.x.shape[1]
    output_activation(config["output_activation"])
    if loss.takes_logits and config["output_activation"] != "identity":
        raise UserError(
            f"`output_activation` must be identity with loss={loss.name}, which takes logits, "
            f"got {config['output_activation']}; use loss=mse for another"
        )
    probabilities = data.classes is not None or ((data.y >= 0) & (data.y <= 1)).all()
    if (loss.needs_classes and data.classes is None) or (loss.takes_logits and not probabilities):
        raise UserError(f"loss={loss.name} needs classes, but data={config['data']['name']} is a regression; use loss=mse")
    check_outputs(loss, data, config["data"]["name"])
    if config["record"]["modes"]:
        _check_linear(config)
    if config["batch_size"] is not None and config["batch_size"] > m:
        raise UserError(
            f"`batch_size` must be at most the {m} training examples of data={config['data']['name']}, "
            f"got {config['batch_size']}; lower it or raise data.n_samples"
        )
    if config["normalization"]["name"] != "none" and min(config["batch_size"] or m, m) < 2:
        raise UserError("`batch_size` must be ≥ 2 with batch normalization, whose variance over one example is 0; raise it")
    if config["dtype"] == "float32":
        _check_representable(config)
    if config["record"]["snapshot"] is not None and config["record"]["snapshot"] > config["steps"]:
        raise UserError(f"`record.snapshot` must be at most steps={config['steps']}, got {config['record']['snapshot']}; lower it")


def _check_linear(config: Config) -> None:
    """Refuse modes of what is no linear map."""
    choices = {"activation": config["activation"]["name"], "output_activation": config["output_activation"]}
    for key, name in choices.items():
        if name != "identity":
            raise UserError(f"`{key}` must be identity with record.modes=true, which needs a linear network, got {name}")
    if config["normalization"]["name"] != "none":
        raise UserError("`normalization` must be none with record.modes=true, which needs a linear network; leave record.modes out")


def _check_representable(config: Config) -> None:
    """Refuse a nonzero setting that float32 turns into 0 or infinity: the tables would state what was not done."""
    settings = {key: config[key] for key in ("lr", "bias_lr_factor", "weight_decay")}
    settings["clip.threshold"] = config["clip"].get("threshold", 1.0)
    for key, value in settings.items():
        with np.errstate(all="ignore"):
            rounded = float(np.float32(value))
        if value != 0 and (rounded == 0 or math.isinf(rounded)):
            raise UserError(f"`{key}` must be representable in float32, where {value} becomes {rounded}; use dtype=float64")
