"""The hidden layers: how many there are, how wide each is, and what its φ is."""

from typing import Any

from experiments.config.files import choice
from experiments.config.keys import DEPTH, Config
from experiments.errors import UserError
from experiments.text.numbers import count


def settle_shape(config: Config) -> Config:
    """Make depth, width and activation agree; lists of what is the same in all layers become what it is.

    Args:
        config: its scalar keys checked; `activations` among them.

    Returns:
        A config with a number as `depth`, a number or a list of as many as `width`, and the choice or the list as `activation`.

    Raises:
        UserError: lists of different lengths, or of another length than `depth`, or an activation that does not exist.
    """
    settled = {key: value for key, value in config.items() if key != "activations"}
    names = config["activations"] or listed(str(config["activation"].get("name", "")) if isinstance(config["activation"], dict) else "")
    depth = config["depth"]
    lists = {key: value for key, value in (("width", config["width"]), ("activation", names)) if isinstance(value, list)}
    lengths = {key: len(values) for key, values in lists.items()}
    if len(set(lengths.values())) > 1:
        said = " and ".join(f"`{key}` lists {count(length, 'hidden layer')}" for key, length in lengths.items())
        raise UserError(f"{said}; give each as many")
    if lengths:
        (key, length), *_ = lengths.items()
        if depth not in (None, length):
            listed_layers = count(length, "hidden layer")
            raise UserError(f"`depth` is {depth}, but `{key}` lists {listed_layers}; leave depth out, which follows the list")
        depth = length
    settled["depth"] = DEPTH if depth is None else depth
    settled["width"] = _shared(config["width"])
    if names is not None:
        for name in names if isinstance(names, list) else [names]:
            choice("activation", name)
        same = _shared(names)
        settled["activation"] = {"name": f"[{', '.join(same)}]"} if isinstance(same, list) else choice("activation", same)
    return settled


def _shared(values: Any) -> Any:
    """Return what all entries of a list are, so that both spellings are the same run; the list where they differ."""
    return values[0] if isinstance(values, list) and len(set(values)) == 1 else values


def listed(name: str) -> list[str] | None:
    """Return the names in what tables call a list of activations; None for the name of a choice."""
    return name[1:-1].split(", ") if name.startswith("[") and name.endswith("]") else None
