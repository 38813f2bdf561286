"""The size of Adam's first step over width, and the best learning rates, with μP and without."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.store.tables import Results
from tests.experiments.findings.tables import Run, results, run

SLOPES = {"standard": (0.7, 0.8, 1.2), "mup": (0.0, 0.01, -0.05)}
GRID = [2.0**power for power in range(-10, -4)]
BEST = {"standard": {32: 2.0**-7, 128: 2.0**-8, 512: 2.0**-9}, "mup": dict.fromkeys((32, 128, 512), 2.0**-7)}


def steps(folder: Path, slopes: dict[str, tuple[float, ...]]) -> Results:
    """Return nets whose z changes by n^slope in layers 2 to 4."""
    own, runs = folder / "steps", list[Run]()
    own.mkdir(exist_ok=True)
    for kind, powers in slopes.items():
        for seed in range(2):
            for width in (64, 256, 512):
                before = np.random.default_rng(seed).standard_normal((3, 5, 4))
                for at in (0, 1):
                    moved = {f"z{l}": z + at * 0.01 * width**power for l, z, power in zip((2, 3, 4), before, powers, strict=True)}
                    np.savez(own / f"snapshot_run{len(runs):04d}.npz", **moved)
                    runs.append(run(np.ones(4), parametrization=kind, width=width, seed=seed, **{"record.snapshot": at}))
    return replace(results(runs), path=own)


def rates(best: dict[int, float]) -> list[Run]:
    """Return nets whose loss has its valley at the best rate."""
    return [
        run(np.ones(4), width=width, lr=lr, final_loss=0.1 + abs(np.log2(lr / valley))) for width, valley in best.items() for lr in GRID
    ]


def sweeps(
    folder: Path,
    slopes: dict[str, tuple[float, ...]] | None = None,
    standard: dict[int, float] | None = None,
    mup: dict[int, float] | None = None,
) -> dict[str, Results]:
    return {
        "steps": steps(folder, SLOPES | (slopes or {})),
        "standard": results(rates(BEST["standard"] | (standard or {}))),
        "mup": results(rates(BEST["mup"] | (mup or {}))),
    }


def judged(made: dict[str, Results]) -> Estimate:
    (entry,) = select(["f_mup"])
    return entry.estimate(made, entry.finding)


def test_it_holds(tmp_path: Path) -> None:
    estimate = judged(sweeps(tmp_path))
    assert estimate.verdict == "caveat"
    assert estimate.measured == pytest.approx(-0.05)
    numbers = estimate.tables["numbers"]
    assert numbers["measured"].tolist() == pytest.approx([*SLOPES["standard"], *SLOPES["mup"]])
    best = estimate.tables["best"]
    assert best["measured"].tolist() == [*BEST["standard"].values(), *BEST["mup"].values()]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"slopes": {"mup": (0.0, 0.2, 0.0)}}, "slopes under μP"),
        ({"slopes": {"mup": (0.0, 0.0, -0.2)}}, "slopes under μP"),
        ({"slopes": {"standard": (0.5, 0.8, 1.2)}}, "standard parametrization"),
        ({"standard": {512: 2.0**-8}}, "32 over that at 512"),
        ({"mup": {512: 2.0**-9}}, "over the smallest"),
        ({"mup": dict.fromkeys((32, 128, 512), GRID[-1])}, "inside of the grid"),
    ],
    ids=str,
)
def test_it_fails(tmp_path: Path, change: dict[str, dict[str, tuple[float, ...]]], words: str) -> None:
    estimate = judged(sweeps(tmp_path, **change))  # type: ignore[arg-type]
    assert estimate.verdict == "not_reproduced"
    failed = [condition.name for condition in estimate.judgement.conditions if condition.holds is False]
    assert len(failed) == 1
    assert words in failed[0]
