"""What batch normalization does: all three claims, and each of them failing."""

import numpy as np
import pytest

from tests.experiments.findings.tables import Run, judged, run

RATES = (0.1, 0.3, 1.0, 3.0)


def nets(factor: float = 0.88, sigmoid: float = 1.0, sigmoid_without: float = 0.15, highest: float = 1.0) -> list[Run]:
    """Return sigmoid and tanh nets: factor and accuracy with normalization, accuracy without, and tanh's highest rate with it."""
    factors = {("sigmoid", "none"): 0.23, ("sigmoid", "batch"): factor, ("tanh", "none"): 0.87, ("tanh", "batch"): 1.06}
    runs = []
    for (activation, name), own in factors.items():
        for lr in RATES:
            for seed in range(3):
                if activation == "sigmoid":
                    accuracy = sigmoid if name == "batch" else sigmoid_without
                else:
                    accuracy = 1.0 if lr <= (highest if name == "batch" else 0.1) else 0.2
                scatter = float(np.exp(np.random.default_rng(seed).normal(scale=0.01)))
                setting = {"activation": activation, "normalization": name, "lr": lr, "seed": seed}
                runs.append(run([1.0, 1.0], delta_factor=own * scatter, final_accuracy=accuracy, **setting))
    return runs


def test_it_holds_with_its_caveat() -> None:
    estimate, _ = judged("s_bn", {"rates": nets()})
    assert estimate.verdict == "caveat"
    assert estimate.measured == pytest.approx(0.88, rel=0.02)
    assert estimate.theory is None


def test_one_step_of_the_rates_is_enough() -> None:
    assert judged("s_bn", {"rates": nets(highest=0.3)})[0].verdict == "caveat"


@pytest.mark.parametrize("change", [{"factor": 0.2}, {"factor": 5.0}, {"sigmoid": 0.5}, {"sigmoid_without": 1.0}, {"highest": 0.1}])
def test_each_of_the_three_claims_can_fail(change: dict[str, float]) -> None:
    assert judged("s_bn", {"rates": nets(**change)})[0].verdict == "not_reproduced"
