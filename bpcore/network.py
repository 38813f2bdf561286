"""What a multilayer perceptron is made of, and what a forward pass through it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bpcore.activation import Activation, Phis, by_layer
from bpcore.activations import identity
from bpcore.arrays import Array
from bpcore.dropout import Dropout
from bpcore.layers import Layers
from bpcore.losses import Loss
from bpcore.normalization import Kept, Normalization, none
from bpcore.parametrization import Parametrization, standard
from bpcore.skips import Skip
from bpcore.skips import none as no_skip

_NONE, _PLAIN, _WHOLE, _IDENTITY, _STANDARD = none(), no_skip(), Dropout(), identity(), standard()


@dataclass(frozen=True)
class Network:
    """Describe an architecture; parameters stand apart.

    Args:
        sizes: (n_0, n_1, …, n_L).
        activation: φ of the hidden layers; one a layer, where they differ.
        output_activation: φ of layer L.
        loss: J_i.
        normalization: of the hidden layers.
        skip: what the hidden layers are added to.
        dropout: of the hidden layers, in training.
        parametrization: how start and learning rates of the layers scale with width.
    """

    sizes: tuple[int, ...]
    activation: Phis
    output_activation: Activation
    loss: Loss
    normalization: Normalization
    skip: Skip = _PLAIN
    dropout: Dropout = _WHOLE
    parametrization: Parametrization = _STANDARD

    @property
    def L(self) -> int:
        """Return the number of layers, the output included."""
        return len(self.sizes) - 1

    @cached_property
    def hidden(self) -> tuple[Activation, ...]:
        """Return φ of the hidden layers, 1…D; the identity where a layer holds a sum alone."""
        own = by_layer(self.activation, self.L - 1)
        return tuple(_IDENTITY if self.skip.is_linear(l) else phi for l, phi in enumerate(own, 1))

    def phi(self, layer: int) -> Activation:
        """Return φ of a layer."""
        return self.hidden[layer - 1] if layer < self.L else self.output_activation

    @cached_property
    def sources(self) -> dict[int, int]:
        """Return layer -> the layer whose sum it is added to, of those that are."""
        return self.skip.sources(self.sizes)

    def alpha(self, params: Layers, layer: int) -> Array:
        """Return α of a layer that is added to something, (R or 1, 1, 1): what it has learned, or what it is given."""
        given = np.full((1, 1, 1), self.skip.alpha(self.sizes), dtype=params.W[layer].dtype)
        return params.alpha.get(layer, given)

    @cached_property
    def bypassed(self) -> frozenset[int]:
        """Return the layers whose φ an error need not pass: a skip leads past it."""
        if self.skip.onto_a:
            return frozenset(self.sources)
        return frozenset(below + self.skip.span - 1 for below in self.sources.values())

    def learns_alpha(self, layer: int) -> bool:
        """Return whether a layer is added to something by a factor that it learns."""
        return self.skip.learned and layer in self.sources

    @cached_property
    def targets(self) -> dict[int, int]:
        """Return layer -> the layer that is added to its sum, of those that have one."""
        return {below: l for l, below in self.sources.items()}

    @property
    def one_logit(self) -> bool:
        """Return whether there is a single output, and it is a logit: its sign is the class."""
        return self.sizes[-1] == 1 and self.loss.single_logits

    def norm(self, layer: int) -> Normalization:
        """Return what a layer is normalized by; the output layer is not."""
        return self.normalization if layer < self.L and self.skip.is_normalized(layer) else _NONE

    def normalized(self, layer: int) -> bool:
        """Return whether a layer is normalized, and so has γ and β."""
        return self.norm(layer).active


@dataclass(frozen=True)
class Trace:
    """Keep a forward pass: everything that the backward pass reads.

    Args:
        z: z^l, l = 1…L.
        h: input of φ; z^l itself where layer l is not normalized before φ.
        a: a^l, l = 0…L.
        statistics: what the normalization of each layer keeps for the backward pass.
        masks: M^l of the layers whose units were dropped.
    """

    z: dict[int, Array]
    h: dict[int, Array]
    a: dict[int, Array]
    statistics: dict[int, Kept]
    masks: Mapping[int, Array] = field(default_factory=dict)
