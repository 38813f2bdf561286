"""The launcher and the sweeper in anybody's Hydra application: Hydra's own suites, and what failures leave behind."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra import version
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.test_utils.launcher_common_tests import BatchedSweeperTestSuite, IntegrationTestSuite, LauncherTestSuite
from hydra.test_utils.test_utils import TSweepRunner

from experiments.compose.hydras import VERSION_BASE
from tests.processes import ROOT, environment, run

pytestmark = pytest.mark.filterwarnings(r"ignore:\s*Future Hydra versions")  # Hydra's own suites are of its version base 1.1

WAYS = [("stacked", []), ("stacked", ["hydra/sweeper=design"])]


@pytest.fixture(autouse=True)
def version_base(hydra_restore_singletons: None) -> None:
    """Give Hydra's suites the version base that they count on, whatever other tests have set."""
    if VERSION_BASE:
        version.VersionBase.instance().setbase(version.__compat_version__)  # not through `setbase`, which warns


def test_hydra_finds_both() -> None:
    assert "StackedLauncher" in [plugin.__name__ for plugin in Plugins.instance().discover(Launcher)]
    assert "DesignSweeper" in [plugin.__name__ for plugin in Plugins.instance().discover(Sweeper)]


@pytest.mark.parametrize(("launcher_name", "overrides"), WAYS, ids=str)
class TestLauncherSuite(LauncherTestSuite):
    """Hydra's own tests of a launcher."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher_name", "overrides"), [(name, [*overrides, "hydra.sweeper.max_batch_size=2"]) for name, overrides in WAYS[1:2]], ids=str
)
class TestBatches(BatchedSweeperTestSuite):
    """Hydra's own tests of a sweeper that launches in batches."""


@pytest.mark.slow
@pytest.mark.parametrize(("task_launcher_cfg", "extra_flags"), [({}, ["-m", "hydra/launcher=stacked", "hydra/sweeper=design"])], ids=str)
class TestIntegration(IntegrationTestSuite):
    """Hydra's own tests of an application, each a process of its own."""


APP = """
import hydra
from hydra.core.hydra_config import HydraConfig

@hydra.main(config_path=None, config_name="config"{version_base})
def main(cfg):
    HydraConfig.get()
    if cfg.a in (2, 3):
        raise ValueError(f"no {{cfg.a}}")
    print("ran", cfg.a, HydraConfig.get().job.num, HydraConfig.get().job.override_dirname)

from hydra.core.config_store import ConfigStore
ConfigStore.instance().store(name="config", node={{"a": 1, "b": 2}})
main()
"""


def test_every_failure_is_told_and_the_others_are_run(tmp_path: Path) -> None:
    version_base = "".join(f", {key}={value!r}" for key, value in VERSION_BASE.items())
    (tmp_path / "app.py").write_text(APP.format(version_base=version_base), encoding="utf-8")
    arguments = ["-m", "hydra/launcher=stacked", "hydra/sweeper=design", "a=1,2,3,4", "b=7"]
    done = run([sys.executable, "app.py", *arguments], cwd=tmp_path, env=with_root())
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("ran")] == ["ran 1 0 a=1,b=7", "ran 4 3 a=4,b=7"]
    told = done.stdout + done.stderr
    for line in ("job #1 (a=2 b=7) failed", "job #2 (a=3 b=7) failed", "ValueError: no 2", "ValueError: no 3"):
        assert line in told


def with_root() -> dict[str, str]:
    return {**environment(), "PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT)]).strip(os.pathsep)}


def test_a_bad_last_job_stops_a_sweep_before_its_first(hydra_sweep_runner: TSweepRunner, tmpdir: Any) -> None:
    ran: list[Any] = []
    sweep = hydra_sweep_runner(
        calling_file=None,
        calling_module="hydra.test_utils.a_module",
        task_function=lambda cfg: ran.append(cfg),
        config_path="configs",
        config_name="compose.yaml",
        overrides=["hydra/launcher=stacked", "hydra/sweeper=design", "group1=file1,file2,nope"],
        temp_dir=tmpdir,
    )
    with pytest.raises(Exception, match="nope"), sweep:
        pass
    assert not ran


def test_a_jobs_return_is_whole(hydra_sweep_runner: TSweepRunner, tmpdir: Any) -> None:
    sweep = hydra_sweep_runner(
        calling_file=None,
        calling_module="hydra.test_utils.a_module",
        task_function=lambda cfg: cfg.foo + cfg.bar,
        config_path="configs",
        config_name="compose.yaml",
        overrides=["hydra/launcher=stacked", "hydra/sweeper=design", "foo=1,2", "bar=10,20", "hydra.sweeper.zip=[foo,bar]"],
        temp_dir=tmpdir,
    )
    with sweep:
        assert sweep.returns is not None
        (jobs,) = sweep.returns
    assert [job.return_value for job in jobs] == [11, 22]
    assert [job.status for job in jobs] == [JobStatus.COMPLETED] * 2
    assert [job.overrides for job in jobs] == [["foo=1", "bar=10"], ["foo=2", "bar=20"]]
    assert [job.hydra_cfg.hydra.job.num for job in jobs] == [0, 1]


def test_the_plugin_is_light_for_every_other_hydra_application(tmp_path: Path) -> None:
    """Where gradstab is installed, Hydra imports its plugin for whichever application it starts."""
    (tmp_path / "app.py").write_text(
        "import sys, hydra\n"
        "@hydra.main(version_base=None)\n"
        "def main(cfg):\n"
        "    assert 'hydra_plugins.gradstab' in sys.modules\n"
        "    print(sorted({name.partition('.')[0] for name in sys.modules}))\n"
        "main()\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "app.py", f"hydra.run.dir={tmp_path}"]
    done = run(command, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    heavy = {"pandas", "matplotlib", "pyarrow", "sklearn", "bpcore", "loky", "psutil", "jinja2", "pooch", "torch"}
    assert heavy.isdisjoint(re.findall(r"\w+", done.stdout))
    assert "experiments" in done.stdout
