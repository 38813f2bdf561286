"""What `make compat` finds, makes, reads and concludes, without making an environment."""

import sys
import tomllib
from pathlib import Path

import pytest

from tests import compat
from tests.compat import Cell, Interpreter, Outcome
from tests.processes import run

OLD, NEW = Interpreter((3, 11, 7), Path("/a/python3")), Interpreter((3, 13, 0), Path("/b/python3"))
LOWEST = Cell("lowest", OLD)
VERSIONS = {"numpy": "2.2.0", "scipy": "1.15.0", "pandas": "2.2.2"}


def fake(folder: Path, says: str, code: int = 0) -> Path:
    """Write an executable that prints something."""
    path = folder / "python3"
    path.write_text(f"#!/bin/sh\nprintf '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_this_interpreter_is_told() -> None:
    found = compat.told(Path(sys.executable))
    assert found is not None
    assert found.version == sys.version_info[:3]
    assert found.path != Path(sys.executable) or sys.prefix == sys.base_prefix  # the one behind a virtual environment


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ("3 14 0 candidate cpython 0\\n/x\\n", 0),
        ("3 13 0 final cpython 1\\n/x\\n", 0),
        ("3 11 15 final pypy 0\\n/x\\n", 0),
        ("no such version\\n", 127),
        ("", 0),
    ],
    ids=["not final", "without its lock", "pypy", "a shim of nothing", "silent"],
)
def test_what_is_no_finished_cpython_is_left_out(tmp_path: Path, says: str, code: int) -> None:
    assert compat.told(fake(tmp_path, says, code)) is None
    assert compat.told(tmp_path / "missing") is None
    assert compat.told(fake(tmp_path, "3 14 1 final cpython 0\\n/x\\n")) == Interpreter((3, 14, 1), Path("/x"))


def test_pyenvs_interpreters_are_candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "versions" / "3.12.1" / "bin"
    path.mkdir(parents=True)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    fake(tmp_path, "").rename(tmp_path / "python3.12")
    fake(tmp_path, "").rename(tmp_path / "python3-config")
    uv = fake(tmp_path, '[{"path": "/managed/python3"}, {"path": null}]').rename(tmp_path / "uv")
    fake(path, "")
    expected = {Path(sys.executable), Path("/managed/python3"), tmp_path / "python3.12", path / "python3"}
    assert compat.candidates(str(uv), {}) == expected


def test_each_version_has_a_cell_and_the_oldest_the_lowest_too() -> None:
    newer = Interpreter((3, 11, 9), Path("/c/python3"))
    interpreters = compat.newest_of_each([NEW, newer, OLD, Interpreter((3, 10, 13), Path("/d"))], ">=3.11")
    assert interpreters == [newer, NEW]
    assert [cell.name for cell in compat.cells(interpreters)] == ["lowest-3.11", "newest-3.11", "newest-3.13"]


def test_uv_asks_where_pip_asks() -> None:
    config = (
        "global.index-url='https://mirror/simple'\n:env:.find-links='/a /b'\nglobal.find-links='/c'\nglobal.extra-index-url='u v'\nx.y='z'"
    )
    made = compat.with_pips_index({"HOME": "/h", "PYTHONPATH": "/p", "UV_INDEX": "w"}, config)
    assert made == {
        "UV_DEFAULT_INDEX": "https://mirror/simple", "UV_FIND_LINKS": "/a,/b", "UV_INDEX": "w", "UV_INDEX_STRATEGY": "unsafe-best-match",
        "HOME": "/h", "UV_PYTHON_DOWNLOADS": "never",
    }  # fmt: skip
    assert compat.with_pips_index({}, "") == {"UV_PYTHON_DOWNLOADS": "never"}


class TestMaking:
    @pytest.fixture
    def uv(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Replace uv by what notes its sub-commands and makes nothing but an executable's file."""
        monkeypatch.setattr(compat, "PLACE", tmp_path)
        said: list[str] = []

        def tried(command: list[str], environment: object) -> str:
            said.append(command[1])
            if command[1] == "venv":
                (Path(command[-1]) / "bin").mkdir(parents=True)
                (Path(command[-1]) / "bin" / "python").touch()
            return "it failed" if command[1] in self.failing else ""

        self.failing: set[str] = set()
        monkeypatch.setattr(compat, "_tried", tried)
        return said

    def test_the_lowest_is_kept_and_the_newest_looked_up_again(self, uv: list[str]) -> None:
        for cell, again in ((LOWEST, []), (Cell("newest", NEW), ["pip"])):
            uv.clear()
            assert compat.make(cell, "uv", {}, "numpy>=2") == ""
            assert uv == ["venv", "pip"]
            uv.clear()
            assert compat.make(cell, "uv", {}, "numpy>=2") == ""
            assert uv == again

    def test_other_requirements_or_another_interpreter_make_it_anew(self, uv: list[str]) -> None:
        for cell, requirements in ((LOWEST, "a"), (LOWEST, "b"), (Cell("lowest", Interpreter((3, 11, 8), OLD.path)), "b")):
            uv.clear()
            compat.make(cell, "uv", {}, requirements)
            assert uv == ["venv", "pip"]

    def test_what_failed_halfway_is_made_anew(self, uv: list[str]) -> None:
        self.failing = {"pip"}
        assert compat.make(LOWEST, "uv", {}, "a") == "it failed"
        self.failing = set()
        uv.clear()
        assert compat.make(LOWEST, "uv", {}, "a") == ""
        assert uv == ["venv", "pip"]

    def test_newer_releases_that_cannot_be_looked_up_are_no_failure(self, uv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        cell = Cell("newest", NEW)
        compat.make(cell, "uv", {}, "a")
        self.failing = {"pip"}
        assert compat.make(cell, "uv", {}, "a") == ""
        assert "cannot be looked up" in capsys.readouterr().err


def test_a_report_is_counted(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "import pytest\n@pytest.fixture\ndef broken(): raise OSError\ndef test_a(): pass\ndef test_b(): pass\ndef test_c(): pass\n"
        "def test_d(): assert 0\ndef test_e(broken): pass\n@pytest.mark.skip\ndef test_f(): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", "--junitxml=report.xml", "test_x.py"]
    assert run(command, cwd=tmp_path).returncode == 1
    assert compat.counted((tmp_path / "report.xml").read_text()) == (3, 2, 1)


@pytest.mark.parametrize(
    ("counts", "note", "passed"),
    [((9, 0, 2), "", True), ((9, 1, 0), "pytest ended with 1", False), ((9, 0, 0), "pytest ended with 3", False), ((0, 0, 5), "", False)],
)
def test_a_cell_passes_only_with_tests_that_pass(counts: tuple[int, int, int], note: str, passed: bool) -> None:
    assert Outcome(LOWEST, VERSIONS, counts, 12.3, note).passed == passed


def test_the_table() -> None:
    outcomes = [Outcome(LOWEST, VERSIONS, (4091, 0, 17), 200.4), Outcome(Cell("newest", NEW), {}, None, 0, "`uv venv` failed")]
    assert [line.split() for line in compat.table(outcomes, ["3.12"]).splitlines()] == [
        ["environment", "Python", "numpy", "scipy", "pandas", "passed", "failed", "skipped", "seconds", "verdict"],
        ["lowest-3.11", "3.11.7", "2.2.0", "1.15.0", "2.2.2", "4091", "0", "17", "200", "pass"],
        ["newest-3.13", "3.13.0", "–", "–", "–", "–", "–", "–", "0", "FAIL:", "`uv", "venv`", "failed"],
        ["newest-3.12", *"–––––––", "–", "no", "such", "Python", "here"],
    ]


def test_the_oldest_promised_python_is_the_oldest_allowed() -> None:
    project = tomllib.loads((compat.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={compat.promised(project)[0]}"
    assert {"3.11", "3.12", "3.13"} <= set(compat.promised(project))
