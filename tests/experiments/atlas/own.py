"""A finding of a user's own, in a folder outside the package; small enough to run in a test."""

from pathlib import Path

CONF = """
title: ReLU keeps δ
claim: With He initialization a ReLU net keeps the norm of δ.
source: a test
certainty: derived
published: A factor of 1.
knobs: [init, activation]
control: {control}
sweeps:
  nets:
    overrides: [activation=relu, init=he, width=16, data.n_samples=40, batch_size=20, steps=0, executor=serial]
    quick: ["depth=3", "seed=range(3)"]
    default: ["depth=3,5", "seed=range(3)"]
    full: ["depth=3,5", "seed=range(6)"]
accept: The factor per layer lies within `within` of 1.
reason: It is a test.
refuted_if: It does not.
thresholds:
  within: {{value: {within}, reason: wide nets would do better}}
"""

CODE = """
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate
from experiments.findings.intervals import geometric_mean


def estimate(results, finding):
    runs = results["nets"].runs
    factor = geometric_mean(runs["delta_factor"])
    near = bounded("distance of the factor from 1", abs(factor.value - 1), below=finding.threshold("within"))
    reason = f"The factor per layer is {factor.value:.3g}."
    return Estimate(finding.verdict([near]), reason, "factor per layer", None, 1.0, factor.value, factor.low, factor.high, n=len(runs))
"""

FIGURE = """

from experiments.figures.style.panels import panels


def draw(tables):
    drawing, (axes,) = panels()
    axes.plot(tables["numbers"]["depth"], tables["numbers"]["measured"])
    return drawing


def caption(tables):
    return "What is seen."
"""


def write(folder: Path, name: str = "relu_keeps", within: float = 0.6, control: bool = False, code: str = CODE, conf: str = CONF) -> Path:
    """Write the finding's two files; return the folder."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(conf.format(within=within, control=str(control).lower()), encoding="utf-8")
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    return folder
