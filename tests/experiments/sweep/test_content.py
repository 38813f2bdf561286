"""What a stack left: its tables hold what the core measured, its snapshots what another framework needs."""

import json

import numpy as np
import pytest

from bpcore.layers import Layers
from bpcore.measure.columns import Column, ColumnError
from bpcore.mlp import backward, forward
from bpcore.network import Network
from experiments.compose.composition import compose, runs_of
from experiments.store.columns import RUN_RESULTS, TABLES
from experiments.store.parts import PART_SCHEMAS
from experiments.sweep import content, tile
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS
from tests.experiments.helpers import TINY, sweep

PROBED = ("record.extended=true", "record.gradient_cosine=true", "record.a_rank=true", "record.sharpness=true")
RECORDED = {
    "probed": ("activation=relu", "clip=norm", "clip.threshold=0.1", *PROBED),
    "linear": ("activation=identity", "data=gaussian", "loss=mse", "record.modes=true", "weight_decay=0.1"),
}


def in_order(measured):
    """Return the order of a table's rows: quantities of histograms stand by their name."""
    if "quantity" not in measured:
        return slice(None)
    return np.lexsort((measured["bin_low"], measured["quantity"].astype(str), measured["layer"], measured["step"]))


@pytest.mark.parametrize("recorded", RECORDED)
def test_the_tables_hold_what_the_core_measured(tmp_path, monkeypatch, recorded):
    left = {}

    def keep(runs, record, theory):
        left.update({run.run_id: record.of(place) for place, run in enumerate(runs)})
        return content.content_of(runs, record, theory)

    monkeypatch.setattr(tile, "content_of", keep)
    results = sweep(tmp_path, "depth=2,3", "seed=0,1", "steps=3", "record=full", "batch_size=20", *RECORDED[recorded])
    assert left.keys() == set(results.runs["run_id"])
    for row in results.runs.to_dict("records"):
        record = left[row["run_id"]]
        for name in TABLES:
            measured, table = getattr(record, name), getattr(results, name)
            own = table[table["run_id"] == row["run_id"]]
            for column in set(TABLES[name]) - {"run_id", "job", "delta_norm_theory"}:
                np.testing.assert_array_equal(own[column].to_numpy(), measured[column][in_order(measured)], err_msg=f"{name}.{column}")
        for name in ("final_loss", "final_accuracy", "test_accuracy"):
            np.testing.assert_array_equal(row[name], getattr(record, name))
        if recorded == "probed":  # no two columns are alike, so that none can stand in another's place
            for table in (record.layers, record.steps):
                values = {name: column.tobytes() for name, column in table.items() if not np.isnan(column).all()}
                assert len(set(values.values())) == len(values)


def test_a_snapshot_holds_what_another_framework_needs(tmp_path):
    results = sweep(
        tmp_path, "depth=2", "activation=tanh", "normalization=batch", "record.snapshot=0", "steps=1", "weight_decay=0.1", multirun=False
    )
    (path,) = results.path.glob("snapshot_*.npz")
    assert path.name == f"snapshot_{results.runs['run_id'].iloc[0]}.npz"
    arrays = np.load(path)
    config = json.loads(str(arrays["config"]))
    assert config["normalization"] == {"name": "batch", "eps": 1e-5, "momentum": 0.1, "place": "before"}
    assert (config["loss"]["name"], config["width"], config["weight_decay"]) == ("softmax_cross_entropy", 8, 0.1)
    sizes = (len(arrays["x"]), 8, 8, len(arrays["y"]))
    tanh, identity = ACTIVATIONS["tanh"](), ACTIVATIONS["identity"]()
    network = Network(sizes, tanh, identity, LOSSES["softmax_cross_entropy"](), NORMALIZATIONS["batch"]())
    kinds = {"W": (1, 2, 3), "b": (1, 2, 3), "gamma": (1, 2), "beta": (1, 2)}
    params = Layers(**{kind: {l: arrays[f"{kind}{l}"][None] for l in layers} for kind, layers in kinds.items()})
    trace = forward(network, params, arrays["x"][None])
    delta, gradients = backward(network, params, trace, arrays["y"][None], np.full((1, 1, 1), 0.1))
    again = {f"d{kind}{l}": array for (kind, l), array in gradients.items()}
    for l in (1, 2, 3):
        again |= {f"z{l}": trace.z[l], f"a{l}": trace.a[l], f"delta{l}": delta[l]}
    assert set(arrays.files) == {"x", "y", "config", *(f"{kind}{l}" for (kind, l), _ in params.items())} | set(again)
    for name, values in again.items():
        like = f"delta{name[-1]}" if name in ("db1", "db2") else name  # the mean of δ is zero by construction
        assert np.linalg.norm(arrays[name] - values[0]) <= 1e-12 * np.linalg.norm(again[like]), name
    step0 = results.layers[results.layers["step"] == 0].set_index("layer")
    for l in (1, 2, 3):
        norm = np.sqrt((arrays[f"delta{l}"] ** 2).sum(axis=0).mean())
        assert norm == pytest.approx(step0.loc[l, "delta_norm"], rel=1e-12)
        assert np.linalg.norm(arrays[f"dW{l}"]) == pytest.approx(step0.loc[l, "weight_grad_norm"], rel=1e-12)


def layers(rows=2):
    return {field.name: np.zeros(rows) if str(field.type) == "double" else np.zeros(rows, dtype=int) for field in PART_SCHEMAS["layers"]}


class TestColumns:
    def test_a_column_that_is_not_there(self):
        content._arrow("layers", layers())
        for name in layers():
            with pytest.raises(ColumnError, match=f"column `{name}` of layers is declared, but the tile does not make it"):
                content._arrow("layers", {key: values for key, values in layers().items() if key != name})

    def test_a_column_that_is_not_declared(self):
        with pytest.raises(ColumnError, match="column `curl` of layers is made by the tile, but not declared"):
            content._arrow("layers", layers() | {"curl": np.zeros(2)})

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"luck": Column("luck", "of nothing")}, "`luck` of runs is declared, but the tile does not make it"),
            ({"final_loss": None}, "`final_loss` of runs is made by the tile, but not declared"),
        ],
        ids=["more", "fewer"],
    )
    def test_a_result_that_one_side_lacks(self, tmp_path, monkeypatch, change, fault):
        composed = compose([], [*TINY, f"results_dir={tmp_path}", "depth=2", "steps=0"])
        runs, _ = runs_of(composed)
        monkeypatch.setattr(content, "RUN_RESULTS", {name: column for name, column in (RUN_RESULTS | change).items() if column is not None})
        with pytest.raises(ColumnError, match=f"column {fault}"):
            tile.run_tile(runs)

    def test_a_sweep_says_which_column_is_lacking(self, tmp_path, monkeypatch):
        monkeypatch.setattr(content, "PREDICTED", Column("guess", "of nothing"))
        runs = sweep(tmp_path, "depth=2", "steps=0", multirun=False).runs
        assert runs["status"].tolist() == ["failed"]
        assert "column `delta_norm_theory` of layers is declared, but the tile does not make it" in runs["error"][0]
