"""What a figure is handed: its frame, and what its axes are shown as."""

from dataclasses import dataclass, field

import pandas as pd

from experiments.figures.data.roles import Roles


@dataclass(frozen=True)
class FigureTable:
    """Hold what a figure shows; it draws this and computes nothing.

    A value that is not finite and an exact zero have no place on a logarithmic axis; both are counted in the frame (`n_not_finite`,
    `n_zero`) so that figures can mark them.

    Args:
        frame: the numbers, as the figure's CSV file has them.
        roles: which axis is colour, which are panels, and what the caption must say of it.
        x: the swept axis along which is drawn, where the figure chose one; else empty.
        y: the other one of a map; else empty.
        steps: the recorded steps that are shown, where the caption names them.
        window: how many steps a point sums up.
        left_out: what there was no room for.
    """

    frame: pd.DataFrame
    roles: Roles = field(default_factory=Roles)
    x: str = ""
    y: str = ""
    steps: tuple[int, ...] = ()
    window: int = 1
    left_out: tuple[str, ...] = ()
