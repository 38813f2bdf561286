"""Gates that hand a gradient to the larger or the smaller of two inputs."""

import numpy as np

from bpcore.graph.node import Array, Gate

maximum = Gate(
    "max",
    np.maximum,
    (lambda g, out, x, y: g * _share(x, y), lambda g, out, x, y: g * _share(y, x)),
    rule="∂max(x,y)/∂x = 1 where x > y, else 0; likewise y",
    source="one-sided limits",
    role="route",
    convention="at a tie each input receives half",
)

minimum = Gate(
    "min",
    np.minimum,
    (lambda g, out, x, y: g * _share(y, x), lambda g, out, x, y: g * _share(x, y)),
    rule="∂min(x,y)/∂x = 1 where x < y, else 0; likewise y",
    source="one-sided limits",
    role="route",
    convention="at a tie each input receives half",
)


def _share(x: Array, other: Array) -> Array:
    """Return 1 where x is larger, 0 where it is smaller, ½ at a tie."""
    return np.asarray(np.heaviside(x.real - other.real, 0.5))
