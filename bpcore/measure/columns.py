"""What is measured: the list of columns, which the recorder is held to and the tables are made from.

To add a column: an entry here, and a function that makes it beside those of its kind (`per_layer`, `probes`, `modes`). A column
that is declared and not made, or made and not declared, is an error.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from bpcore.measure.recording import Recording

Kind = Literal["number", "whole", "truth", "word"]
Compared = Literal["own", "largest", "counted"]
Recorded = Literal["always", "full", "glanced", "extended", "gradient_cosine", "a_rank", "sharpness", "modes", "test"]


FIRST = 3
"""The arithmetic version of the first edition, whose results are still read."""


@dataclass(frozen=True)
class Column:
    """Declare a column of a table.

    Args:
        name: of the column.
        text: what it means, with its unit; when it is empty.
        kind: what it holds: floats, integers, truth values or words.
        compared: in what a difference between two values is counted: in last places of the value itself; of the run's largest value,
            where values come out of sums that cancel, so that near 0 a last place of the value means nothing; or not at all, where
            entries are counted, of which one at an edge may fall to either side under another kernel.
        recorded: in which rows it stands: in every one; without `full` in a run's first and last alone, or glanced at in those and at
            rows 1, 2, 4, 8, … after the first; or in none unless asked for by this name. Elsewhere it is empty.
        since: the arithmetic version from which on it is recorded so: older results may lack it, or have it in fewer rows.
    """

    name: str
    text: str
    kind: Kind = "number"
    compared: Compared = "own"
    recorded: Recorded = "always"
    since: int = FIRST

    def asked(self, recording: Recording) -> bool:
        """Return whether the column stands in any row."""
        if self.recorded in ("always", "full", "glanced"):
            return True
        if self.recorded in ("sharpness", "modes", "test"):
            return bool(getattr(recording, self.recorded))
        return self.recorded in recording.probes


class ColumnError(RuntimeError):
    """Report a column that one side lacks: an error of the program, not of its user."""


def agree(table: str, declared: Collection[str], made: Collection[str], maker: str) -> None:
    """Make sure that the columns that were made are those that are declared.

    Args:
        table: its name.
        declared: names of the list.
        made: names of what there is.
        maker: who made it.

    Raises:
        ColumnError: one side lacks a column.
    """
    for name in declared:
        if name not in made:
            raise ColumnError(f"column `{name}` of {table} is declared, but {maker} does not make it")
    for name in made:
        if name not in declared:
            raise ColumnError(f"column `{name}` of {table} is made by {maker}, but not declared")


STEP = Column("step", "number of updates made before this row", "whole")
LAYER = Column("layer", "1…L, the output being L; 0 is the input", "whole")

STATE = (
    Column("delta_norm", "√(mean_i ‖δ_i‖²)"),
    Column("delta_mean_norm", "‖mean_i δ_i‖ = ‖∂J/∂b‖; empty under batch normalization, where it is zero by construction"),
    Column("delta_rms", "delta_norm / √n_l"),
    Column("weight_grad_norm", "‖∂J/∂W‖ before clipping, λ term included"),
    Column("bias_grad_norm", "‖∂J/∂b‖ before clipping"),
    Column("weight_norm", "‖W‖ before the update"),
    Column("update_ratio", "‖ΔW‖/‖W‖ of the update made from this row, ΔW before it is rounded into W; empty in the last"),
    Column("z_mean", "mean of z over units and examples", compared="largest", recorded="full"),
    Column("z_var", "variance of z over units and examples", recorded="full"),
    Column("a_mean", "mean of a over units and examples", compared="largest", recorded="full"),
    Column("a_var", "variance of a over units and examples", recorded="full"),
    Column("saturated", "fraction of entries whose |φ′| is below 5 % of its maximum", compared="counted", recorded="glanced", since=4),
    Column("dead", "fraction of units that are 0 on every example", compared="counted", recorded="glanced", since=4),
    Column(
        "equal_units",
        "fraction of units whose weights and bias equal those of the first to the bit; empty in a layer of one unit",
        compared="counted",
        recorded="full",
        since=4,
    ),
    Column("zero", "fraction of entries of δ that are exactly 0", compared="counted", recorded="full"),
    Column("finite", "whether every entry of δ is finite", "truth"),
)
"""What is measured of a layer whatever is asked for."""

PROBES = (
    Column("log10_delta_norm", "log10 of delta_norm; with record.extended=true also where that under- or overflowed"),
    Column(
        "gradient_cosine",
        "mean cosine between ∂f/∂z (∂f/∂x in layer 0) at pairs of different inputs, f = Σ_k a_k^L, batch statistics "
        "held fixed; empty unless record.gradient_cosine=true",
        compared="largest",
        recorded="gradient_cosine",
    ),
    Column(
        "a_rank",
        "effective rank (Σs²)²/Σs⁴ of a from its singular values s; empty unless record.a_rank=true",
        recorded="a_rank",
    ),
)
"""What a pass of its own is made for, where it is asked for."""

LAYERS = STATE + PROBES

MODES = (
    *(
        Column(
            f"mode_{number}",
            f"strength uᵀWv of mode {number} of Σ^yx in a linear net's W = W^L⋯W^1; empty unless record.modes=true",
            compared="largest",
            recorded="modes",
        )
        for number in (1, 2, 3, 4)
    ),
    Column("singular_value_max", "largest singular value of that W", recorded="modes"),
    Column("singular_value_min", "smallest singular value of that W", recorded="modes"),
)

STEPS = (
    Column("loss", "J of the step's batch, λ term included; under dropout that of the units that are left, as all of a row"),
    Column("accuracy", "fraction right on the step's batch; empty for regressions", compared="counted"),
    Column("grad_norm", "norm of all gradients together, before clipping"),
    Column("grad_norm_clipped", "the same after clipping"),
    Column("clipped", "whether clipping changed a gradient", "truth"),
    Column("lr", "learning rate of the update made from this row, as the schedule has it; parametrization multiplies it by layer", since=6),
    Column("sharpness", "largest eigenvalue of the Hessian of J, where recorded", recorded="sharpness"),
    Column(
        "test_loss",
        "J on the test examples without the λ term, in evaluation mode; empty unless record.test=true",
        recorded="test",
        since=4,
    ),
    Column(
        "test_accuracy",
        "fraction right of the test examples, in evaluation mode; empty for regressions and unless record.test=true",
        compared="counted",
        recorded="test",
        since=4,
    ),
    *MODES,
)

HISTOGRAMS = (
    Column("step", "first or last recorded step", "whole"),
    Column("layer", "1…L", "whole"),
    Column("quantity", "z, a or log10_abs_delta", "word"),
    Column("bin_low", "lower edge; −inf below the fixed bins, empty for the count of NaN"),
    Column("bin_high", "upper edge; inf above the fixed bins, empty for the count of NaN"),
    Column("count", "entries in the bin; empty bins have no row", "whole"),
)
