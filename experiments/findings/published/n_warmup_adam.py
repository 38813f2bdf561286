"""Whether warm-up leaves plain descent's largest learning rate as it is: a popular claim."""

from collections.abc import Mapping

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import present, rates_with_warmup
from experiments.store.tables import Results

SHOWN = "descent_softmax"
"""The setting whose ratio the summary shows."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the largest rates of gradient descent with and without warm-up.

    Args:
        results: of the sweeps `descent_mse`, `descent_tanh` and `descent_softmax`.
        finding: with its thresholds and `values.ratio`.

    Returns:
        The estimate; its number is the ratio of SHOWN.
    """
    numbers = rates_with_warmup(results, finding.values["ratio"], finding.threshold("trained_from"), finding.threshold("most_of"))
    ratios = numbers["measured"]
    conditions = [bounded("ratios under gradient descent", ratios, most=finding.threshold("same_below")), present(results)]
    against = [bounded("ratios under gradient descent", ratios, least=finding.threshold("ratio"))]
    says = "; ".join(f"{row['setting'].replace('_', ' ')} {row['without']:g} → {row['with']:g}" for row in numbers.to_dict("records"))
    return Estimate(
        finding.verdict(conditions, against),
        f"Largest learning rate of gradient descent without and with a warm-up of 100 steps: {says}.",
        quantity="largest lr with warm-up ÷ without, SGD, ReLU, softmax",
        published=1.0,
        measured=float(numbers.loc[numbers["setting"] == SHOWN, "measured"].iloc[0]),
        n=int(numbers["n"].sum()),
        tables={"numbers": numbers},
    )
