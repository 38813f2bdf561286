"""The repair bench: which nets it draws, which it calls ill, what it tries, and what it says; few nets, end to end."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.bench import tables as pages
from experiments.bench.repair import curing, measuring, nets, table
from experiments.cli import main
from experiments.diagnosis.remedies import levels
from tests.experiments.bench.tables import made

ROW = {
    "data": "circle", "set": "first", "drawn": 32, "ill": 4, "healthy": 2, "healthy_standardized": 1, "detected": 4, "accused": 0,
    "repaired": 4, "kept": 1, "before": 0.5, "after": 0.84, "cost": 2.5, "causes": {"input_scale": 4},
    "taken": {"small_net": 3, "linear_net": 1}, "missed": [], "wrongly_accused": [], "not_repaired": [],
}  # fmt: skip


def test_the_tables_are_those_of_scikit_learn_times_100() -> None:
    for name, text in made().items():
        committed, fresh = (np.loadtxt(lines, delimiter=",", skiprows=1) for lines in (nets.TABLES / f"{name}.csv", text.splitlines()))
        np.testing.assert_allclose(committed, fresh, rtol=1e-12)  # another libm may round otherwise


def test_what_can_be_known_of_blob_is_what_the_page_says() -> None:
    from sklearn.datasets import make_blobs

    centres = 100 * make_blobs(1000, centers=3, n_features=2, cluster_std=2, random_state=2, return_centers=True)[2]
    rows = np.loadtxt(nets.TABLES / "blob.csv", delimiter=",", skiprows=1)
    x, classes = rows[:, :2], rows[:, 2].astype(int)
    means = np.array([x[:700][classes[:700] == one].mean(axis=0) for one in range(3)])

    def right(x: np.ndarray, classes: np.ndarray, middles: np.ndarray) -> float:
        return float((((x[:, None] - middles) ** 2).sum(axis=2).argmin(axis=1) == classes).mean())

    assert right(x[700:], classes[700:], centres) == table.CENTRES
    assert right(x[700:], classes[700:], means) == table.NEAREST_MEAN
    g = np.random.default_rng(0)
    fresh = g.integers(3, size=100_000)
    share = right(centres[fresh] + 200 * g.standard_normal((fresh.size, 2)), fresh, centres)
    assert abs(share - table.CENTRES_FRESH) < 4 * np.sqrt(share * (1 - share) / fresh.size)


@pytest.mark.parametrize("data", nets.LOSSES)
def test_the_first_700_rows_are_for_training_and_the_last_300_for_testing(data: str) -> None:
    (run,) = measuring.composed(data, nets.draw(data, "first", True, 0, 1))
    rows = np.loadtxt(nets.TABLES / f"{data}.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(run.data.x, rows[:700, :2].T)
    np.testing.assert_array_equal(run.data.test_x, rows[700:, :2].T)
    assert run.data.test_y is not None
    labels = run.data.test_y[0] if data == "circle" else run.data.test_y.argmax(axis=0)
    np.testing.assert_array_equal(labels, rows[700:, 2])


def test_the_nets_are_drawn_once_and_for_all_and_no_two_are_the_same() -> None:
    for raw in (True, False):
        first, again, later, other = (
            nets.draw("circle", which, raw, *numbers)
            for which, numbers in (("first", (0, 9)), ("first", (0, 9)), ("first", (5, 20)), ("untouched", (0, 20)))
        )
        assert first == again
        assert first[5:] == later[:4]
        assert len({*first, *later, *other}) == 40
        assert {net.raw for net in first} == {raw}


@pytest.mark.parametrize("raw", [True, False])
def test_they_are_of_the_families(raw: bool) -> None:
    drawn = [dict(word.split("=", 1) for word in net.words) for net in nets.draw("blob", "first", raw, 0, 400)]
    assert {net["data.standardize"] for net in drawn} == {"false" if raw else "true"}
    assert {net["activation"] for net in drawn} == set(nets.ACTIVATIONS)
    assert {net["optimizer"] for net in drawn} == set(nets.OPTIMIZERS)
    of_every_net = {
        ("he", "uniform", ""), ("uniform", "", "0.05"), ("normal", "", "0.05"), ("truncated_normal", "", "0.05"),
        ("constant", "", "0.05"), ("constant", "", "1"),
    }  # fmt: skip
    found = {(net["init"], net.get("init.distribution", ""), net.get("init.scale", "")) for net in drawn}
    assert found == (of_every_net if raw else {("he", "uniform", "")})
    for key, (low, high) in {"depth": (5, 32), "width": (3, 64), "steps": (660, 6600), "lr": (1e-5, 1)}.items():
        values = [float(net[key]) for net in drawn]
        assert low <= min(values) < 1.5 * low, key
        assert high / 1.5 < max(values) <= high, key
    assert {int(net["steps"]) % nets.STEPS_PER_EPOCH for net in drawn} == {0}
    assert {net["batch_size"] for net in drawn} == {"32"}


def frame(accuracies: list[float], ended: list[float] | None = None) -> pd.DataFrame:
    ends = ended or [np.nan] * len(accuracies)
    return pd.DataFrame({"test_accuracy": accuracies, "diverged_at_step": ends, "baseline_accuracy": [0.51] * len(accuracies)})


def test_ill_and_healthy_are_told_by_test_accuracy_alone() -> None:
    drawn = [nets.Drawn((str(place),), raw=place < 5) for place in range(7)]
    rows = frame([0.5, 0.6, 0.61, 0.815, 0.9, 0.4, 0.9], [np.nan, np.nan, np.nan, np.nan, 3.0, np.nan, np.nan])
    assert nets.chosen("circle", drawn, rows, 100) == ([0, 1, 4], [3, 6])  # what left the finite numbers knows nothing
    assert nets.accuracies(rows)[4] == 0.51
    assert nets.chosen("circle", drawn, rows, 1) == ([0], [3])


def causes(*names: str) -> dict[str, str]:
    return {"causes": json.dumps([{"cause": name} for name in names])}


@pytest.fixture(scope="module")
def ill():
    words = (*nets.of_data("circle"), "data.standardize=false", "depth=9", "init=normal")
    return measuring.composed("circle", [nets.Drawn(words, raw=True)])[0]


def test_of_one_cause_the_change_that_mends_it_comes_first_and_of_several_those_of_everything(ill) -> None:
    assert [attempt.remedy for attempt in curing.attempts(ill, causes("input_scale"))] == ["standardize", "linear_net", "small_net"]
    several = curing.attempts(ill, causes("input_scale", "vanishing"))
    assert [attempt.remedy for attempt in several] == ["linear_net", "small_net", "small_net"]
    assert len({attempt.run.run_id for attempt in several} | {ill.run_id}) == 4
    assert [attempt.remedy for attempt in curing.attempts(ill, causes())] == ["linear_net", "small_net", "small_net"]
    assert len(curing.attempts(ill, causes("learning_rate_low"), budget=2)) == 2


def test_what_changes_everything_keeps_the_length_of_the_training(ill) -> None:
    attempts = curing.attempts(ill, causes("input_scale", "vanishing"))
    assert [attempt.run.depth for attempt in attempts] == [0, 3, 3]
    assert {attempt.run.choice("schedule") for attempt in attempts} == {"cosine"}
    for attempt in attempts:
        assert (attempt.run.steps, attempt.run.batch_size, attempt.run.seed) == (ill.steps, ill.batch_size, ill.seed)
        np.testing.assert_allclose(attempt.run.data.x.std(axis=1), 1)
    assert {level.name for level in levels()} >= set(curing.WHOLE)


def test_the_first_that_does_as_well_as_any_is_told_by_skill_on_the_training_examples_and_not_by_the_test() -> None:
    rows = [{"skill": 0.2, "test_accuracy": 0.9}, {"skill": 0.3, "test_accuracy": 0.1}, {"skill": None}, {"skill": float("nan")}]
    assert curing.best(rows) == 1
    assert curing.best(rows[2:]) == 0
    assert curing.best([{"skill": 0.295}, *rows]) == 0
    assert curing.best([{"skill": 0.285}, *rows]) == 2
    assert curing.best([{"skill": None}, {"skill": -0.5}]) == 1


def test_bars_are_met_or_missed() -> None:
    assert all(met for _, met in table.bars(ROW).values())
    for change in ({"detected": 3}, {"accused": 1}, {"repaired": 3}, {"after": 0.83}, {"cost": 3.1}, {"healthy": 0}):
        assert [met for _, met in table.bars({**ROW, **change}).values()].count(False) == 1, change
    assert table.bars({**ROW, "data": "blob", "after": 0.8496})["mean accuracy ≥ 85 %"] == ("84.96 %", False)  # no rounding up to a bar


def test_the_page_stands_beside_the_published_figures() -> None:
    page = pages.document({
        "machine": {"cpu": "c", "cores": 2, "l2_kib": 512, "python": "3", "numpy": "2", "numba": "0", "blas": "b"},
        "arguments": ["--only", "repair"], "repair": [{**ROW, "repaired": 3, "not_repaired": ["depth=9"]}],
    })  # fmt: skip
    assert page.startswith("# Repair\n")
    assert "| circle | gradstab | 4 | 2 | 4 | 0 | 3 | 1 | 50 % | 84 % | 2.5 |" in page
    assert "| circle | AutoTrainer, its nets | 92 | – | – | – | – | – | 52.7 % | 79.5 % | 3 |" in page
    assert "- repaired in ≥ 99 %: 3 of 4 (95 % 30–95 %), missed" in page
    assert "not repaired:\n\n- `depth=9`" in page


def test_few_nets_from_drawing_to_the_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Five layers of 8 and two epochs: nearly everything is ill, and the second time nothing is trained."""
    short = ["executor=serial", "steps=44", "record.every=22", "depth=5", "width=8", "activation=tanh", "optimizer=sgd"]
    monkeypatch.setattr(measuring, "ROUNDS", {True: 2, False: 1})
    rows = measuring.measure("first", tmp_path, 2, short)
    assert [row["data"] for row in rows] == ["circle", "blob"]
    for row in rows:
        assert row["drawn"] in (3 + 6, 3 + 3 + 6)
        assert 0 < row["detected"] <= row["ill"] <= 2
        assert row["ill"] - row["detected"] == len(row["missed"])
        assert row["cost"] <= curing.BUDGET
        assert 0 <= row["before"] <= 0.6
        assert row["after"] > row["before"]
        assert sum(row["taken"].values()) == row["detected"]
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert measuring.measure("first", tmp_path, 2, short) == rows
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == written


def test_the_command_measures_the_set_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = []
    monkeypatch.setattr(measuring, "measure", lambda *arguments: asked.append(arguments) or [ROW])
    assert main(["bench", "--only", "repair", "--quick", "--output", str(tmp_path)]) == 0
    assert main(["bench", "--only", "repair", "--untouched", "--nets", "50", "--output", str(tmp_path)]) == 0
    assert asked == [("first", tmp_path, measuring.QUICK), ("untouched", tmp_path, 50)]
    assert "gradstab" in capsys.readouterr().out
    assert json.loads((tmp_path / "bench.json").read_text())["repair"] == [ROW]


def test_no_nets_are_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["bench", "--only", "repair", "--nets", "0", "--output", str(tmp_path / "bench")]) == 2
    assert capsys.readouterr().err == "gradstab: error: `--nets` must be an integer ≥ 1, got 0\n"
    assert not list(tmp_path.iterdir())
