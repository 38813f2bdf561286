"""Deep sigmoid nets under LayerNorm, before φ and behind it."""

import pytest

from tests.experiments.findings.tables import Run, judged, run


def nets(normalization: str, accuracy: float, other: float = 0.1) -> list[Run]:
    return [
        run([1.0, 1.0], normalization=normalization, depth=depth, lr=lr, seed=seed, final_accuracy=accuracy if lr == 1 else other)
        for depth in (10, 20)
        for lr in (0.1, 1.0)
        for seed in range(2)
    ]


def sweeps(before: float = 0.12, behind: float = 1.0, batch: float = 1.0, rms: float = 0.12) -> dict[str, list[Run]]:
    return {
        "others": nets("none", 0.12) + nets("batch", batch), "before": nets("layer", before) + nets("rms", rms),
        "behind": nets("layer", behind),
    }  # fmt: skip


def test_the_claim_holds_where_layer_norm_before_trains() -> None:
    assert judged("f_ln_sigmoid", sweeps(before=0.97))[0].verdict == "reproduced"


def test_it_is_refuted_where_the_nets_stand_still_and_others_train() -> None:
    estimate, _ = judged("f_ln_sigmoid", sweeps())
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(0.12)


@pytest.mark.parametrize("change", [{"before": 0.6}, {"behind": 0.5}, {"batch": 0.5}, {"rms": 0.5}])
def test_it_is_neither_where_a_comparison_fails(change: dict[str, float]) -> None:
    assert judged("f_ln_sigmoid", sweeps(**change))[0].verdict == "not_reproduced"
