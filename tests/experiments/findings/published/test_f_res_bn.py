"""Residual nets with batch normalization in their branches: δ by a power of the depth, and exponentially."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bpcore import activations, skips
from bpcore.theory import Division, Stack, residual_factors
from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.store.tables import Results
from tests.experiments.findings.tables import Run, joined, residual, results, run

WIDTH, BLOCKS = 300, 50
NETS = {"relu_he": ("relu", "he", 2.0), "relu_fan_in": ("relu", "fan_in", 1.0), "tanh_fan_in": ("tanh", "fan_in", 1.0)}


def profile(net: str) -> list[float]:
    """Return theory's ‖δ‖² at the sums over that of the last, with a variance of 1 of the first."""
    name, _, sigma_w2 = NETS[net]
    sizes = (WIDTH,) * (BLOCKS + 2) + (10,)
    weights = [1 / WIDTH] + [sigma_w2 / WIDTH] * (BLOCKS + 1)
    phi, batch = getattr(activations, name)(), Division(0.0, over_batch=True)
    stack = Stack(skips.preactivation(), phi, sizes, weights, [0.0] * (BLOCKS + 2), batch)
    factors, _ = residual_factors(stack, np.array([float(WIDTH)]), float(WIDTH))
    return [*np.cumprod(factors[1:-1][::-1] ** 2)[::-1], 1.0]


def nets(names: list[str], change: float, squares: float, exponential: bool) -> list[Run]:
    found = []
    for net in names:
        own = np.array(profile(net)) ** change
        delta = own[0] ** np.linspace(1, 0, BLOCKS + 1) if exponential else own
        columns = {"activation": NETS[net][0], "init": NETS[net][1]}
        found.append(residual(delta, 1 + squares * np.arange(BLOCKS + 1.0), profile(net), **columns))
    return joined(*found)


def snapshots(folder: Path, growth: float) -> Results:
    """Write snapshots of the first and the last of 9 layers, between which the variance over the batch grows; the mean stands aside."""
    for seed in range(4):
        rows = np.random.default_rng(seed).standard_normal((8, 32))
        rows = (rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True)
        last = 5 + (1 + 8 * growth * (1 + 0.01 * (seed - 1.5))) ** 0.5 * rows
        np.savez(folder / f"snapshot_run{seed:04d}.npz", z1=rows, z9=last)
    return replace(results([run(np.ones(10), seed=seed) for seed in range(4)]), path=folder)


def sweeps(
    folder: Path, change: float = 1.0, squares: float = 1.0, growth: float = 0.6817, exponential: bool = False
) -> dict[str, Results]:
    he, plain = (results(nets(names, change, squares, exponential)) for names in (["relu_he"], ["relu_fan_in", "tanh_fan_in"]))
    return {"he": he, "plain": plain, "sums": snapshots(folder, growth)}


def judged(folder: Path, **changes: float) -> Estimate:
    (entry,) = select(["f_res_bn"])
    return entry.estimate(sweeps(folder, **changes), entry.finding)  # type: ignore[arg-type]


def test_it_holds(tmp_path: Path) -> None:
    estimate = judged(tmp_path)
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(153.4, rel=0.03)


@pytest.mark.parametrize("changes", [{"change": 1.05}, {"squares": 1.06}, {"growth": 1.0}, {"exponential": True}])
def test_other_totals_other_slopes_and_an_exponential_fail(changes: dict[str, float], tmp_path: Path) -> None:
    failed = judged(tmp_path, **changes)
    assert failed.verdict == "not_reproduced"
    assert [condition.holds for condition in failed.judgement.conditions].count(False) == 1


def test_without_snapshots_it_does_not_hold(tmp_path: Path) -> None:
    tables = sweeps(tmp_path)
    (entry,) = select(["f_res_bn"])
    empty = replace(tables["sums"], path=tmp_path / "nowhere")
    assert entry.estimate(tables | {"sums": empty}, entry.finding).verdict == "not_reproduced"


def test_theory_has_the_published_totals() -> None:
    for net, total in select(["f_res_bn"])[0].finding.values["total"].items():
        assert profile(net)[0] == pytest.approx(total, abs=0.05)
