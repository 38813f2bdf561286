"""A run: what a validated config says, typed, with the objects that it describes and what follows from them.

The config is the one truth; everything else is read off it, or made of it through the caches of `building`. So a run is
cheap to make, weighs little on its way to a worker process, and holds no data: thousands of runs share one data set.
"""

import functools
import itertools
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

import numpy as np

from bpcore.activation import Activation, Phis
from bpcore.clipping import Clip
from bpcore.dropout import Dropout
from bpcore.initializers import Initializer
from bpcore.losses import Loss
from bpcore.measure.recording import Recording
from bpcore.network import Network
from bpcore.normalization import Normalization
from bpcore.optimizers import Optimizer
from bpcore.parametrization import Parametrization
from bpcore.schedules import Schedule
from bpcore.skips import Skip
from experiments.config.building import build, built, dataset, facts
from experiments.config.files import choice
from experiments.config.keys import Config, Record
from experiments.config.shape import listed
from experiments.datasets.dataset import Dataset, Facts

Value = TypeVar("Value")


class Scalar(Generic[Value]):
    """Read a scalar key of a run's config as an attribute."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = name

    @overload
    def __get__(self, run: None, owner: type) -> "Scalar[Value]": ...
    @overload
    def __get__(self, run: "Run", owner: type) -> Value: ...
    def __get__(self, run: "Run | None", owner: type) -> "Scalar[Value] | Value":
        if run is None:
            return self
        value: Value = run.config[self._key]
        return value


@dataclass(frozen=True)
class Run:
    """Hold one validated run of a sweep; `validation.validate` makes it.

    The scalar keys are attributes of their declared types, whose meaning stands in `keys.Schema`; the groups are attributes
    that hold the objects of their choices.

    Args:
        index: place in the sweep, from 0.
        config: every key, groups as nested dicts; shared with other runs, so never changed.
        run_id: identity.
        overrides: the task overrides that Hydra composed it from.
    """

    index: int
    config: Config = field(repr=False)
    run_id: str
    overrides: tuple[str, ...] = ()

    depth = Scalar[int]()
    width = Scalar[int | list[int]]()
    lr = Scalar[float]()
    bias_lr_factor = Scalar[float]()
    weight_decay = Scalar[float]()
    batch_size = Scalar[int | None]()
    steps = Scalar[int]()
    seed = Scalar[int]()
    dtype = Scalar[str]()
    numerics = Scalar[str]()
    name = Scalar[str | None]()
    results_dir = Scalar[str]()

    def __reduce__(self) -> tuple[type["Run"], tuple[Any, ...]]:
        """Leave out what is made of the config: a worker process makes it anew."""
        return Run, (self.index, self.config, self.run_id, self.overrides)

    def choice(self, group: str) -> str:
        """Return the name of a group's choice."""
        name: str = self.config[group]["name"]
        return name

    @property
    def activation(self) -> Phis:
        """Return φ of the hidden layers; of each, with the defaults of its conf file, where they differ."""
        names = listed(self.choice("activation"))
        if names is None:
            return built(Activation, self.config["activation"])
        return tuple(built(Activation, choice("activation", name)) for name in names)

    @property
    def hidden_activations(self) -> tuple[Activation, ...]:
        """Return φ of each hidden layer; the identity where a layer holds a sum alone."""
        return self.network.hidden

    @property
    def output_activation(self) -> Activation:
        """Return φ of the output layer, with the defaults of its conf file."""
        return built(Activation, choice("activation", self.config["output_activation"]))

    @property
    def init(self) -> Initializer:
        """Return the distribution of weights and biases."""
        return built(Initializer, self.config["init"])

    @property
    def normalization(self) -> Normalization:
        """Return the normalization of the hidden layers."""
        return built(Normalization, self.config["normalization"])

    @property
    def skip(self) -> Skip:
        """Return what the hidden layers are added to."""
        return built(Skip, self.config["skip"])

    @property
    def span(self) -> int:
        """Return the layers of a block: 2 in a residual net of two-layer blocks, else 1."""
        return max(self.skip.span, 1)

    @property
    def dropout(self) -> Dropout:
        """Return how much of a hidden layer is dropped."""
        return built(Dropout, self.config["dropout"])

    @property
    def loss(self) -> Loss:
        """Return J_i."""
        return built(Loss, self.config["loss"])

    @property
    def optimizer(self) -> Optimizer:
        """Return the update rule."""
        return built(Optimizer, self.config["optimizer"])

    @property
    def parametrization(self) -> Parametrization:
        """Return how start and learning rates of the layers scale with width."""
        return built(Parametrization, self.config["parametrization"])

    @property
    def schedule(self) -> Schedule:
        """Return what the learning rate is multiplied by at each step."""
        return built(Schedule, self.config["schedule"])

    def largest_rate(self, step: int) -> float:
        """Return the largest learning rate in force in the updates before a step; lr where there were none."""
        return self.lr * float(self.schedule.factors(np.arange(max(min(step, self.steps), 1)), self.steps).max()) if step else self.lr

    @property
    def clip(self) -> Clip:
        """Return the clipping rule, with this run's threshold."""
        return built(Clip, self.config["clip"])

    @property
    def data(self) -> Dataset:
        """Return the data set; the run itself does not hold it."""
        return dataset(self.config["data"])

    @property
    def executor(self) -> Any:
        """Return what computes the sweep's tiles; nothing is started by it."""
        return build(self.config["executor"])

    @functools.cached_property
    def record(self) -> Record:
        """Return what is recorded, as the user chose it."""
        return Record(**self.config["record"])

    @functools.cached_property
    def facts(self) -> Facts:
        """Return what is known of the data set without its arrays."""
        return facts(self.config["data"])

    @property
    def m(self) -> int:
        """Return the examples of a step: `batch_size`, or all of the training set."""
        return self.batch_size or self.facts.n_examples

    @property
    def L(self) -> int:
        """Return the number of layers, the output included."""
        return self.depth + 1

    @property
    def hidden(self) -> range:
        """Return the hidden layers, 1…D."""
        return range(1, self.L)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return (n_0, n_1, …, n_L)."""
        return (self.facts.n_inputs, *self.widths, self.facts.n_outputs)

    @property
    def widths(self) -> list[int]:
        """Return (n_1, …, n_D)."""
        return [self.width] * self.depth if isinstance(self.width, int) else self.width

    @property
    def units(self) -> int:
        """Return n_0 + n_1 + … + n_L, without a list of a billion layers."""
        hidden = self.depth * self.width if isinstance(self.width, int) else sum(self.width)
        return self.facts.n_inputs + hidden + self.facts.n_outputs

    @property
    def weights(self) -> int:
        """Return the number of weights, without a list of a billion layers."""
        n_inputs, n_outputs = self.facts.n_inputs, self.facts.n_outputs
        if not isinstance(self.width, int):
            return sum(fan_in * fan_out for fan_in, fan_out in itertools.pairwise(self.sizes))
        return self.width * (n_inputs + n_outputs + (self.depth - 1) * self.width) if self.depth else n_inputs * n_outputs

    @functools.cached_property
    def network(self) -> Network:
        """Return the architecture: n_0 and n_L come from the data."""
        kinds = self.activation, self.output_activation, self.loss, self.normalization, self.skip, self.dropout, self.parametrization
        return Network(self.sizes, *kinds)

    @property
    def recording(self) -> Recording:
        """Return what is recorded, as the step loop takes it."""
        record = self.record
        probes = frozenset(name for name in ("extended", "gradient_cosine", "a_rank") if getattr(record, name))
        return Recording(record.every, record.name == "full", record.snapshot, record.sharpness, probes, record.modes, record.test)
