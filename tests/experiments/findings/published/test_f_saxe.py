"""Learning times of deep linear nets."""

import numpy as np
import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged, run

STEPS = 60
TARGETS = (4.0, 3.0, 2.0, 1.0)


def net(init: str, depth: int, time: float, off: float = 0.0, bounces: bool = False, seed: int = 0) -> Run:
    """Return a net that has learned all but e^(−step/time) of every mode; one that bounces is back at nothing every third step."""
    step = np.arange(STEPS + 1)
    missing = np.exp(-step / time)
    if bounces:
        missing = np.where(step % 3 == 0, 1.0, missing)
    modes = {f"mode_{place}": target * (1 - missing) for place, target in enumerate(TARGETS, 1)}
    steps = pd.DataFrame({"step": step, **modes, "singular_value_max": 1 + off, "singular_value_min": 1 - off})
    return run([1.0, 1.0], steps=steps, init=init, depth=depth, seed=seed, lr=0.01, **{"data.strength": 4.0, "data.n_modes": 4})


def nets(orthogonal: float = 6.0, gaussian: float = 30.0, off: float = 1e-15) -> list[Run]:
    times = {("orthogonal", 2): 5.0, ("orthogonal", 50): orthogonal, ("fan_in", 2): 5.0, ("fan_in", 50): gaussian}
    return [net(init, depth, time + seed / 10, off, seed=seed) for (init, depth), time in times.items() for seed in range(3)]


@pytest.mark.parametrize("gaussian", [12.0, 1000.0])
def test_it_holds(gaussian: float) -> None:
    estimate, _ = judged("f_saxe", {"learning": nets(gaussian=gaussian)})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(1.2, rel=0.1)


def test_the_time_is_the_first_step_from_which_enough_is_learned() -> None:
    numbers = judged("f_saxe", {"learning": nets()})[0].tables["numbers"].set_index(["init", "depth"])
    assert numbers.loc[("orthogonal", 2), "low"] == np.ceil(5.0 * np.log(20) / 2)


@pytest.mark.parametrize("change", [{"orthogonal": 15.0}, {"orthogonal": 1000.0}, {"gaussian": 6.0}, {"off": 1e-3}])
def test_it_fails(change: dict[str, float]) -> None:
    assert judged("f_saxe", {"learning": nets(**change)})[0].verdict == "not_reproduced"


def test_a_net_that_bounces_past_the_target_has_not_learned() -> None:
    runs = [one for one in nets() if (one["init"], one["depth"]) != ("orthogonal", 50)]
    runs += [net("orthogonal", 50, 1.0, bounces=True, seed=seed) for seed in range(3)]
    estimate, _ = judged("f_saxe", {"learning": runs})
    assert estimate.verdict == "not_reproduced"
    assert estimate.measured is None
