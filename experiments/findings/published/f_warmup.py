"""By how much warm-up raises the largest learning rate that trains."""

from collections.abc import Mapping

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import present, rates_with_warmup
from experiments.store.tables import Results

SHOWN = "descent_mse"
"""The setting whose ratio the summary shows."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the largest rates with and without warm-up, setting by setting.

    Args:
        results: of the sweeps `descent_mse`, `descent_tanh`, `descent_softmax` and `adam`.
        finding: with its thresholds and `values.ratio`.

    Returns:
        The estimate; its number is the ratio of SHOWN.
    """
    numbers = rates_with_warmup(results, finding.values["ratio"], finding.threshold("trained_from"), finding.threshold("most_of"))
    first = numbers["setting"] == SHOWN
    conditions = [
        bounded("ratio under SGD, ReLU, mse", numbers.loc[first, "measured"], least=finding.threshold("mse_ratio")),
        bounded("ratio in the other settings", numbers.loc[~first, "measured"], least=finding.threshold("ratio")),
        present(results),
    ]
    says = "; ".join(f"{row['setting'].replace('_', ' ')} {row['without']:g} → {row['with']:g}" for row in numbers.to_dict("records"))
    return Estimate(
        finding.verdict(conditions),
        f"Largest learning rate without and with a warm-up of 100 steps: {says}.",
        quantity="largest lr with warm-up ÷ without, SGD, ReLU, mse",
        published=float(finding.values["ratio"][SHOWN]),
        measured=float(numbers.loc[first, "measured"].iloc[0]),
        n=int(numbers["n"].sum()),
        tables={"numbers": numbers},
    )
