"""What a cause is: a condition on the tables that held, with the number that shows it."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal


@dataclass(frozen=True)
class Cause:
    """Hold a condition that explains a run.

    Args:
        when: start, or training.
        evidence: one sentence with the number, where it stands and what was expected.
        value: that number, as the tables have it.
        step: first recorded step at which it held.
        layers: in which it held; none where it is no matter of layers.
        cause: its name, that of its module.
    """

    when: Literal["start", "training"]
    evidence: str
    value: float
    step: int = 0
    layers: tuple[int, ...] = ()
    cause: str = ""

    def named(self, name: str) -> "Cause":
        """Return the same cause under its module's name."""
        return replace(self, cause=name)

    def row(self) -> dict[str, Any]:
        """Return the cause as JSON holds it."""
        return {**asdict(self), "layers": list(self.layers)}
