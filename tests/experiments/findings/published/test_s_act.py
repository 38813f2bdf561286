"""Activations against the sigmoid: an order with intervals apart, and theory met."""

import pytest

from tests.experiments.findings.tables import Run, geometric, joined, judged


def sweeps(relu: float = 0.7071, off: float = 1.0) -> dict[str, list[Run]]:
    equal = {"sigmoid": 0.235, "tanh": 0.92, "relu": relu, "leaky_relu": 0.71, "elu": 0.91}
    xavier, he = {"sigmoid": 0.235, "tanh": 0.92}, {"relu": 1.0, "leaky_relu": 1.0, "elu": 1.08}

    def nets(factors: dict[str, float], init: str) -> list[Run]:
        runs = joined(*(geometric(factor, 20, activation=activation, init=init) for activation, factor in factors.items()))
        return [one | {"delta_factor_theory": one["delta_factor_theory"] * off} for one in runs]

    return {"equal": nets(equal, "fan_in"), "own_xavier": nets(xavier, "xavier"), "own_he": nets(he, "he")}


def test_the_sigmoid_attenuates_most() -> None:
    estimate, _ = judged("s_act", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.7071, rel=0.01)
    assert estimate.published == 0.7071


def test_an_activation_as_weak_as_the_sigmoid_fails() -> None:
    assert judged("s_act", sweeps(relu=0.235))[0].verdict == "not_reproduced"


def test_the_right_order_with_wrong_theory_fails() -> None:
    assert judged("s_act", sweeps(off=1.2))[0].verdict == "not_reproduced"
