"""Tables of one's own through the real code: what people bring, and what must happen."""

import json
import sys
from pathlib import Path

import pytest

from tests.experiments.datasets.tables import broken, clinic, flats, flowers
from tests.experiments.helpers import command, here, sweep
from tests.processes import ROOT, environment, run

FLATS = "data.path=flats.csv"
NET = ["activation=relu", "depth=2", "width=12", "batch_size=10", "data.n_samples=null"]


def test_one_sigmoid_output_has_an_accuracy_which_the_unit_of_the_features_decides(tmp_path: Path) -> None:
    options = ["data=table", f"data.path={clinic(tmp_path)}", "data.target=positive", "loss=sigmoid_cross_entropy", *NET, "steps=300"]
    made = sweep(tmp_path, *options, "data.standardize=true,false", "seed=0,1,2")
    by_unit = made.runs.groupby("data.standardize")
    assert (by_unit["final_accuracy"].min()[True], by_unit["test_accuracy"].min()[True]) > (0.9, 0.8)
    assert by_unit["final_accuracy"].max()[False] < by_unit["final_accuracy"].min()[True]
    assert made.layers.query("step == 0").groupby("run_id")["layer"].max().eq(3).all()
    (raw, other) = made.provenance["data"]
    assert raw["classes"] == other["classes"] == ["0", "1"]
    assert raw["features"] == ["age", "sugar", "pressure"]


def test_a_target_of_hundreds_of_thousands_is_out_of_reach_and_in_its_own_unit_is_not(tmp_path: Path) -> None:
    options = ["data=table", f"data.path={flats(tmp_path)}", "data.target=price", "loss=mse", "data.n_samples=null", "depth=2"]
    made = sweep(tmp_path, *options, "optimizer=adam", "lr=0.001", "steps=300", "width=32", "data.standardize_target=false,true")
    loss = made.runs.set_index("data.standardize_target")["final_loss"]
    mean_square = 1e9  # less than half the variance of the prices
    assert loss[False] > mean_square
    assert loss[True] < 0.05  # half the variance is .5
    assert made.runs["final_accuracy"].isna().all()


def test_classes_by_name_are_learned(tmp_path: Path) -> None:
    made = sweep(
        tmp_path, "data=table", f"data.path={flowers(tmp_path)}", "data.target=species", "data.n_samples=null", "depth=1", "lr=0.5"
    )
    assert made.runs["test_accuracy"].iloc[0] > 0.9
    (entry,) = made.provenance["data"]
    assert entry["classes"] == ["setosa", "versicolor", "virginica"]
    assert "'site' is constant (0.1) and becomes 0" in entry["notes"]
    assert made.layers["delta_norm"].notna().all()


def test_a_broken_file_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    broken(tmp_path)
    result = here("run", "data=table", "data.path=broken.csv", "data.target=r", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.strip().splitlines()
    assert "row 3 (line 4), column 'q' is empty" in line
    assert "data.missing=drop" in line
    assert [path.name for path in tmp_path.iterdir()] == ["broken.csv"]


def test_a_moved_file_finds_the_results_and_a_changed_one_does_not(tmp_path: Path) -> None:
    flats(tmp_path)
    options = ["data=table", "data.target=price", "loss=mse", "steps=1", "depth=1", "executor=serial", "name=a", "--json"]
    first = here("run", *options, "data.path=flats.csv", cwd=tmp_path)
    (tmp_path / "flats.csv").rename(tmp_path / "moved.csv")
    second = here("run", *options, "data.path=moved.csv", cwd=tmp_path)
    assert first.returncode == second.returncode == 0, second.stderr
    assert json.loads(first.stdout)[0]["run_id"] == json.loads(second.stdout)[0]["run_id"]
    text = (tmp_path / "moved.csv").read_text()
    (tmp_path / "moved.csv").write_text(text.replace("loft", "attic"))
    third = command("run", *options, "data.path=moved.csv", cwd=tmp_path)  # a process keeps what it has read
    assert third.returncode == 2
    assert "--extend" in third.stderr


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([], "`data.path` must name a CSV, Parquet or NPZ file"),
        ([FLATS], "`data.target` must name a column of flats.csv: area, rooms, kind, price"),
        (
            [FLATS, "data.target=price"],
            "loss=softmax_cross_entropy needs classes, but data=table is a regression; use loss=mse",
        ),
        (
            [FLATS, "data.target=kind", "data.standardize_target=true"],
            "`data.standardize_target` must be false for classes",
        ),
        ([FLATS, "data.target=[price,kind]"], "of several targets each must hold numbers, but 'kind' holds words"),
        ([FLATS, "data.target=kind", "data.n_samples=[3,4]"], "`data.n_samples` must be an integer or null, got [3, 4]"),
        (
            [FLATS, "data.target=2020"],
            "`data.target` must be a word or a list of words or null, got 2020; a name that looks like",
        ),
        ([FLATS, "data.target=kind", "data.task=guess"], "`data.task` must be auto or classification or regression"),
        ([FLATS, "data.target=kind", "data.sacle=2"], "unknown key `data.sacle`"),
    ],
)
def test_a_wrong_command_is_refused_in_one_line(tmp_path: Path, overrides: list[str], words: str) -> None:
    flats(tmp_path)
    result = here("run", "data=table", *overrides, cwd=tmp_path)
    assert result.returncode == 2
    (line,) = result.stderr.strip().splitlines()
    assert words in line


def test_other_data_do_not_pay_for_reading_tables(tmp_path: Path) -> None:
    code = "import sys; from experiments.config.building import dataset; from experiments.config.files import choice; "
    code += "dataset(choice('data', 'digits')); print([name for name in ('pandas', 'pyarrow') if name in sys.modules])"
    result = run([sys.executable, "-c", code], cwd=ROOT, env=environment())
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"
