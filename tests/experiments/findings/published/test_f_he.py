"""Xavier against He: where one stalls and the other trains, and where not."""

import pytest

from tests.experiments.findings.tables import Run, judged, run


def nets(deep_xavier: float = 0.13, deep_he: float = 0.98, shallow: float = 1.0) -> list[Run]:
    reached = {("xavier", 10): shallow, ("he", 10): shallow, ("xavier", 30): deep_xavier, ("he", 30): deep_he}
    return [
        run([1.0, 1.0], init=init, depth=depth, lr=lr, seed=seed, final_accuracy=accuracy if lr == 0.1 else 0.1, delta_factor=0.9)
        for (init, depth), accuracy in reached.items()
        for lr in (0.1, 0.01)
        for seed in range(3)
    ]


def test_it_holds_with_its_caveat() -> None:
    estimate, _ = judged("f_he", {"training": nets()})
    assert estimate.verdict == "caveat"
    assert estimate.measured == pytest.approx(0.98)


@pytest.mark.parametrize("change", [{"deep_xavier": 0.8}, {"deep_he": 0.3}, {"shallow": 0.5}])
def test_it_fails(change: dict[str, float]) -> None:
    assert judged("f_he", {"training": nets(**change)})[0].verdict == "not_reproduced"


def test_without_deep_nets_nothing_is_decided() -> None:
    assert judged("f_he", {"training": [one for one in nets() if one["depth"] == 10]})[0].verdict == "not_testable"
