"""Standard normal weights: refuted where δ explodes with them, not where they keep it."""

from tests.experiments.findings.tables import Run, geometric, joined, judged


def nets(normal: dict[str, float]) -> list[Run]:
    scaled = {"sigmoid": 0.25, "tanh": 0.95, "relu": 0.7}
    parts = []
    for width in (64, 256):
        for init, factors in (("normal", normal), ("fan_in", scaled)):
            parts += [geometric(factor, 20, activation=activation, init=init, width=width) for activation, factor in factors.items()]
    return joined(*parts)


def test_exploding_deltas_refute_the_advice() -> None:
    estimate, entry = judged("s_init_standard_normal", {"widths": nets({"sigmoid": 0.9, "tanh": 2.1, "relu": 5.6})})
    assert entry.finding.control
    assert estimate.verdict == "refuted"
    assert estimate.measured is not None
    assert estimate.measured > 1e13


def test_kept_deltas_would_reproduce_it() -> None:
    assert judged("s_init_standard_normal", {"widths": nets({"sigmoid": 1.0, "tanh": 1.0, "relu": 1.0})})[0].verdict == "reproduced"


def test_one_activation_that_it_suits_leaves_it_open() -> None:
    estimate, _ = judged("s_init_standard_normal", {"widths": nets({"sigmoid": 0.25, "tanh": 1.0, "relu": 5.6})})
    assert estimate.verdict == "not_reproduced"


def test_worse_than_nothing_but_better_than_the_alternative_leaves_it_open() -> None:
    estimate, _ = judged("s_init_standard_normal", {"widths": nets({"sigmoid": 0.9, "tanh": 2.1, "relu": 1.25})})
    assert estimate.verdict == "not_reproduced"
