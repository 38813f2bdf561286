"""`gradstab phase`: the map agrees with the fixed points, the drawing with its table, the points with the runs."""

from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

from bpcore import theory
from bpcore.activations import gelu, relu, tanh
from experiments.cli import main
from experiments.figures import phase_diagram
from experiments.figures.style.look import STYLE
from experiments.statistics.groups import varying
from experiments.theory import phase
from tests.experiments.conftest import made


@pytest.mark.parametrize("phi", [tanh(), relu(), gelu()], ids=lambda phi: phi.name)
def test_the_map_is_that_of_the_fixed_points(phi) -> None:
    bias, weight = np.array([0.02, 0.31]), np.array([0.4, 1.7, 2.05, 3.9])
    q, chi = phase.phase_map(phi, bias, weight)
    for i, sigma_w2 in enumerate(weight):
        for j, sigma_b2 in enumerate(bias):
            exact = theory.limit(phi, sigma_w2, sigma_b2, sigma_w2 + sigma_b2)
            assert q[i, j] == pytest.approx(exact, rel=1e-3)
            at = exact if np.isfinite(exact) else 1e12
            assert chi[i, j] == pytest.approx(theory.chi(phi, at, sigma_w2), rel=1e-3)


def test_the_edge_is_where_the_map_changes_sides() -> None:
    table = phase.diagram("tanh", tanh())
    edge, cells = table[table["kind"] == "edge"], table[table["kind"] == "cell"]
    border = np.interp(cells["sigma_b2"], edge["sigma_b2"], edge["sigma_w2"])
    away = np.abs(cells["sigma_w2"] - border) > 0.01
    assert ((cells["chi_1"] > 1) == (cells["sigma_w2"] > border))[away].all()
    # 1 but for the last bit of the quadrature's weights, which are a LAPACK's
    assert table.loc[table["kind"] == "critical", "sigma_w2"].tolist() == pytest.approx([1.0], rel=4 * np.finfo(float).eps, abs=0)
    linear = phase.diagram("relu", relu())
    assert set(linear["kind"]) == {"cell", "critical"}
    assert np.isinf(linear.loc[linear["sigma_w2"] > 2.001, "q"]).all()


@pytest.fixture(scope="module")
def plane(base, tmp_path_factory: pytest.TempPathFactory):
    axes = ["activation=tanh,leaky_relu", "normalization=none,batch", "init.scale=0.7,1.6", "init.bias_std=0,0.3", "seed=0,1"]
    return made(base, tmp_path_factory.mktemp("plane") / "results", [*axes, "depth=4", "steps=0"])


@pytest.mark.parametrize("phi", [tanh(), relu()], ids=lambda phi: phi.name)
def test_dropped_units_move_the_map_along_the_weights(phi) -> None:
    """q* and χ are those of σ_w²/p, but for where q begins; the edge lies at p times its σ_w²."""
    bias, weight, keep = np.array([0.02, 0.31]), np.array([0.4, 0.9, 1.7]), 0.5
    q, chi = phase.phase_map(phi, bias, weight, keep)
    for i, sigma_w2 in enumerate(weight):
        for j, sigma_b2 in enumerate(bias):
            exact = theory.limit(phi, sigma_w2 / keep, sigma_b2, sigma_w2 + sigma_b2)
            assert q[i, j] == pytest.approx(exact, rel=1e-3)
            assert chi[i, j] == pytest.approx(theory.chi(phi, min(exact, 1e12), sigma_w2 / keep), rel=1e-3)
    whole, dropped = phase.diagram(phi.name, phi), phase.diagram(phi.name, phi, keep=keep)
    for kind in {"edge", "critical"} & set(whole["kind"]):
        one, other = (table[table["kind"] == kind] for table in (whole, dropped))
        np.testing.assert_allclose(other["sigma_w2"].iloc[:9], keep * one["sigma_w2"].iloc[:9], rtol=1e-12)


def test_points_of_another_rate_are_another_diagram(base, tmp_path) -> None:
    results = made(base, tmp_path / "results", ["activation=relu", "dropout.rate=0,0.5", "init.scale=0.7,1,1.6", "depth=4", "steps=0"])
    found = phase.measured(results)
    assert [(name, keep) for name, (_, _, keep) in found.items()] == [("relu", 1.0), ("relu dropout.rate=0.5", 0.5)]
    at_one = [frame.loc[frame["sigma_w2"] == 1, "factor"].item() for _, frame, _ in found.values()]
    assert at_one[0] < 0.9 < at_one[1]
    drawn = phase_diagram.table(results, varying(results.runs))
    assert drawn is not None
    critical = drawn.frame[drawn.frame["kind"] == "critical"].set_index("activation")["sigma_w2"]
    np.testing.assert_allclose(critical, [2.0, 1.0], rtol=1e-12)


def test_points_are_the_geometric_means_of_the_runs(plane) -> None:
    found = phase.measured(plane)
    assert list(found) == ["tanh", "leaky_relu alpha=0.1"]
    points = found["tanh"][1]
    runs = plane.runs[(plane.runs["activation"] == "tanh") & (plane.runs["normalization"] == "none")]
    expected = runs.groupby(["init.bias_std", "init.scale"])["delta_factor"].agg(lambda factors: np.sqrt(factors.prod()))
    np.testing.assert_allclose(points["factor"], expected.to_numpy(), rtol=1e-12)
    np.testing.assert_allclose(points["sigma_b2"], [0, 0, 0.09, 0.09], rtol=1e-12)
    np.testing.assert_allclose(points["sigma_w2"], [0.49, 2.56] * 2, rtol=1e-12)
    assert (points["n"] == 2).all()


def test_the_figure_draws_its_table(plane) -> None:
    table = phase_diagram.table(plane, varying(plane.runs))
    assert table is not None
    with matplotlib.rc_context(STYLE):
        drawn = phase_diagram.draw(table)
    panels = [axes for axes in drawn.axes if axes.get_label() != "<colorbar>"]
    assert [axes.get_title(loc="left") for axes in panels] == ["tanh", "leaky_relu alpha=0.1"]
    for axes, name in zip(panels, ("tanh", "leaky_relu alpha=0.1"), strict=True):
        own = table.frame[table.frame["activation"] == name]
        (points,) = [collection for collection in axes.collections if collection.get_gid() == "measured"]
        measured = own[own["kind"] == "measured"]
        np.testing.assert_array_equal(points.get_offsets(), measured[["sigma_b2", "sigma_w2"]].to_numpy())
        edges = [line for line in axes.lines if line.get_gid() == "edge"]
        assert len(edges) == (name == "tanh")
        for line in edges:
            np.testing.assert_array_equal(line.get_ydata(), own.loc[own["kind"] == "edge", "sigma_w2"])
    assert "8 runs" in phase_diagram.caption(replace(table, frame=table.frame[table.frame["activation"] == "tanh"]))


def test_it_does_not_apply_where_the_plane_is_not_crossed(samples) -> None:
    for name in ("seeds_alone", "two_axes", "inert_axis"):
        assert phase_diagram.table(samples[name], varying(samples[name].runs)) is None


def test_the_command_writes_three_files(plane, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["phase", "activation=tanh", str(plane.path), "--output", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["tanh.csv", "tanh.png", "tanh.svg"]
    assert len(capsys.readouterr().out.splitlines()) == 3
    written = pd.read_csv(tmp_path / "out" / "tanh.csv")
    assert (written["kind"] == "measured").sum() == 4
    assert main(["phase", "activation=tanh", f"results_dir={tmp_path}"]) == 0
    assert (tmp_path / "phase" / "tanh.svg").is_file()


@pytest.mark.parametrize("arguments", [["activation=nonesuch"], ["results/none/such"], ["a", "b"], ["activation=gelu", "PLANE"]])
def test_bad_input_is_one_line(plane, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    words = [str(plane.path) if word == "PLANE" else word for word in arguments]
    assert main(["phase", *words, "--output", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert not (tmp_path / "out").exists()


def test_two_swept_keys_have_a_plane_of_predictions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    swept = ["skip=preactivation", "activation=relu", "init=he", "width=8", "depth=4,9,14", "skip.scale=0.5,1"]
    assert main(["phase", "-m", *swept, "--output", str(tmp_path)]) == 0
    assert [Path(line).name for line in capsys.readouterr().out.split()] == [f"depth-skip.scale.{kind}" for kind in ("png", "svg", "csv")]
    table = pd.read_csv(tmp_path / "depth-skip.scale.csv")
    assert table["mean"].to_numpy() == pytest.approx(np.sqrt(1 + table["skip.scale"] ** 2), rel=1e-9)
    assert sorted(set(table["depth"])) == [4, 9, 14]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-m", "depth=2,3"], "phase -m draws over two swept keys, got 1: depth; sweep two, as in depth=10,20 skip.scale=0.5,1"),
        (["-m", "depth=2,3", "width=4,5", "init=he,xavier"], "got 3: depth, width, init"),
        (["skip=block", "depth=3"], "phase draws the plane of a plain net, got skip=block"),
    ],
)
def test_what_has_no_plane_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["phase", *words]) == 2
    assert said in capsys.readouterr().err
