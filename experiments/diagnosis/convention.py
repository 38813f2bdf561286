"""In which convention a learning rate is meant: of a loss summed over outputs, or of their mean, as PyTorch and Keras have it."""

from collections.abc import Mapping
from typing import Any

from bpcore.losses import Loss
from experiments.config.building import built
from experiments.config.files import catalogue, choice


def differs_elsewhere(run: Mapping[Any, Any]) -> bool:
    """Return whether a run's loss is summed over outputs, where PyTorch and Keras take a mean that is another number.

    Args:
        run: its row of the runs table.
    """
    name = str(run["loss"])
    if run.get("loss.reduction") != "sum_outputs" or name not in catalogue("loss"):
        return False
    return built(Loss, {**choice("loss", name), "reduction": "mean"}).averages
