"""What is said of a sweep's making is true."""

import importlib
import itertools
import json
import os
import platform
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

import experiments
from experiments.config.identity import ARITHMETIC_VERSION
from experiments.datasets.digits import digits
from tests.experiments.helpers import sweep
from tests.processes import run


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return sweep(tmp_path_factory.mktemp("results"), "depth=1,2", "activation=tanh,relu", "clip=none,norm", "steps=1")


@pytest.fixture
def provenance(results):
    return json.loads((results.path / "provenance.json").read_text())


def test_of_the_runs(results, provenance):
    assert [entry["run_id"] for entry in provenance["sweep"]] == results.runs["run_id"].tolist()
    asked = itertools.product([1, 2], ["tanh", "relu"], ["none", "norm"])
    for entry, (depth, activation, clip) in zip(provenance["sweep"], asked, strict=True):
        assert {f"depth={depth}", f"activation={activation}", f"clip={clip}", "steps=1"} <= set(entry["overrides"])
    assert provenance["command"] == "test"
    assert provenance["arithmetic_version"] == ARITHMETIC_VERSION


def test_of_the_data(provenance):
    (entry,) = provenance["data"]
    data = digits(n_samples=50)
    assert (entry["name"], entry["origin"], entry["sha256"]) == ("digits", data.origin, data.checksum)


def test_of_the_machine(provenance):
    assert provenance["versions"]["python"] == platform.python_version()
    for name in ("numpy", "scipy", "pandas", "pyarrow"):
        assert provenance["versions"][name] == importlib.import_module(name).__version__
    assert provenance["platform"] == platform.platform()
    assert provenance["cores"] == os.cpu_count()
    assert provenance["cpu"] in Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else provenance["cpu"]
    kernels = {(library["architecture"], library["version"]) for library in threadpool_info() if library["user_api"] == "blas"}
    assert {(blas["architecture"], blas["version"]) for blas in provenance["blas"]} == kernels
    assert {blas["num_threads"] for blas in provenance["blas"]} == {1}


def test_of_the_code(provenance):
    root = Path(experiments.__file__).parents[1]
    asked = run(["git", "-C", str(root), "rev-parse", "HEAD"])
    if not (root / ".git").exists() or asked.returncode:
        assert provenance["git"] is None
    else:
        assert provenance["git"]["commit"] == asked.stdout.strip()


def test_of_the_time(results, provenance):
    (maker,) = provenance["made_by"]
    assert maker["runs"] == len(results.runs)
    assert 0 < maker["wall_seconds"] == provenance["wall_seconds"] < 600
