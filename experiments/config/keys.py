"""The keys of a run's configuration, with their ranges and meanings.

Scalar keys are the fields of `Schema`, with their ranges beside them. A group is a node with a `_target_`, the dotted
path of a factory; its other keys are the factory's arguments, whose types are read off the factory's signature. So a
new file in a conf folder needs no change here.
"""

from dataclasses import Field, dataclass, field, fields
from typing import Any

MISSING: Any = "???"
"""What OmegaConf calls so, whose import workers do without."""

Config = dict[str, Any]
GROUPS = (
    "activation", "init", "normalization", "skip", "dropout", "loss", "optimizer", "parametrization", "schedule", "clip", "data", "record",
    "executor",
)  # fmt: skip
UNIDENTIFYING = ("name", "results_dir", "executor")
"""Keys that change neither a number nor a row, and so neither the identity nor the tables."""

PATHS_TO_DATA = (("data", "dir"), ("data", "path"))
"""Where data lie is no part of a run's identity; what they are is."""

LATER: dict[tuple[str, str], Any] = {
    ("loss", "reduction"): "sum_outputs",
    ("record", "test"): False,
    ("normalization", "place"): "before",
    ("init", "mode"): "fan_in",
    ("init", "mean"): 0.0,
    ("init", "bias_distribution"): "normal",
}
"""Keys that came later, each with the value that stands for what was before: with it, a run is the one that it was without the key."""

LATER_GROUPS: dict[str, Config] = {
    "schedule": {"name": "constant", "warmup": 0},
    "skip": {"name": "none"},
    "dropout": {"name": "inverted", "rate": 0.0},
    "parametrization": {"name": "standard"},
}
"""Groups that came later, each with the choice that stands for what was before, likewise."""

FORMER: dict[tuple[str, str], str] = {("clip", "layer_norm"): "per_layer"}
"""Names that choices had before, with those of today; conf has a file under either. A run is still identified by the former."""

SETTLED = ("activations", "epochs")
"""Keys that only say what another is to be; a validated run no longer has them."""


DEPTH = 5
"""Hidden layers where neither `depth` nor a list says how many."""


def _key(default: Any, help: str, at_least: float | None = None, choices: tuple[str, ...] = (), fix: str = "", kind: Any = None) -> Any:
    return field(default=default, metadata={"help": help, "at_least": at_least, "choices": choices, "fix": fix, "kind": kind})


@dataclass
class Schema:
    """Declare every scalar key with its type, default, range and meaning; groups are nodes of their own.

    `kind` is the type of a key that may be a list, which a structured config cannot declare.
    """

    depth: int | None = _key(
        None, f"hidden layers; null: as many as a list names, else {DEPTH}", at_least=0, fix="depth=0 is a linear classifier"
    )
    width: Any = _key(  # noqa: RUF009  # a field, as all of them are
        64, "units of a hidden layer, or a list with those of each, as in [512,256,128]", at_least=1, kind=int | list[int]
    )
    activations: Any = _key(  # noqa: RUF009
        None, "φ of each hidden layer; activation=[tanh,relu] sets it", kind=str | list[str] | None
    )
    output_activation: str = _key("identity", "φ of the output layer; a name from conf/activation")
    lr: float = _key(0.1, "learning rate η; loss.reduction=mean takes those of PyTorch and Keras as they are", at_least=0)
    bias_lr_factor: float = _key(1.0, "factor on the learning rate of the biases b and of β", at_least=0, fix="0 freezes them")
    weight_decay: float = _key(0.0, "λ of (λ/2)Σ‖W‖², weights only", at_least=0)
    batch_size: int | None = _key(None, "examples a step; null for all", at_least=1, fix="null takes all examples")
    steps: int | None = _key(None, "updates; null for 100, or what epochs says; 0 measures at initialization only", at_least=0)
    epochs: int | None = _key(None, "says steps: epochs·⌈examples/batch_size⌉", at_least=0)
    seed: int = _key(0, "of weights and batches", at_least=0)
    dtype: str = _key("float64", "of all arithmetic", choices=("float64", "float32"))
    numerics: str = _key("native", "portable: the same bits on AVX2 and AVX-512 machines", choices=("native", "portable"))
    name: str | None = _key(None, "folder of the results; null derives one from the sweep")
    results_dir: str = _key("results", "parent of that folder")
    activation: Any = MISSING
    init: Any = MISSING
    normalization: Any = MISSING
    skip: Any = MISSING
    dropout: Any = MISSING
    loss: Any = MISSING
    optimizer: Any = MISSING
    parametrization: Any = MISSING
    schedule: Any = MISSING
    clip: Any = MISSING
    data: Any = MISSING
    record: Any = MISSING
    executor: Any = MISSING


SCALARS: dict[str, "Field[Any]"] = {f.name: f for f in fields(Schema) if f.name not in GROUPS}


def kind_of(key: str) -> Any:
    """Return the declared type of a scalar key."""
    return SCALARS[key].metadata["kind"] or SCALARS[key].type


@dataclass(frozen=True)
class Record:
    """Hold the keys of the record group, which is data and needs no factory; conf/record says what they mean."""

    name: str = "light"
    every: int = 1
    snapshot: int | None = None
    sharpness: bool = False
    extended: bool = False
    gradient_cosine: bool = False
    a_rank: bool = False
    modes: bool = False
    test: bool = False


def register() -> None:
    """Make the schema known to Hydra, once: from 1.4 on it warns of a second time."""
    from hydra.core.config_store import ConfigStore  # costly to import, and workers do without

    store = ConfigStore.instance()
    if "schema.yaml" not in store.repo:
        store.store(name="schema", node=Schema)
