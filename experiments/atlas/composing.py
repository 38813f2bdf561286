"""Composition of many sweeps, one after another."""

from experiments.composition import Composed, compose


class Composer:
    """Compose sweeps."""

    def compose(self, overrides: list[str]) -> list[Composed]:
        """Compose a sweep.

        Args:
            overrides: Hydra's.

        Returns:
            One entry a job.

        Raises:
            UserError: Hydra refused the sweep.
        """
        return compose(["--multirun"], overrides)
