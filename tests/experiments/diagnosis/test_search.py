"""The order in which changes are tried: stage by stage, on tables that say what a net of known illness came to."""

import json
import math

import pandas as pd
import pytest

from experiments.compose.composition import compose
from experiments.config.validation import validate
from experiments.diagnosis import remedies
from experiments.diagnosis.bracketing import ADAPTIVE, MOST
from experiments.diagnosis.search import Search
from tests.experiments.helpers import TINY

SEEDS = 2


def patient(*words):
    overrides = ("depth=3", "batch_size=20", *words)
    return validate(compose([], [*TINY, *overrides])[0].config, overrides=overrides)


def table(search, causes=(), sharpness=math.nan, best=0.05):
    """Say that a rate learns the better the nearer it is to the best, and that ten times above it all is lost."""
    rows = []
    for candidate in search.tried:
        rate = candidate.run.lr
        lost = rate > 10 * best
        for run in remedies.runs_of([candidate], SEEDS):
            rows.append({
                "run_id": run.run_id, "optimizer": run.choice("optimizer"), "optimizer.beta": run.config["optimizer"].get("beta"),
                "outcome": "diverged" if lost else "learns", "skill": math.nan if lost else 1 - 0.1 * abs(math.log10(rate / best)),
                "causes": json.dumps([{"cause": cause} for cause in causes]), "initial_sharpness": sharpness,
            })  # fmt: skip
    return pd.DataFrame(rows)


def searched(run, budget, measure=lambda run: 8.0, **known):
    search = Search(run, SEEDS, budget, measure)
    stages = [len(search.tried)]
    while search.grow(table(search, **known)):
        stages.append(len(search.tried) - sum(stages))
    return search, stages


def rates(search):
    return [candidate.run.lr for candidate in search.tried if any(level.source.startswith("Bengio") for level in candidate.levels)]


@pytest.mark.parametrize("budget", [4, 8, 20, 60, 1000])
def test_the_budget_is_kept_and_used(budget):
    search, stages = searched(patient("lr=50"), budget, causes=["learning_rate_high"])
    everything = len(remedies.candidates(patient("lr=50"))) + len(rates(search))
    assert len(search.tried) == min(budget // SEEDS, everything)
    assert len({candidate.run.run_id for candidate in search.tried}) == len(search.tried)
    assert stages[0] == 1  # the ailing configuration alone, of which the causes are read
    assert sum(stages) == len(search.tried)


def test_what_the_causes_point_to_comes_first():
    search, _ = searched(patient(), 8, causes=["input_scale"])
    assert [candidate.label for candidate in search.tried] == ["unchanged", "normalization=batch", *[c.label for c in search.tried[2:]]]
    dead, _ = searched(patient("activation=relu"), 20, causes=["dead"])
    assert {"learning_rate", "leaky_activation"} <= {level.name for candidate in dead.tried for level in candidate.levels}


def test_the_rate_is_bracketed_from_half_of_the_largest_stable_one():
    search, _ = searched(patient("lr=50"), 30, causes=["learning_rate_high"], sharpness=4.0)
    assert rates(search) == [0.25, 2.5, 0.025, 0.0025][: len(rates(search))]
    assert len(rates(search)) >= 3
    asked = []
    search, _ = searched(patient("lr=50"), 30, lambda run: asked.append(run) or 8.0, causes=["learning_rate_high"])
    assert rates(search)[0] == 0.12  # 2/8 over 2, to two digits
    assert len(asked) == 1
    adam, _ = searched(patient("optimizer=adam", "lr=5"), 30, causes=["learning_rate_high"], best=1e-3)
    assert rates(adam)[0] == ADAPTIVE
    without, _ = searched(patient("steps=0"), 200, causes=["vanishing"])
    assert rates(without) == []


def test_without_a_budget_everything_is_tried_and_then_a_rate():
    search, stages = searched(patient(), None, sharpness=4.0)
    assert stages[0] == len(remedies.candidates(patient()))
    assert stages[1:] == [1] * len(rates(search))
    assert 3 <= len(rates(search)) <= MOST


def test_the_same_tables_lead_the_same_way():
    first, second = (searched(patient("lr=50"), 30, causes=["learning_rate_high"], sharpness=4.0)[0] for _ in range(2))
    assert [c.run.run_id for c in first.tried] == [c.run.run_id for c in second.tried]
