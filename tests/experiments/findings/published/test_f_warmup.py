"""Learning rates that train with and without warm-up."""

import pytest

from tests.experiments.findings.tables import Run, judged, run

RATES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


def nets(without: float, with_it: float, lost_seeds: int = 1) -> list[Run]:
    """Return nets that train up to the largest rates; some of the three seeds do not at the largest itself."""
    return [
        run([1.0, 1.0], lr=lr, seed=seed, **{"schedule.warmup": warmup}, final_accuracy=1.0 if trains else 0.2)
        for warmup, largest in ((0, without), (100, with_it))
        for lr in RATES
        for seed in range(3)
        for trains in [lr < largest or (lr == largest and seed >= lost_seeds)]
    ]


def sweeps(mse: float = 1.6, others: float = 0.8, lost_seeds: int = 1, adam: bool = True) -> dict[str, list[Run]]:
    names = ("descent_tanh", "descent_softmax", *(["adam"] if adam else []))
    return {"descent_mse": nets(0.2, mse, lost_seeds)} | {name: nets(0.4, others, lost_seeds) for name in names}


def test_it_holds() -> None:
    estimate, _ = judged("f_warmup", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(8)


@pytest.mark.parametrize("change", [{"mse": 0.4}, {"others": 0.4}])
def test_it_fails(change: dict[str, float]) -> None:
    assert judged("f_warmup", sweeps(**change))[0].verdict == "not_reproduced"  # type: ignore[arg-type]


def test_a_rate_at_which_one_seed_of_three_trains_does_not_count() -> None:
    estimate, _ = judged("f_warmup", sweeps(lost_seeds=2))
    assert estimate.tables["numbers"]["with"].iloc[0] == 0.8
