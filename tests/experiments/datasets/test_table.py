import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.datasets import reading
from experiments.datasets.table import table
from experiments.errors import UserError
from tests.experiments.datasets.tables import broken, clinic, flats, flowers, written


def line(error: pytest.ExceptionInfo[Exception]) -> str:
    """Return the error's text, which must be one line."""
    text = str(error.value)
    assert "\n" not in text
    return text


class TestTwoClasses:
    def test_they_share_one_output(self, tmp_path: Path) -> None:
        path = clinic(tmp_path)
        data = table(str(path), "positive", test_fraction=0.25)
        frame = pd.read_csv(path)
        assert (data.x.shape, data.y.shape, data.test_x.shape, data.test_y.shape) == ((3, 90), (1, 90), (3, 30), (1, 30))
        assert (data.classes, data.names.classes, data.names.features) == (2, ("0", "1"), ("age", "sugar", "pressure"))
        assert data.y.sum() + data.test_y.sum() == frame["positive"].sum()

    def test_or_have_one_each(self, tmp_path: Path) -> None:
        path = str(clinic(tmp_path))
        one, two = table(path, "positive"), table(path, "positive", outputs="one_hot")
        np.testing.assert_array_equal(two.y, np.concatenate([1 - one.y, one.y]))

    def test_words_are_told_in_their_order(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.csv", "x,y", [f"{i},{'yes' if i % 3 else 'no'}" for i in range(9)])
        data = table(str(path), "y", test_fraction=0.0)
        assert data.names.classes == ("no", "yes")
        assert "target 'y' has 2 classes: no, yes" in data.notes
        assert data.y.sum() == 6

    def test_three_cannot_share_one(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="`outputs` must be one_hot with 3 classes"):
            table(str(flowers(tmp_path)), "species", outputs="one")


class TestClassesByName:
    def test_every_class_has_its_output(self, tmp_path: Path) -> None:
        path = flowers(tmp_path)
        data = table(str(path), "species", standardize=False, test_fraction=0.0)
        assert data.names.classes == ("setosa", "versicolor", "virginica")
        frame = pd.read_csv(path)
        by_petal = {row.petal: row.species for row in frame.itertuples()}
        for x, y in zip(data.x.T, data.y.T, strict=True):
            assert data.names.classes[int(y.argmax())] == by_petal[x[1]]
        np.testing.assert_array_equal(data.y.sum(axis=0), 1)

    def test_a_constant_column_is_said_and_becomes_0(self, tmp_path: Path) -> None:
        data = table(str(flowers(tmp_path)), "species")
        assert "'site' is constant (0.1) and becomes 0" in data.notes
        assert (data.x[2] == 0).all()  # 0.1 has no exact mean: dividing by its tiny deviation would give ±1
        assert np.isfinite(data.x).all()

    def test_a_class_that_is_not_trained_on_is_said(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.csv", "x,y", [*(f"{i},{'ab'[i % 2]}" for i in range(20)), "3,rare"])
        notes = {seed: table(str(path), "y", seed=seed, test_fraction=0.5).notes for seed in range(8)}
        assert {"no training example of rare" in note for note in notes.values()} == {True, False}


class TestRegression:
    def test_words_become_one_hot(self, tmp_path: Path) -> None:
        path = flats(tmp_path)
        data = table(str(path), "price", standardize=False, test_fraction=0.0)
        assert data.names.features == ("area", "rooms", "kind=loft", "kind=new", "kind=old")
        assert "'kind' is one-hot: loft, new, old" in data.notes
        frame = pd.read_csv(path)
        rows = {(row.area, row.rooms, row.price): row.kind for row in frame.itertuples()}
        for x, y in zip(data.x.T, data.y[0], strict=True):
            assert ("loft", "new", "old")[int(x[2:].argmax())] == rows[x[0], x[1], y]
        np.testing.assert_array_equal(data.x[2:].sum(axis=0), 1)

    def test_the_target_stays_as_it_is_or_is_standardized_by_the_training_examples(self, tmp_path: Path) -> None:
        path = str(flats(tmp_path))
        raw, scaled = table(path, "price"), table(path, "price", standardize_target=True)
        np.testing.assert_allclose([scaled.y.mean(), scaled.y.std()], [0, 1], atol=1e-14)
        np.testing.assert_allclose(scaled.test_y, (raw.test_y - raw.y.mean()) / raw.y.std(), rtol=1e-12)
        (note,) = (note for note in scaled.notes if "standardized" in note)
        assert f"{raw.y.var():.4g}" in note

    def test_several_targets(self, tmp_path: Path) -> None:
        data = table(str(flats(tmp_path)), ["price", "rooms"])
        assert data.y.shape[0] == 2
        assert data.names.targets == ("price", "rooms")
        assert data.classes is None
        assert data.names.features == ("area", "kind=loft", "kind=new", "kind=old")

    def test_chosen_features_in_their_order(self, tmp_path: Path) -> None:
        data = table(str(flats(tmp_path)), "price", features=["rooms", "area"])
        assert data.names.features == ("rooms", "area")
        assert data.x.shape[0] == 2

    def test_raw_units_on_purpose(self, tmp_path: Path) -> None:
        path = str(clinic(tmp_path))
        raw = table(path, "positive", standardize=False)
        np.testing.assert_array_equal(table(path, "positive", standardize=False, scale=255.0).x, raw.x * 255)
        np.testing.assert_array_equal(table(path, "positive", scale=3.0).x, table(path, "positive").x * 3)
        assert raw.x.max() > 100


class TestDivision:
    def test_training_and_test_examples_are_all_rows(self, tmp_path: Path) -> None:
        path = flats(tmp_path)
        data = table(str(path), "price", test_fraction=0.3, standardize=False)
        assert sorted([*data.y[0], *data.test_y[0]]) == sorted(pd.read_csv(path)["price"])
        assert data.test_y.shape[1] == 36

    def test_the_seed_decides(self, tmp_path: Path) -> None:
        path = str(flats(tmp_path))
        assert table(path, "price").checksum == table(path, "price").checksum
        assert table(path, "price").checksum != table(path, "price", seed=1).checksum

    def test_fewer_examples_are_the_first_of_more_and_are_tested_on_the_same(self, tmp_path: Path) -> None:
        path = str(flats(tmp_path))
        few, all_of_them = (table(path, "price", n_samples=n, standardize=False) for n in (10, None))
        np.testing.assert_array_equal(few.x, all_of_them.x[:, :10])
        np.testing.assert_array_equal(few.test_x, all_of_them.test_x)

    def test_features_are_standardized_by_the_training_examples(self, tmp_path: Path) -> None:
        path = str(clinic(tmp_path))
        raw, data = table(path, "positive", standardize=False), table(path, "positive")
        np.testing.assert_allclose(data.x.mean(axis=1), 0, atol=1e-14)
        np.testing.assert_allclose(data.x.std(axis=1), 1)
        mean, std = raw.x.mean(axis=1, keepdims=True), raw.x.std(axis=1, keepdims=True)
        np.testing.assert_allclose(data.test_x, (raw.test_x - mean) / std, rtol=1e-12)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"n_samples": 97}, "`data.n_samples` must be at most 96, .*120 rows.* got 97"),
            ({"n_samples": 0}, "`n_samples` must be an integer ≥ 1 or null, got 0"),
            ({"test_fraction": 1.0}, "`test_fraction` must be a number from 0 to below 1"),
            ({"test_fraction": 0.999}, "`data.n_samples` must be|leaves none for training"),
            ({"seed": -1}, "`seed` must be an integer ≥ 0"),
            ({"task": "guess"}, "`task` must be auto or classification or regression"),
            ({"missing": "zero"}, "`missing` must be error or drop or mean"),
            ({"scale": 0.0}, "`scale` must be a finite number other than 0"),
            ({"standardize_target": True}, "`standardize_target` must be false for classes"),
        ],
    )
    def test_what_is_out_of_range_is_refused(self, tmp_path: Path, options: dict[str, Any], words: str) -> None:
        with pytest.raises((UserError, ValueError), match=words) as error:
            table(str(clinic(tmp_path)), "positive", **options)
        line(error)


class TestMissing:
    def test_the_first_cell_is_named_with_its_row_line_and_column_and_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(UserError) as error:
            table(str(broken(tmp_path)), "r")
        assert "row 3 (line 4), column 'q' is empty" in line(error)
        assert "1 more: row 4 (line 5), column 'q' holds 'x', no number" in line(error)
        assert "data.missing=drop" in line(error)

    def test_what_is_no_number_is_no_gap(self, tmp_path: Path) -> None:
        for missing in ("drop", "mean"):
            with pytest.raises(UserError, match=r"row 4 \(line 5\), column 'q' holds 'x', no number; correct it, or leave the column out"):
                table(str(broken(tmp_path)), "r", missing=missing)

    def gappy(self, folder: Path) -> str:
        return str(written(folder / "a.csv", "a,k,y", ["1,u,10", "NA,v,11", "3,,12", "5,u,", "7,v,14", "9,u,15.5"]))

    def test_rows_are_dropped(self, tmp_path: Path) -> None:
        data = table(self.gappy(tmp_path), "y", missing="drop", test_fraction=0.0, standardize=False)
        assert sorted(data.y[0]) == [10, 14, 15.5]
        assert "3 rows with empty cells are left out" in data.notes

    def test_features_take_the_mean_of_the_training_examples(self, tmp_path: Path) -> None:
        path = str(written(tmp_path / "a.csv", "a,k,y", ["1,u,10", "NA,v,11.5", "3,,12", "7,v,14", "9,u,15"]))
        data = table(path, "y", missing="mean", test_fraction=0.0, standardize=False)
        found = {y: x for x, y in zip(data.x.T.tolist(), data.y[0], strict=True)}
        assert found[11.5] == [5, 0, 1]
        assert found[12] == [3, 0.5, 0.5]
        held = table(path, "y", missing="mean", test_fraction=0.4, standardize=False)
        known = [x for x, y in zip(held.x[0], held.y[0], strict=True) if y != 11.5]
        everything = dict(zip([*held.y[0], *held.test_y[0]], [*held.x[0], *held.test_x[0]], strict=True))
        assert everything[11.5] == np.mean(known)

    def test_a_target_is_never_made_up(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"row 4 \(line 5\), column 'y' is empty, and a target is not to be made up.*data.missing=drop"):
            table(self.gappy(tmp_path), "y", missing="mean")

    def test_a_column_without_a_cell_has_no_mean(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.csv", "a,b,y", ["1,,2", "2,,3.5", "3,,4"])
        with pytest.raises(UserError, match="column 'b' is empty in every training example"):
            table(str(path), "y", missing="mean")
        with pytest.raises(UserError, match="every row has an empty cell"):
            table(str(path), "y", missing="drop")


class TestIdentity:
    def test_the_same_content_elsewhere_is_the_same(self, tmp_path: Path) -> None:
        path = flats(tmp_path)
        (tmp_path / "there").mkdir()
        other = tmp_path / "there" / "other.txt"
        other.write_bytes(path.read_bytes())
        assert table(str(path), "price").checksum == table(str(other), "price").checksum

    def test_the_same_table_in_another_format_is_the_same(self, tmp_path: Path) -> None:
        path = flats(tmp_path)
        pd.read_csv(path).to_parquet(tmp_path / "flats.parquet")
        pd.read_csv(path).to_csv(tmp_path / "flats.tsv", sep="\t", index=False)
        assert {table(str(tmp_path / f"flats.{kind}"), "price").checksum for kind in ("csv", "parquet", "tsv")} == {
            table(str(path), "price").checksum
        }

    @pytest.mark.parametrize(("old", "new"), [("loft", "attic"), ("area", "surface"), ("0\n", "1\n")])
    def test_a_changed_file_is_another(self, tmp_path: Path, old: str, new: str) -> None:
        path = flats(tmp_path)
        before, text = table(str(path), "price").checksum, path.read_text()
        path.write_text(text.replace(old, new, 1))
        assert path.read_text() != text
        assert table(str(path), "price").checksum != before

    def test_numbers_are_read_to_the_last_bit(self, tmp_path: Path) -> None:
        values = np.random.default_rng(0).standard_normal(200) * 10.0 ** np.arange(-100, 100)
        path = written(tmp_path / "a.csv", "x,y", [f"{float(value)!r},{i / 7!r}" for i, value in enumerate(values)])
        data = table(str(path), "y", standardize=False, test_fraction=0.0)
        assert hashlib.sha256(np.sort(data.x[0]).tobytes()).digest() == hashlib.sha256(np.sort(values).tobytes()).digest()


class TestLarge:
    def test_a_million_rows_are_refused_with_a_word_or_sampled_with_one(self, tmp_path: Path) -> None:
        path = tmp_path / "large.csv"
        path.write_text("a,y\n" + "1.5,0\n2.5,1\n" * 500_000)
        with pytest.raises(UserError, match=r"has 1 million rows; .*data.n_samples=10000"):
            table(str(path), "y")
        data = table(str(path), "y", n_samples=400)
        assert data.x.shape == (1, 400)
        assert any("500 of its rows are drawn with data.seed" in note for note in data.notes)
        assert table(str(path), "y", n_samples=400, seed=1).checksum != data.checksum
        assert table(str(path), "y", n_samples=400).checksum == data.checksum

    def test_a_sample_is_of_rows_that_are_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        paths = [tmp_path / f"a.{kind}" for kind in ("csv", "parquet", "npz")]
        numbers = np.arange(300) + 0.5
        frame = pd.DataFrame({"x0": numbers, "y": 2 * numbers})
        frame.to_csv(paths[0], index=False)
        frame.to_parquet(paths[1], row_group_size=70)
        np.savez(paths[2], x=numbers, y=2 * numbers)
        monkeypatch.setattr(reading, "MOST_ROWS", 200)
        found = [table(str(path), "y", n_samples=40, test_fraction=0.2, standardize=False) for path in paths]
        for data in found:
            np.testing.assert_array_equal(data.y, 2 * data.x)
            assert len(set(data.x[0]) | set(data.test_x[0])) == 50
            assert set(data.x[0]) <= set(numbers)
        assert len({data.checksum for data in found}) == 1

    def test_bytes_and_memory_count_as_well(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = str(flats(tmp_path))
        monkeypatch.setattr(reading, "MOST_BYTES", 1000)
        with pytest.raises(UserError, match=r"has .* GB; say how many"):
            table(path, "price")
        monkeypatch.setattr(reading, "MOST_BYTES", 10**9)
        monkeypatch.setattr(reading, "_room", lambda: 1000.0)
        with pytest.raises(UserError, match=r"needs about .* of memory"):
            table(path, "price")
        with pytest.raises(UserError, match=r"data.n_samples asks for too many"):
            table(path, "price", n_samples=90)


def test_without_a_path_it_says_how() -> None:
    with pytest.raises(ValueError, match=r"`path` must name a CSV, Parquet or NPZ file, as in data.path=flats.csv"):
        table()


def test_without_a_seed_the_rows_stand_as_they_are_and_the_last_are_held_out(tmp_path: Path) -> None:
    path = str(written(tmp_path / "a.csv", "x,y", [f"{i},{i % 2}" for i in range(10)]))
    data = table(path, "y", test_fraction=0.3, seed=None, standardize=False)
    assert data.x[0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert data.test_x is not None
    assert data.test_x[0].tolist() == [7, 8, 9]
    assert table(path, "y", test_fraction=0.3, standardize=False).x[0].tolist() != data.x[0].tolist()
    fewer = table(path, "y", test_fraction=0.3, seed=None, standardize=False, n_samples=4)
    assert fewer.x[0].tolist() == [0, 1, 2, 3]
