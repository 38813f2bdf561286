import itertools

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from bpcore.activations import leaky_relu
from experiments.store.columns import RUN_RESULTS, SORT, TABLES
from experiments.store.tables import SCHEMAS
from tests.experiments.helpers import sweep


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return sweep(folder, "depth=2,3", "activation=tanh,leaky_relu", "clip=none,norm", "normalization=batch", "steps=3", "record.every=2")


class TestSchema:
    @pytest.mark.parametrize("name", TABLES)
    def test_columns_are_the_declared_ones_in_order(self, results, name):
        assert pq.read_schema(results.path / f"{name}.parquet").equals(SCHEMAS[name])
        assert list(SCHEMAS[name].names) == list(TABLES[name])

    def test_runs_hold_identity_config_and_results(self, results):
        columns = list(results.runs.columns)
        assert columns[:2] == ["run_id", "job"]
        assert columns[-len(RUN_RESULTS) :] == list(RUN_RESULTS)
        expected = {
            "depth", "width", "activation", "activation.alpha", "init", "init.scale", "init.bias_std", "init.distribution",
            "normalization", "normalization.eps", "loss", "output_activation", "lr", "bias_lr_factor", "weight_decay", "optimizer",
            "clip", "clip.threshold", "data", "data.n_samples", "data.seed", "data.standardize", "batch_size", "steps", "seed",
            "dtype", "numerics", "record", "record.every", "record.snapshot",
        }  # fmt: skip
        assert expected <= set(columns)
        assert not {"name", "results_dir", "executor"} & set(columns)

    def test_runs_hold_what_was_asked_for_and_what_it_leaves_open(self, results):
        asked = itertools.product([2, 3], ["tanh", "leaky_relu"], ["none", "norm"])
        expected = pd.DataFrame(asked, columns=["depth", "activation", "clip"])
        pd.testing.assert_frame_equal(results.runs[list(expected.columns)], expected)
        shared = {"width": 8, "data.n_samples": 50, "normalization": "batch", "normalization.eps": 1e-5, "steps": 3, "record.every": 2}
        for name, value in shared.items():
            assert results.runs[name].eq(value).all(), name
        leaky = results.runs["activation"] == "leaky_relu"
        assert results.runs.loc[leaky, "activation.alpha"].eq(float(leaky_relu().prime(np.array(-1.0)))).all()

    def test_dtypes(self, results):
        assert results.runs["job"].dtype == "int64"
        assert results.runs["diverged_at_step"].dtype == "Int64"
        assert results.runs["init.scale"].dtype == "float64"
        for name in ("delta_norm", "z_mean", "delta_norm_theory"):
            assert results.layers[name].dtype == "float64"
        assert results.layers["finite"].dtype == "bool"
        assert results.steps["clipped"].dtype == "bool"
        assert results.histograms["count"].dtype == "int64"

    @pytest.mark.parametrize("name", SORT)
    def test_rows_are_sorted(self, results, name):
        frame = getattr(results, name)
        pd.testing.assert_frame_equal(frame, frame.sort_values(SORT[name], kind="stable", ignore_index=True))

    def test_keys_of_other_choices_are_empty(self, results):
        tanh = results.runs[results.runs["activation"] == "tanh"]
        assert tanh["activation.alpha"].isna().all()
        assert results.runs.loc[results.runs["clip"] == "norm", "clip.threshold"].eq(1.0).all()

    def test_rows_stand_at_the_recorded_steps_and_layers(self, results):
        for _, run in results.runs.iterrows():
            own = results.layers[results.layers["run_id"] == run["run_id"]]
            assert own["step"].unique().tolist() == [0, 2, 3]
            assert own[own["step"] == 0]["layer"].tolist() == list(range(run["depth"] + 2))

    def test_the_mean_delta_is_empty_under_batch_normalization(self, results):
        merged = results.layers.merge(results.runs[["run_id", "depth"]], on="run_id")
        hidden = merged["layer"].between(1, merged["depth"])
        assert merged.loc[hidden, "delta_mean_norm"].isna().all()
        assert merged.loc[merged["layer"] > merged["depth"], "delta_mean_norm"].notna().all()

    def test_the_input_gradients_mean_is_empty_behind_a_normalized_layer(self, results):
        assert results.layers.loc[results.layers["layer"] == 0, "delta_mean_norm"].isna().all()

    def test_light_leaves_costly_columns_empty_in_between_but_for_those_that_are_glanced_at(self, results):
        hidden = results.layers[results.layers["layer"] > 0]
        between = hidden["step"] == 2
        for name in ("z_mean", "z_var", "a_mean", "a_var", "equal_units", "zero", "saturated", "dead"):
            glanced = name in ("saturated", "dead")  # step 2 is row 1
            assert (hidden.loc[between, name].notna() if glanced else hidden.loc[between, name].isna()).all(), name
            assert hidden.loc[~between, name].notna().all(), name
        assert hidden.loc[between, "delta_norm"].notna().all()

    def test_histograms_count_every_entry(self, results):
        first = results.histograms[(results.histograms["job"] == 0) & (results.histograms["layer"] == 1)]
        totals = first.groupby(["step", "quantity"])["count"].sum()
        assert set(totals) == {8 * 50}


def test_full_fills_every_row(tmp_path):
    results = sweep(tmp_path, "depth=2", "steps=2", "record=full", multirun=False)
    hidden = results.layers[results.layers["layer"] > 0]
    assert hidden[["z_mean", "saturated", "dead", "zero"]].notna().all(axis=None)


def test_sharpness_is_recorded_where_asked_for(tmp_path):
    results = sweep(
        tmp_path, "loss=mse", "data=chebyshev", "depth=1", "steps=1", "record.sharpness=true", multirun=False
    )  # fmt: skip
    assert (results.steps["sharpness"] > 0).all()


def test_predictions_stand_at_step_0_where_theory_applies(tmp_path):
    results = sweep(tmp_path, "normalization=none,batch", "depth=3", "steps=1", "width=64", "data.n_samples=200")
    start = results.layers[results.layers["step"] == 0]
    np.testing.assert_allclose(start["delta_norm_theory"], start["delta_norm"], rtol=0.4)
    assert results.layers.loc[results.layers["step"] > 0, "delta_norm_theory"].isna().all()
    np.testing.assert_allclose(results.runs["delta_factor_theory"], results.runs["delta_factor"], rtol=0.1)


def test_no_prediction_where_there_is_no_theory(tmp_path):
    results = sweep(tmp_path, "init=constant", "init.bias_std=0.5", "depth=3", "steps=0", multirun=False)
    assert results.layers["delta_norm_theory"].isna().all()
    assert results.runs["delta_factor_theory"].isna().all()
