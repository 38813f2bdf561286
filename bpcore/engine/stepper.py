"""What steps a stack of runs: compiled code where there are kernels for all that it needs, the textbook elsewhere."""

from bpcore.clipping import Clip
from bpcore.engine.batches import Batches
from bpcore.engine.engine import Engine
from bpcore.engine.kinds import kernels_of
from bpcore.engine.rows import Rates
from bpcore.engine.textbook import Textbook
from bpcore.layers import Layers
from bpcore.network import Network
from bpcore.optimizers import Optimizer

Stepper = Engine | Textbook


def stepper_of(network: Network, params: Layers, optimizer: Optimizer, clip: Clip, rates: Rates, batches: Batches, dtype: str) -> Stepper:
    """Return what steps a stack.

    Args:
        network: the architecture.
        params: as `initialize` draws them.
        optimizer: the update rule.
        clip: the clipping rule.
        rates: of each run.
        batches: the data.
        dtype: float64 or float32.
    """
    kernels = kernels_of(network, optimizer, clip, dtype)
    if kernels is None:
        return Textbook(network, params, optimizer, clip, rates, batches)
    return Engine(network, kernels, params, optimizer.slots, rates, batches, dtype)
