"""How many outputs stand for two classes: one or two, which the loss decides where the data leave it open."""

from typing import Any

from bpcore.losses import Loss
from experiments.datasets.dataset import Facts
from experiments.errors import UserError


def settle(node: Any, loss: Loss) -> Any:
    """Return the node of the data with `outputs=auto` replaced where the loss wants one output a class.

    Args:
        node: of the data, not yet checked.
        loss: of the run.

    Returns:
        The node; `auto` is left for a loss of single logits, and means one output for two classes then.
    """
    if isinstance(node, dict) and node.get("outputs") == "auto" and not loss.single_logits:
        return {**node, "outputs": "one_hot"}
    return node


def check_outputs(loss: Loss, data: Facts, name: str) -> None:
    """Refuse a loss over several classes where two classes share one output.

    Args:
        loss: of the run.
        data: what is known of the run's.
        name: of the data.

    Raises:
        UserError: they do not go together.
    """
    if loss.needs_classes and data.n_outputs < 2:
        raise UserError(
            f"loss={loss.name} needs one output a class, but data={name} has one output for two classes; "
            "use data.outputs=one_hot, or loss=sigmoid_cross_entropy"
        )
