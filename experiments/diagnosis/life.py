"""The life of one run: what its tables hold, as arrays that a cause can be read off."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bpcore.activation import Activation, Phis, at_layer
from bpcore.arrays import Array, FloatArray
from bpcore.losses import Loss
from experiments.diagnosis.signal import can_die, is_flat
from experiments.text.numbers import missing


@dataclass(frozen=True)
class Life:
    """Hold one run from its first row to its last.

    Args:
        run: its row of the runs table: every config key, and what came out.
        step: (S,) int, the steps that have a row, ascending.
        layers: column of the layers table -> (S, L+1), layer 0 first; NaN where it was not measured.
        steps: column of the steps table -> (S,).
        activation: φ of the hidden layers, of all or of each.
        output_activation: φ of the output layer.
        loss: J_i.
        outputs: n_L.
        examples: m of the training set.
        features: the features of largest root mean square by name, with it; empty where they have no names.
        rate: step -> the largest learning rate in force before it; None for a rate that is `lr` throughout.
        span: layers of a block of a residual net.
        joined: the layers that are added to a sum.
        bypassed: the layers past whose φ a skip leads.
    """

    run: Mapping[str, Any]
    step: Array
    layers: Mapping[str, FloatArray]
    steps: Mapping[str, FloatArray]
    activation: Phis
    output_activation: Activation
    loss: Loss
    outputs: int
    examples: int
    features: tuple[tuple[str, float], ...] = ()
    rate: Callable[[int], float] | None = None
    span: int = 1
    joined: frozenset[int] = frozenset()
    bypassed: frozenset[int] = frozenset()

    def measured_since(self, values: Mapping[str, Any]) -> "Life":
        """Return the same life with columns of its row that were measured since."""
        return replace(self, run={**self.run, **values})

    @property
    def depth(self) -> int:
        """Return the number of hidden layers."""
        return int(self.layers["delta_norm"].shape[1]) - 2

    @property
    def hidden(self) -> list[int]:
        """Return the hidden layers."""
        return list(range(1, self.depth + 1))

    @property
    def trained(self) -> bool:
        """Return whether any update was made."""
        return bool(self.step[-1] > 0)

    def number(self, name: str) -> float:
        """Return a value of the run's row as a float, NaN where it is empty."""
        value = self.run.get(name)
        try:
            return math.nan if value is None else float(value)
        except TypeError:  # pandas' own missing value
            return math.nan

    def phi(self, layer: int) -> Activation:
        """Return φ of a layer."""
        return at_layer(self.activation, layer) if layer <= self.depth else self.output_activation

    def rate_before(self, row: int) -> float:
        """Return the largest learning rate of an update made before a recorded row."""
        return self.number("lr") if self.rate is None else self.rate(int(self.step[row]))

    def step0(self) -> dict[str, Any]:
        """Return the columns of the layers table in the first row, (L+1,) each, with `layer`."""
        return {"layer": np.arange(self.depth + 2), **{name: values[0] for name, values in self.layers.items()}}

    def at(self, column: str, row: int) -> FloatArray:
        """Return a column of the layers table in one row, (L+1,)."""
        values: FloatArray = self.layers[column][row]
        return values

    def measured(self, column: str) -> list[int]:
        """Return the rows in which a column of the layers table was measured."""
        values = self.layers.get(column)
        return [] if values is None else [int(row) for row in np.flatnonzero(np.isfinite(values[:, 1:]).any(axis=1))]

    def saturates(self, layer: int) -> bool:
        """Return whether φ of a layer is flat at both ends, as the sigmoid is and a rectifier is not."""
        return is_flat(self.phi(layer))

    def can_die(self, layer: int) -> bool:
        """Return whether φ of a layer is 0, with no slope, on a whole side: what a unit does not come back from."""
        return can_die(self.phi(layer))

    def heard(self, layer: int, row: int) -> bool:
        """Return whether a layer's z is more than the zero that zero weights or underflow leave."""
        mean, variance = self.layers["z_mean"][row, layer], self.layers["z_var"][row, layer]
        return not (mean == 0 and variance == 0)

    @property
    def sharpness(self) -> float:
        """Return the largest eigenvalue of the Hessian at step 0: of the first batch with record.sharpness=true, else of some examples.

        NaN where neither was measured.
        """
        recorded = float(self.steps["sharpness"][0])
        return self.number("initial_sharpness") if math.isnan(recorded) else recorded

    @property
    def limited(self) -> bool:
        """Return whether the rule has a largest stable learning rate by the sharpness."""
        return not math.isnan(stable_rate(self.run, 1.0))

    def stable_rate(self) -> float:
        """Return the largest stable learning rate by the sharpness at step 0, NaN where there is none."""
        return stable_rate(self.run, self.sharpness)

    @property
    def normalized(self) -> bool:
        """Return whether hidden layers are normalized before φ, so that neither the input's unit nor the weights' size reaches it.

        A sum of z that goes on past a normalization in the branch has one unit in all layers.
        """
        active = str(self.run.get("normalization")) != "none" and self.depth > 0
        passed = str(self.run.get("skip")) in ("preactivation", "block") and str(self.run.get("skip.norm")) == "pre"
        return active and not passed and str(self.run.get("normalization.place")) != "after"


def stable_rate(run: Mapping[Any, Any], sharpness: float) -> float:
    """Return the largest stable learning rate of a rule: 2/λ, with momentum (2+2β)/λ, Nesterov's (2+2β)/((1+2β)λ).

    Args:
        run: a row of the runs table.
        sharpness: λ.

    Returns:
        The rate; NaN where λ is not above 0, for a rule that has none, and where learning rates differ by layer.

    Source: Cohen et al. 2021, §2 and §5.
    """
    if str(run.get("parametrization", "standard")) != "standard":
        return math.nan
    held: Any = run.get("optimizer.beta")
    beta = math.nan if missing(held) else float(held)
    gains = {"sgd": 2.0, "momentum": 2 + 2 * beta, "nesterov": (2 + 2 * beta) / (1 + 2 * beta)}
    return gains.get(str(run.get("optimizer")), math.nan) / sharpness if sharpness > 0 else math.nan


def listing(layers: list[int], depth: int) -> str:
    """Write layers as a reader would: layer 2, layers 1–3, layers 1, 3 and the output."""
    hidden = sorted(layer for layer in layers if layer <= depth)
    runs: list[list[int]] = []
    for layer in hidden:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    parts = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    words = f"layer{'s' if len(hidden) > 1 else ''} {', '.join(parts)}" if hidden else ""
    if any(layer > depth for layer in layers):
        return f"{words} and the output" if words else "the output"
    return words
