"""Nets of a hundred ReLU blocks that train, and that do not, by what their branches begin as."""

import numpy as np
import pytest

from tests.experiments.findings.tables import Run, judged, run

REACHED = {"plain": 0.17, "identity": 0.0, "scaled": 1.0, "zero_last": 1.0, "rezero": 1.0, "batch": 0.99, "layer": 1.0}
"""The accuracy of each net at its better learning rate; 0 is a net that diverges."""

BRANCHES = {"identity": "plain", "zero_last": "zero_last", "rezero": "rezero"}


def nets(names: tuple[str, ...], reached: dict[str, float], spread: float) -> list[Run]:
    found = []
    for name in names:
        for seed in range(2):
            for lr in (0.01, 0.1):
                norms = np.ones(7) if name in ("zero_last", "rezero") else np.linspace(2, 1, 7)
                norms[2] += spread
                columns = {"skip.init": BRANCHES.get(name, "plain"), "normalization": name if name in ("batch", "layer") else "none"}
                if reached[name]:
                    columns |= {"final_accuracy": reached[name] - (0.3 if lr == 0.01 and reached[name] > 0.5 else 0.0)}  # type: ignore[dict-item]
                found.append(run(norms, seed=seed, lr=lr, status="ok" if reached[name] else "diverged", **columns))
    return found


def sweeps(spread: float = 0.0, **changed: float) -> dict[str, list[Run]]:
    """Return nets that reach what is in REACHED, or what is given; `spread` sets ‖δ‖ of a layer apart."""
    groups = {"plain": ("plain",), "branches": tuple(BRANCHES), "scaled": ("scaled",), "normalized": ("batch", "layer")}
    return {sweep: nets(names, REACHED | changed, spread) for sweep, names in groups.items()}


def test_it_holds() -> None:
    estimate, _ = judged("f_zeroinit", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.measured == 1.0


@pytest.mark.parametrize("net", REACHED)
def test_a_net_on_the_other_side_fails(net: str) -> None:
    failed = judged("f_zeroinit", sweeps(**{net: 0.7}))[0]
    assert failed.verdict == "not_reproduced"
    assert [condition.holds for condition in failed.judgement.conditions].count(False) == 1


def test_a_last_place_of_delta_fails() -> None:
    assert judged("f_zeroinit", sweeps(spread=2.0**-52))[0].verdict == "not_reproduced"
