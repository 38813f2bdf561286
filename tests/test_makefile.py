"""What the README promises of make, CI and the project's files."""

import re
import tomllib

import pytest

from tests.processes import ROOT, run


@pytest.mark.parametrize("target", ["report", "test"])
def test_the_two_commands_exist_and_set_up_an_environment(target):
    done = run(["make", "--dry-run", "--always-make", target], cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "-m venv .venv" in done.stdout
    assert "pip install" in done.stdout


def test_ci_runs_the_readmes_test_command_first_and_then_every_python():
    targets = re.findall(r"^make (test|compat)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert targets == ["test", "compat"]
    assert "make test" in (ROOT / "README.md").read_text()


def test_every_dependency_has_a_lower_bound_and_no_upper_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    for requirement in requirements:
        if not requirement.startswith("gradstab"):
            assert re.fullmatch(r"[\w-]+>=[\d.]+", requirement), requirement


def test_the_version_is_one():
    import experiments

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == experiments.__version__
    assert f"version: {experiments.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {experiments.__version__}" in (ROOT / "CHANGELOG.md").read_text()
