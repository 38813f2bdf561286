"""The sweeper: Hydra's grid, axes that advance together, and designs for continuous ranges.

lr=0.1,0.01 clip.threshold=1,10 hydra.sweeper.zip=[lr,clip.threshold]
lr='tag(log,interval(1e-4,1))' hydra.sweeper.design=sobol hydra.sweeper.n_samples=64
"""

import itertools
import math
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException
from omegaconf import AnyNode, DictConfig, IntegerNode, OmegaConf

from experiments.text.quoting import quote, shortened

DESIGNS = ("sobol", "lhs", "random")


@dataclass(frozen=True)
class Axes:
    """Say how the axes of a sweep are combined.

    Args:
        zip: keys of axes that advance together; or a list of such lists.
        design: how intervals are drawn: sobol, lhs (Latin hypercube) or random; None where there are none.
        n_samples: how many points are drawn, ≥ 1.
        seed: of the drawing, ≥ 0.
    """

    zip: Any = None
    design: str | None = None
    n_samples: int | None = None
    seed: int = 0

    def jobs(self, overrides: list[Override], config: DictConfig) -> list[list[str]]:
        """Turn overrides into jobs: the product of the axes, in the order of the command line, the last one fastest.

        Args:
            overrides: of the config and the command line; the last of each key counts.
            config: of the sweep, which tells the types of keys.

        Returns:
            The overrides of each job.

        Raises:
            HydraException: axes cannot be zipped or drawn as asked.
        """
        chosen = {override.get_key_element(): override for override in overrides}
        columns = {key: _texts(key, override) for key, override in chosen.items() if not override.is_interval_sweep()}
        together = self._zipped(columns)
        if drawn := self._drawn({key: override for key, override in chosen.items() if override.is_interval_sweep()}, config):
            columns |= drawn
            together.append(list(drawn))
        return product(columns, together, list(chosen))

    def _zipped(self, columns: dict[str, list[str]]) -> list[list[str]]:
        """Return the keys of each set of axes that advance together."""
        if not self.zip:
            return []
        groups = self.zip if isinstance(self.zip, list) and all(isinstance(keys, list) for keys in self.zip) else [self.zip]
        names = {key.lstrip("+"): key for key in columns}
        used: set[str] = set()
        for keys in groups:
            if not isinstance(keys, list) or len(keys) < 2 or not all(isinstance(key, str) for key in keys):
                raise HydraException(f"`hydra.sweeper.zip` must list two or more axes, as in [lr,clip.threshold], got {quote(keys)}")
            for key in keys:
                if key not in names:
                    raise HydraException(
                        f"`hydra.sweeper.zip` names {shortened(key)}, which is no grid axis here; axes: {', '.join(names) or 'none'}"
                    )
                if key in used:
                    raise HydraException(f"`hydra.sweeper.zip` must name each axis once, got {shortened(key)} twice")
                used.add(key)
            lengths = {key: len(columns[names[key]]) for key in keys}
            if len(set(lengths.values())) > 1:
                found = ", ".join(f"{key} with {length}" for key, length in lengths.items())
                raise HydraException(f"`hydra.sweeper.zip` needs axes with equally many values, got {found}; give each as many")
        return [[names[key] for key in keys] for keys in groups]

    def _drawn(self, intervals: dict[str, Override], config: DictConfig) -> dict[str, list[str]]:
        """Draw the continuous axes."""
        if self.design is None:
            if intervals:
                line = shortened(str(next(iter(intervals.values())).input_line))
                raise HydraException(
                    f"`{line}` is a continuous range; say how to draw it, as in hydra.sweeper.design=sobol hydra.sweeper.n_samples=64"
                )
            return {}
        if self.design not in DESIGNS:
            raise HydraException(f"`hydra.sweeper.design` must be {' or '.join(DESIGNS)}, got {quote(self.design)}")
        if not intervals:
            raise HydraException(f"`hydra.sweeper.design={self.design}` draws intervals, but no axis is one; write lr='interval(0.01,1)'")
        if self.n_samples is None or self.n_samples < 1:
            raise HydraException(f"`hydra.sweeper.n_samples` must be an integer ≥ 1, got {quote(self.n_samples)}; so many points are drawn")
        if self.seed < 0:
            raise HydraException(f"`hydra.sweeper.seed` must be an integer ≥ 0, got {quote(self.seed)}")
        keys = sorted(intervals)  # the points do not depend on the order in which the axes were typed
        points = unit_points(self.design, self.n_samples, len(keys), self.seed)
        drawn = {}
        for column, key in enumerate(keys):
            interval = intervals[key].value()
            assert isinstance(interval, IntervalSweep)
            integer = isinstance(interval.start, int) or _is_integer(config, intervals[key].key_or_group)
            scaled = scale(points[column], interval, integer, str(intervals[key].input_line))
            drawn[key] = [f"{key}={value!r}" for value in scaled]
        return drawn


def product(columns: dict[str, list[str]], together: list[list[str]], order: list[str]) -> list[list[str]]:
    """Return the product of axes, some of which advance together.

    Args:
        columns: key -> the overrides of its axis.
        together: sets of keys with equally many overrides; they take the place of their first key.
        order: all keys, the last one advancing fastest.

    Returns:
        Jobs, each with one override a key, in that order.
    """
    partners = {key: keys for keys in together for key in keys}
    blocks: list[list[str]] = []
    for key in order:
        if not any(key in keys for keys in blocks):
            blocks.append(partners.get(key, [key]))
    flat = [key for keys in blocks for key in keys]
    places = [flat.index(key) for key in order]
    axes = [list(zip(*(columns[key] for key in keys), strict=True)) for keys in blocks]
    jobs = []
    for combination in itertools.product(*axes):
        texts = [text for entry in combination for text in entry]
        jobs.append([texts[place] for place in places])
    return jobs


def unit_points(design: str, n_samples: int, dimensions: int, seed: int) -> list[list[float]]:
    """Draw points in the unit cube.

    Args:
        design: sobol (scrambled), lhs (Latin hypercube) or random (uniform, independent).
        n_samples: number of points; those of a Sobol sequence are balanced if it is a power of 2.
        dimensions: of the cube.
        seed: of the drawing.

    Returns:
        One list of `n_samples` numbers in [0, 1) a dimension.

    Source:
        scipy.stats.qmc; Owen, "Scrambled Sobol and Niederreiter-Xing points", J. Complexity 14 (1998).
    """
    import numpy as np  # sweeps without a design, and other programs that use Hydra, do without

    generator = np.random.default_rng(seed)
    if design == "random":
        points = generator.random((n_samples, dimensions))
    else:
        from scipy.stats import qmc

        if design == "sobol":
            points = qmc.Sobol(dimensions, seed=generator).random_base2(math.ceil(math.log2(n_samples)))[:n_samples]
        else:
            points = qmc.LatinHypercube(dimensions, seed=generator).random(n_samples)
    return [[float(value) for value in column] for column in points.T]


def scale(unit: list[float], interval: IntervalSweep, integer: bool, line: str) -> list[float] | list[int]:
    """Carry numbers in [0, 1) over to an interval.

    Args:
        unit: the numbers u.
        interval: a to b, tagged `log` where ln x rather than x is to be uniform.
        integer: whether to round; a and b then count as whole integers, each as likely as the others (on a log
            scale, as likely as the width of its cell).
        line: the override, for errors.

    Returns:
        a + u(b − a), or a (b/a)^u.

    Raises:
        HydraException: the interval is empty, not finite, or not positive on a log scale.
    """
    if unknown := interval.tags - {"log"}:
        raise HydraException(f"`{shortened(line)}`: the only tag of an interval is log, got {shortened(', '.join(sorted(unknown)))}")
    assert interval.start is not None
    assert interval.end is not None
    start, end = float(interval.start), float(interval.end)
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise HydraException(f"`{shortened(line)}` must be an interval from a smaller to a larger finite number")
    log = "log" in interval.tags
    if log and start <= 0:
        raise HydraException(f"`{shortened(line)}` must be positive on a log scale; raise its lower end above 0")
    low, high = start, end
    if integer:
        low, high = math.ceil(start), math.floor(end)
        if low > high:
            raise HydraException(f"`{shortened(line)}` contains no integer")
        start, end = low - 0.5, high + 0.5
    values = [start * (end / start) ** u if log else start + u * (end - start) for u in unit]
    values = [min(max(value, low), high) for value in values]
    return [round(value) for value in values] if integer else values


def _texts(key: str, override: Override) -> list[str]:
    """Return the overrides of a grid axis, or the only one of what is not swept."""
    if override.is_sweep_override():
        return [f"{key}={value}" for value in override.sweep_string_iterator()]
    if override.value_type is None:  # a deletion without a value
        return [key]
    return [f"{key}={override.get_value_element_as_str()}"]


def _is_integer(config: DictConfig, key: str) -> bool:
    """Tell whether a key holds integers: by its declared type, or else by its value."""
    parent, _, leaf = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    held = node._get_node(leaf) if isinstance(node, DictConfig) else None
    if isinstance(held, AnyNode):
        value = held._value()
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(held, IntegerNode)
