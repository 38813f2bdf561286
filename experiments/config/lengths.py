"""How long a run is: by updates, or by epochs of its examples."""

import math

from experiments.errors import UserError

DEFAULT_STEPS = 100
"""Updates of a run that says neither."""


def steps_of(steps: int | None, epochs: int | None, examples: int, batch_size: int | None) -> int:
    """Return the number of updates: `steps`, or epochs·⌈examples/batch_size⌉, or 100.

    That is how many PyTorch and Keras make of so many epochs, whose last batch is short where the examples do not divide. Batches here
    are all whole: what is left over at the end of an epoch is dropped, and the next begins.

    Args:
        steps: as asked for; None where it was not.
        epochs: likewise.
        examples: of the training set.
        batch_size: examples a step; None for all.

    Raises:
        UserError: both were asked for, and they contradict each other.
    """
    if epochs is None:
        return DEFAULT_STEPS if steps is None else steps
    size = batch_size or examples
    found = epochs * math.ceil(examples / size)
    if steps is not None and steps != found:
        raise UserError(
            f"`epochs={epochs}` is {found} steps of {size} of {examples} examples, but `steps={steps}`; "
            "leave one of them out (steps=null where an experiment sets it)"
        )
    return found
