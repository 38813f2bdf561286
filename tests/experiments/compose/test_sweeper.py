"""Axes of a sweep: the grid, axes that advance together, points drawn from continuous ranges."""

import math
from typing import Any

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from experiments.compose.composition import compose, runs_of
from experiments.compose.sweeper import DESIGNS, Axes, product, unit_points
from experiments.config.keys import Schema
from experiments.errors import UserError

CONFIG = OmegaConf.merge(OmegaConf.structured(Schema), {"clip": {"threshold": 1.0}, "data": {"n_samples": 50, "shuffled": True}})


def jobs(*overrides: str, **axes: Any) -> list[list[str]]:
    return Axes(**axes).jobs(OverridesParser.create().parse_overrides(list(overrides)), CONFIG)


def column(found: list[list[str]], key: str) -> list[float]:
    return [float(text.partition("=")[2]) for job in found for text in job if text.startswith(f"{key}=")]


def test_the_grid_is_hydras() -> None:
    assert jobs("lr=1,2", "depth=3", "+x=a,b") == [
        ["lr=1", "depth=3", "+x=a"],
        ["lr=1", "depth=3", "+x=b"],
        ["lr=2", "depth=3", "+x=a"],
        ["lr=2", "depth=3", "+x=b"],
    ]


def test_the_last_of_a_key_counts_in_the_place_of_the_first() -> None:
    assert jobs("lr=1,2", "~clip", "lr=5") == [["lr=5", "~clip"]]


def test_zipped_axes_advance_together() -> None:
    assert jobs("lr=1,2", "seed=7,8", "clip.threshold=10,20", zip=["lr", "clip.threshold"]) == [
        ["lr=1", "seed=7", "clip.threshold=10"],
        ["lr=1", "seed=8", "clip.threshold=10"],
        ["lr=2", "seed=7", "clip.threshold=20"],
        ["lr=2", "seed=8", "clip.threshold=20"],
    ]


def test_several_sets_of_axes_are_zipped() -> None:
    found = jobs("lr=1,2", "seed=7,8", "depth=range(2)", "+x=a,b", zip=[["lr", "seed"], ["depth", "x"]])
    assert found == [[f"lr={i}", f"seed={6 + i}", f"depth={j}", f"+x={'ab'[j]}"] for i in (1, 2) for j in (0, 1)]


@pytest.mark.parametrize(
    ("zipped", "words"),
    [
        (["lr", "depth"], ["equally many", "lr with 2, depth with 3"]),
        (["lr", "width"], ["width", "no grid axis", "lr, depth"]),
        (["lr"], ["two or more", "[lr,clip.threshold]"]),
        ("lr", ["two or more"]),
        (["lr", 3], ["two or more"]),
        ([["lr", "seed"], ["lr", "depth"]], ["lr twice"]),
        (["lr", "lr"], ["lr twice"]),
    ],
    ids=str,
)
def test_what_cannot_be_zipped_is_refused(zipped: Any, words: list[str]) -> None:
    with pytest.raises(HydraException) as caught:
        jobs("lr=1,2", "depth=1,2,3", "seed=1,2", zip=zipped)
    assert "hydra.sweeper.zip" in str(caught.value)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_is_crossed_with_the_grid(design: str) -> None:
    found = jobs("lr=interval(0.5,2)", "seed=1,2", "clip.threshold=interval(0,1)", design=design, n_samples=8)
    assert len(found) == 16
    assert [job[1] for job in found[:2]] == ["seed=1", "seed=2"]
    rates, thresholds = column(found, "lr")[::2], column(found, "clip.threshold")[::2]
    assert len(set(rates)) == len(set(thresholds)) == 8
    assert all(0.5 <= rate < 2 for rate in rates)
    assert rates != sorted(rates)
    assert column(found, "lr")[1::2] == rates


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_depends_on_its_seed_alone(design: str) -> None:
    lr, threshold = "lr=tag(log,interval(1e-4,1))", "clip.threshold=interval(0,1)"
    one = jobs(lr, threshold, design=design, n_samples=5, seed=3)
    np.random.seed(0)  # noqa: NPY002  # the global generator must make no difference
    assert jobs(lr, threshold, design=design, n_samples=5, seed=3) == one
    assert [job[::-1] for job in jobs(threshold, lr, design=design, n_samples=5, seed=3)] == one
    assert jobs(lr, threshold, design=design, n_samples=5, seed=4) != one


def test_latin_hypercube_puts_one_point_into_each_stratum_and_sobol_balances_quadrants() -> None:
    for values in unit_points("lhs", 20, 3, seed=0):
        assert sorted(math.floor(20 * value) for value in values) == list(range(20))
    x, y = unit_points("sobol", 64, 2, seed=0)
    counts = np.histogram2d(x, y, bins=8, range=[[0, 1], [0, 1]])[0]
    assert (counts == 1).all()
    independent = np.histogram2d(*unit_points("random", 64, 2, seed=0), bins=8, range=[[0, 1], [0, 1]])[0]
    assert (independent != 1).any()  # which the other two can therefore be told from


def test_a_log_interval_is_uniform_in_the_logarithm() -> None:
    found = column(jobs("lr=tag(log,interval(1e-4,1))", design="lhs", n_samples=40), "lr")
    decades = np.histogram(np.log10(found), bins=4, range=(-4, 0))[0]
    assert decades.tolist() == [10, 10, 10, 10]


@pytest.mark.parametrize(
    "line", ["depth=interval(2,6)", "batch_size=interval(1.5,6.4)", "lr=int(interval(2,6))", "data.n_samples=interval(2,6)"]
)
def test_integer_keys_get_integers_each_as_often(line: str) -> None:
    found = jobs(line, design="lhs", n_samples=50)
    values = [text.partition("=")[2] for (text,) in found]
    assert {value: values.count(value) for value in values} == dict.fromkeys("23456", 10)


def test_integers_on_a_log_scale_keep_to_their_ends() -> None:
    found = column(jobs("depth=tag(log,interval(1,100))", design="sobol", n_samples=256), "depth")
    assert min(found) == 1
    assert max(found) == 100
    assert 80 <= sum(value < 10 for value in found) <= 170


@pytest.mark.parametrize(
    ("line", "axes", "words"),
    [
        ("lr=interval(0,1)", {}, ["lr=interval(0,1)", "hydra.sweeper.design=sobol"]),
        ("lr=1,2", {"design": "sobol", "n_samples": 4}, ["no axis is one", "interval("]),
        ("lr=interval(0,1)", {"design": "sobol"}, ["`hydra.sweeper.n_samples`", "≥ 1", "None"]),
        ("lr=interval(0,1)", {"design": "sobol", "n_samples": 0}, ["`hydra.sweeper.n_samples`", "≥ 1", "0"]),
        ("lr=interval(0,1)", {"design": "grid", "n_samples": 4}, ["sobol or lhs or random", "'grid'"]),
        ("lr=interval(0,1)", {"design": "lhs", "n_samples": 4, "seed": -1}, ["`hydra.sweeper.seed`", "≥ 0"]),
        ("lr=interval(1,1)", {"design": "lhs", "n_samples": 4}, ["smaller to a larger"]),
        ("lr=interval(2,1)", {"design": "lhs", "n_samples": 4}, ["smaller to a larger"]),
        ("lr=interval(0,inf)", {"design": "lhs", "n_samples": 4}, ["finite"]),
        ("lr=tag(log,interval(0,1))", {"design": "lhs", "n_samples": 4}, ["positive on a log scale"]),
        ("lr=tag(lin,interval(0,1))", {"design": "lhs", "n_samples": 4}, ["log", "lin"]),
        ("depth=interval(2.2,2.8)", {"design": "lhs", "n_samples": 4}, ["no integer"]),
    ],
    ids=str,
)
def test_what_cannot_be_drawn_is_refused(line: str, axes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(HydraException) as caught:
        jobs(line, **axes)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), caught.value


def test_axes_that_are_not_zipped_are_crossed() -> None:
    columns = {"a": ["a=1", "a=2"], "b": ["b=1", "b=2"], "c": ["c=1"]}
    assert product(columns, [["c"], ["a", "b"]], ["a", "c", "b"]) == [["a=1", "c=1", "b=1"], ["a=2", "c=1", "b=2"]]
    assert product({"a": []}, [], ["a"]) == []
    assert product({}, [], []) == [[]]


def test_the_command_line_reaches_it() -> None:
    words = ["lr=tag(log,interval(1e-3,1))", "depth=interval(2,5)", "seed=0,1", "hydra.sweeper.design=sobol", "hydra.sweeper.n_samples=4"]
    chosen, repeated = runs_of(compose(["--multirun"], words))
    assert len(chosen) == 8
    assert repeated == 0
    assert all(1e-3 <= job.config["lr"] < 1 and 2 <= job.config["depth"] <= 5 for job in chosen)
    zipped = compose(["--multirun"], ["lr=1,2", "depth=3,4", "hydra.sweeper.zip=[lr,depth]"])
    assert [(entry.config["lr"], entry.config["depth"]) for entry in zipped] == [(1.0, 3), (2.0, 4)]


def test_a_prepared_sweep_may_use_it(tmp_path: Any) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "drawn.yaml").write_text(
        "# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    design: lhs\n    n_samples: 3\n    zip: [activation, init.scale]\n"
        "    params:\n      lr: tag(log,interval(0.01,1))\n      activation: tanh,relu\n      init.scale: 1.0,1.414\n",
        encoding="utf-8",
    )
    found = compose(["--config-dir", str(tmp_path)], ["+experiment=drawn"])
    pairs = [(entry.config["activation"]["name"], entry.config["init"]["scale"]) for entry in found]
    assert pairs == [("tanh", 1.0), ("relu", 1.414)] * 3
    assert len({entry.config["lr"] for entry in found}) == 3


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["lr=interval(0,1)"], ["lr=interval(0,1)", "hydra.sweeper.design"]),
        (["lr=1,2", "depth=1,2,3", "hydra.sweeper.zip=[lr,depth]"], ["equally many"]),
        (
            ["lr=interval(0,1)", "hydra.sweeper.design=sobol", "hydra.sweeper.n_samples=many"],
            ["hydra.sweeper.n_samples", "an integer", "many"],
        ),
        (["hydra.sweeper.desing=sobol"], ["desing"]),
    ],
    ids=str,
)
def test_a_mistake_is_one_line(overrides: list[str], words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        compose(["--multirun"], overrides)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), caught.value
