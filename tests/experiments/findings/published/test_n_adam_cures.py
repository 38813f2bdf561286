"""Deep sigmoid nets under Adam."""

import pytest

from tests.experiments.findings.tables import Run, judged, run


def nets(by_depth: dict[int, float]) -> list[Run]:
    return [
        run([1.0, 1.0], depth=depth, lr=lr, seed=seed, final_accuracy=accuracy if lr == 0.01 else 0.1)
        for depth, accuracy in by_depth.items()
        for lr in (0.001, 0.01)
        for seed in range(2)
    ]


def sweeps(deep: float = 0.12, shallow: float = 1.0, without: float = 0.2) -> dict[str, list[Run]]:
    return {"depths": nets({5: shallow, 10: deep, 20: deep}), "without_eps": nets({20: without})}


def test_the_claim_holds_where_deep_nets_train() -> None:
    assert judged("n_adam_cures", sweeps(deep=1.0, without=1.0))[0].verdict == "reproduced"


def test_it_is_refuted_where_they_stand_still() -> None:
    estimate, _ = judged("n_adam_cures", sweeps())
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(0.12)


@pytest.mark.parametrize("change", [{"deep": 0.6}, {"shallow": 0.5}, {"without": 0.6}])
def test_it_is_neither_in_between(change: dict[str, float]) -> None:
    assert judged("n_adam_cures", sweeps(**change))[0].verdict == "not_reproduced"
