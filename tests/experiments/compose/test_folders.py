"""A folder of one's own config files, and the modules in it, for every command that composes."""

import json
import subprocess
from pathlib import Path

import pytest

from experiments.compose.folders import config_dir_flags
from experiments.compose.hydras import by_hydra
from experiments.compose.many import Composer
from experiments.errors import UserError
from tests.experiments.helpers import command, here

FACTORY = """
import numpy as np
from experiments.datasets import Dataset, from_arrays


def stripes(n_samples: int = 40, seed: int = 0, outputs: str = "auto") -> Dataset:
    x = np.random.default_rng(seed).uniform(-1, 1, (n_samples, 2))
    return from_arrays(x, (x[:, 0] * 6 % 2 < 1).astype(int), classes=["even", "odd"], outputs=outputs, origin="stripes")
"""
CONF = "_target_: my_own_stripes.stripes\nname: stripes\nn_samples: 40\nseed: 0\noutputs: auto\n"
SMALL = ["data=stripes", "width=6", "depth=2", "steps=2", "executor=serial"]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine" / "data").mkdir(parents=True)
    (tmp_path / "mine" / "data" / "stripes.yaml").write_text(CONF)
    (tmp_path / "mine" / "my_own_stripes.py").write_text(FACTORY)
    return tmp_path


def done(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    result = here(*arguments, cwd=cwd)
    assert result.returncode == 0, result.stderr
    return result


def test_run_its_repetition_and_its_verification(mine: Path) -> None:
    first = command("run", "--config-dir", "mine", "-m", *SMALL, "seed=0,1", "executor=processes", "name=a", cwd=mine)
    assert first.returncode == 0, first.stderr  # its workers find the module too
    done("verify", "results/a", "--config-dir", "mine", cwd=mine)
    done("run", "--from", "results/a", "-cd", "mine", "name=b", cwd=mine)
    assert (mine / "results/a/layers.parquet").read_bytes() == (mine / "results/b/layers.parquet").read_bytes()
    (entry,) = json.loads((mine / "results/a/provenance.json").read_text())["data"]
    assert (entry["classes"], entry["origin"]) == (["even", "odd"], "stripes")


def test_theory_and_remedies(mine: Path) -> None:
    predicted = json.loads(done("theory", "--json", "--config-dir", "mine", *SMALL, cwd=mine).stdout)
    assert predicted["depth"] == 2
    plan = json.loads(done("remedies", "--config-dir", "mine", *SMALL, "--dry-run", "--json", cwd=mine).stdout)
    assert plan["runs"] > 10


def test_phase_and_reproduce(mine: Path) -> None:
    (mine / "mine" / "activation").mkdir()
    (mine / "mine" / "activation" / "steep.yaml").write_text("_target_: bpcore.activations.leaky_relu\nname: steep\nalpha: 0.5\n")
    done("phase", "activation=steep", "--config-dir", "mine", cwd=mine)
    assert list((mine / "results" / "phase").glob("steep*.csv"))
    arguments = ["reproduce", "--finding", "f_xavier_tanh", "--quick", "--dry-run", "--json", "--config-dir", "mine"]
    plan = json.loads(done(*arguments, "data=stripes", "data.n_samples=30", cwd=mine).stdout)
    assert plan["runs"] > 0


@pytest.mark.parametrize("words", [["run", "depth=1"], ["theory"], ["phase"], ["remedies"], ["reproduce", "--quick"], ["verify", "x"]])
def test_a_folder_that_is_not_there_is_refused_in_one_line(tmp_path: Path, words: list[str]) -> None:
    result = here(*words, "--config-dir", "nowhere", cwd=tmp_path)
    assert result.returncode == 2
    (line,) = result.stderr.strip().splitlines()
    assert "`--config-dir` must be a folder" in line


def test_composing_many_finds_the_same_as_hydra_alone(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", ["."])
    flags = config_dir_flags(str(mine / "mine"))
    overrides = ["data=stripes", "data.seed=0,1"]
    assert Composer(flags).compose(overrides) == by_hydra(["--multirun", *flags], overrides)
    with pytest.raises(UserError, match="stripes"):
        Composer().compose(overrides)


def test_modules_are_looked_for_there_after_all_others(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ["first"]
    monkeypatch.setattr("sys.path", path)
    for _ in range(2):
        assert config_dir_flags(str(mine / "mine"))[0] == "--config-dir"
    assert path == ["first", str((mine / "mine").resolve())]
    assert config_dir_flags(None) == []
