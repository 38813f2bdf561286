"""Deep sigmoid nets with and without batch normalization."""

import pytest

from tests.experiments.findings.tables import Run, judged, run


def nets(without: float = 0.15, with_it: float = 1.0) -> list[Run]:
    return [
        run([1.0, 1.0], normalization=name, depth=depth, lr=lr, seed=seed, final_accuracy=accuracy if lr == 1 else 0.1)
        for name, reached in (("none", without), ("batch", with_it))
        for depth, accuracy in ((5, 0.6), (10, reached), (20, reached))
        for lr in (0.1, 1.0)
        for seed in range(3)
    ]


def test_it_holds() -> None:
    estimate, _ = judged("f_bntrain", {"training": nets()})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == 1.0


@pytest.mark.parametrize("change", [{"without": 0.7}, {"with_it": 0.5}])
def test_it_fails(change: dict[str, float]) -> None:
    assert judged("f_bntrain", {"training": nets(**change)})[0].verdict == "not_reproduced"


def test_a_diverged_net_has_learned_nothing() -> None:
    runs = [one | {"status": "diverged"} if one["normalization"] == "batch" else one for one in nets()]
    assert judged("f_bntrain", {"training": runs})[0].verdict == "not_reproduced"


def test_shallow_nets_decide_nothing() -> None:
    assert judged("f_bntrain", {"training": [one for one in nets() if one["depth"] == 5]})[0].verdict == "not_testable"
