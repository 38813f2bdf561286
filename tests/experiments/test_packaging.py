"""The wheel, installed elsewhere, is whole: its conf files, its template and its command travel with it."""

import shutil
import sys
import sysconfig
import zipfile

import pytest

from tests.experiments.helpers import TINY
from tests.processes import ROOT, environment, run


def _run(*command, cwd, env=None):
    done = run(command, timeout=300, cwd=cwd, env=env)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    source = tmp_path_factory.mktemp("source")
    for name in ("bpcore", "experiments", "hydra_plugins", "conf", "results/reference"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    return source


@pytest.fixture(scope="module")
def wheel(source):
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", cwd=source)
    (path,) = (source / "dist").glob("*.whl")
    return path


def test_conf_and_templates_are_in_it(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    templates = list((ROOT / "experiments").rglob("*.j2"))
    assert {path.name for path in templates} >= {"report.html.j2", "gallery.html.j2"}
    for path in [*(ROOT / "conf").rglob("*.yaml"), *templates]:
        relative = path.relative_to(ROOT)
        inside = f"experiments/{relative}" if relative.parts[0] == "conf" else str(relative)
        assert inside in names, inside
    assert not any(name.split("/")[0] in ("conf", "tests", "results") for name in names)
    assert {"experiments/reference/verdicts.json", "experiments/bench/data/circle.csv", "experiments/bench/data/blob.csv"} <= names


ENTRY_POINTS = """
[hydra.plugins]
gradstab-design = hydra_plugins.gradstab:DesignSweeper
gradstab-stacked = hydra_plugins.gradstab:StackedLauncher
"""


def test_the_plugins_are_in_it(wheel):
    archive = zipfile.ZipFile(wheel)
    assert [name for name in archive.namelist() if name.startswith("hydra_plugins/")] == ["hydra_plugins/gradstab.py"]  # a namespace
    (entry_points,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
    assert ENTRY_POINTS.strip() in archive.read(entry_points).decode()


def test_an_editable_install_has_the_plugins(source, tmp_path):
    build = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    _run(sys.executable, "-c", build, str(tmp_path), cwd=source)
    (path,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(path).extractall(site)
    assert not (site / "hydra_plugins").exists()  # it points to the source instead
    program = (
        f"import site; site.addsitedir({str(site)!r}); import hydra_plugins.gradstab, sys; from experiments.cli import main; "
        "print(hydra_plugins.gradstab.__file__, file=sys.stderr); sys.exit(main())"
    )
    env = environment(PYTHONPATH=sysconfig.get_path("purelib"))
    arguments = ["run", "-m", *TINY, "lr=1,2", "depth=1,2", "hydra.sweeper.zip=[lr,depth]", "steps=1", "name=x", "--dry-run"]
    done = _run(sys.executable, "-S", "-c", program, *arguments, cwd=tmp_path, env=env)  # without the packages installed beside us
    assert str(source / "hydra_plugins") in done.stderr
    assert "2 runs" in done.stdout


@pytest.mark.slow
def test_it_runs_in_another_folder(wheel, tmp_path):
    site = tmp_path / "site"
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel), cwd=tmp_path)
    env = environment(PYTHONPATH=str(site))
    program = (
        "import experiments, hydra_plugins.gradstab, sys; from experiments.cli import main; "
        "print(experiments.__file__, hydra_plugins.gradstab.__file__, file=sys.stderr); sys.exit(main())"
    )
    arguments = ["run", "-m", *TINY, "depth=2", "activation=tanh,relu", "steps=2", "name=x"]
    done = _run(sys.executable, "-c", program, *arguments, cwd=tmp_path, env=env)
    known = "from experiments.atlas import judging; print(len(judging.reference()))"
    assert int(_run(sys.executable, "-c", known, cwd=tmp_path, env=env).stdout) > 0
    assert str(site / "experiments") in done.stderr
    assert str(site / "hydra_plugins") in done.stderr
    assert (tmp_path / "results" / "x" / "layers.parquet").is_file()
    _run(sys.executable, "-c", program, "report", "results/x", cwd=tmp_path, env=env)
    assert (tmp_path / "results" / "x" / "report.html").is_file()
