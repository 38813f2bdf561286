"""A suitable initialization: one scheme that keeps δ is enough for tanh and for ReLU; none for the sigmoid is a caveat."""

import pytest

from tests.experiments.findings.tables import Run, geometric, joined, judged

FACTORS = {"sigmoid": 0.25, "tanh": 0.97, "relu": 0.7}


def nets(relu_he: float = 1.0, **changed: float) -> list[Run]:
    parts = []
    for activation, factor in (FACTORS | changed).items():
        for init in ("normal", "fan_in", "xavier", "he", "orthogonal"):
            own = 4.0 if init == "normal" else relu_he if (activation, init) == ("relu", "he") else factor
            parts.append(geometric(own, 20, activation=activation, init=init))
    return joined(*parts)


def test_a_kept_delta_holds_with_the_sigmoid_as_caveat() -> None:
    estimate, _ = judged("s_init", {"schemes": nets()})
    assert estimate.verdict == "caveat"
    assert estimate.measured == pytest.approx(1, rel=0.1)
    assert "sigmoid" in estimate.reason


def test_without_the_sigmoids_failure_there_is_no_caveat() -> None:
    assert judged("s_init", {"schemes": nets(sigmoid=1.0)})[0].verdict == "reproduced"


def test_no_scheme_for_relu_is_not_reproduced() -> None:
    assert judged("s_init", {"schemes": nets(relu_he=0.7)})[0].verdict == "not_reproduced"


def test_plain_normal_weights_do_not_count() -> None:
    estimate, _ = judged("s_init", {"schemes": [one | ({"init": "normal"} if one["init"] == "he" else {}) for one in nets()]})
    assert estimate.verdict == "not_reproduced"
