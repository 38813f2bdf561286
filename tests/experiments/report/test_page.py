"""The page: one file, offline, whatever the results; its figures beside it."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.cli import main
from experiments.config.validation import validate
from experiments.report import page as report_page
from experiments.report.page import combine, figure_modules, write_report
from experiments.statistics.groups import varying
from experiments.store.columns import TABLES
from experiments.store.reading import load
from experiments.store.tables import Results, runs_frame
from experiments.store.writing import write_pieces, write_runs
from experiments.sweep.content import failed


class Page(HTMLParser):
    """Collect what a page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.references: list[str] = []
        self.ids: set[str] = set()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.references += [str(found[name]) for name in ("src", "href", "srcset", "action", "data") if name in found]
        self.ids |= {str(found["id"])} if "id" in found else set()
        if tag == "img":
            self.images.append(found)
        if tag not in ("img", "meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"


def modules(*names: str) -> list[ModuleType]:
    """Return the figures of these names, all where there are none; each is drawn by test_figures."""
    chosen = [module for module in figure_modules() if not names or module.__name__.rpartition(".")[2] in names]
    assert len(chosen) >= len(names)
    return chosen


SOME = ("delta_by_layer", "loss", "factor_map", "delta_distribution")


@pytest.fixture(scope="session", params=[SOME, pytest.param((), marks=pytest.mark.slow)], ids=["some figures", "all figures"])
def reported(
    samples: dict[str, Results], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[Path, list[ModuleType]]:
    """Return a folder with its report, and the figures asked for."""
    folder = Path(shutil.copytree(samples["two_axes"].path, tmp_path_factory.mktemp("reported") / "two axes"))
    chosen = modules(*request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_page, "figure_modules", lambda: chosen)
        assert write_report([folder]) == folder / "report.html"
    return folder, chosen


@pytest.fixture
def page(reported: tuple[Path, list[ModuleType]]) -> str:
    return (reported[0] / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave two figures in the report; all of them are drawn elsewhere."""
    chosen = modules("delta_by_layer", "loss")
    monkeypatch.setattr(report_page, "figure_modules", lambda: chosen)


def test_figures_come_in_three_formats_and_the_csv_is_the_table(reported: tuple[Path, list[ModuleType]]) -> None:
    folder, chosen = reported
    results = load(folder)
    names = set()
    for module in chosen:
        table = module.table(results, varying(results.runs))
        if table is None:
            continue
        name = module.__name__.rpartition(".")[2]
        names |= {f"{name}.{ending}" for ending in ("png", "svg", "csv")}
        read = pd.read_csv(folder / "figures" / f"{name}.csv", engine="pyarrow")  # exact; the default is so from pandas 3 on
        pd.testing.assert_frame_equal(read, table.frame, check_dtype=False, check_exact=False, rtol=1e-14, atol=0, obj=name)
    assert {path.name for path in (folder / "figures").iterdir()} == names
    assert len(names) >= 3 * len(SOME)


def test_the_page_needs_nothing_else(page: str) -> None:
    parsed = Page(page)
    assert not parsed.open
    assert len(parsed.images) >= len(SOME)
    assert all(str(image["src"]).startswith("data:image/") for image in parsed.images)
    assert all(len(str(image["alt"])) > 20 for image in parsed.images)
    assert not [reference for reference in parsed.references if re.match(r"(https?:)?//", reference)]
    assert not re.search(r"url\((?!['\"]?data:)|@import|<script[^>]+src|fetch\(", page)
    assert {reference[1:] for reference in parsed.references if reference.startswith("#")} <= parsed.ids
    assert len(page) < 5_000_000


def test_the_page_says_what_made_it_and_what_came_out(page: str, reported: tuple[Path, list[ModuleType]]) -> None:
    folder, _ = reported
    record = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    for text in (record["command"], record["versions"]["numpy"], record["data"][0]["sha256"], "kernel"):
        assert text in page
    assert "12 runs on digits" in page
    assert "6 settings of activation (sigmoid, relu) × depth (2, 4, 6), with 2 seeds" in page
    runs = load(folder).runs
    assert all(run_id in page for run_id in runs["run_id"])
    assert f"between {runs.groupby(['activation', 'depth'])['delta_factor'].agg(lambda x: np.exp(np.log(x).mean())).min():.3g}" in page


@pytest.mark.usefixtures("few")
def test_the_same_results_give_the_same_page(folder: Path) -> None:
    once = write_report([folder]).read_bytes()
    assert write_report([folder]).read_bytes() == once


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", ["one_run", "step_zero", "linear", "diverged", "underflowed", "regression"])
def test_whatever_was_run_there_is_a_page(samples: dict[str, Results], name: str, tmp_path: Path) -> None:
    output = write_report([samples[name].path], tmp_path / "page.html", ("svg",))
    text = output.read_text(encoding="utf-8")
    Page(text)
    assert {path.suffix for path in (tmp_path / "page_figures").iterdir()} == {".svg", ".csv"}
    words = {"one_run": "One run on digits", "diverged": "1 run of 2 leaves the finite numbers", "underflowed": "underflowed"}
    assert words.get(name, "In short") in text
    assert "nan" not in re.sub(r"data:image[^\"]*", "", text).lower().replace("nan under", "").split()


def test_a_sweep_of_failed_runs_gives_a_page(base: dict[str, Any], tmp_path: Path) -> None:
    parts = [failed(validate({**base, "seed": i}, i), "no luck <b>\ntrace") for i in range(6)]
    runs = runs_frame([{**row, "job": i} for i, part in enumerate(parts) for row in part.runs])
    write_runs(tmp_path / "runs.parquet", runs)
    for name in TABLES:
        write_pieces(tmp_path / f"{name}.parquet", name, [])
    (tmp_path / "provenance.json").write_text('{"command": "gradstab run", "sweep": []}', encoding="utf-8")
    text = write_report([tmp_path]).read_text(encoding="utf-8")
    Page(text)
    assert "6 failed" in text
    assert "no luck &lt;b&gt;" in text


@pytest.mark.usefixtures("few")
def test_folders_are_compared(samples: dict[str, Results], tmp_path: Path) -> None:
    one, two = (shutil.copytree(samples[name].path, tmp_path / name) for name in ("seeds_alone", "clip_or_not"))
    output = write_report([one, two])
    assert output == tmp_path / "compare-seeds_alone-clip_or_not" / "report.html"
    text = output.read_text(encoding="utf-8")
    assert "folder (seeds_alone, clip_or_not)" in text
    assert text.count("<h3>seeds_alone</h3>") == 1
    both = combine([one, two])
    assert len(both.runs) == 6
    assert set(both.layers["folder"]) == {"seeds_alone", "clip_or_not"}


@pytest.mark.usefixtures("few")
def test_the_same_run_in_two_folders_stays_two_runs(samples: dict[str, Results], tmp_path: Path) -> None:
    copy = shutil.copytree(samples["one_axis"].path, tmp_path / "a$b_^{ünï}")
    module = next(module for module in figure_modules() if module.__name__.endswith("loss"))
    results = combine([samples["one_axis"].path, copy])
    assert varying(results.runs) == ["activation", "folder"]
    table = module.table(results, varying(results.runs))
    assert "folder changes nothing here" in module.caption(table)
    assert write_report([samples["one_axis"].path, copy], tmp_path / "page.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "nowhere"], "nowhere does not exist"),
        (["report", "."], "is no results folder"),
        (["report", "two axes", "two axes"], "is named twice"),
        (["report", "two axes", "--formats", "gif"], "--formats must be png or svg"),
        (["report", "two axes", "--output", "two axes"], "is a folder"),
        (["report", "two axes", "--output", "file/page.html"], "cannot write to"),
        (["report"], "the following arguments are required"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(folder.parent)
    Path("file").write_text("not a folder", encoding="utf-8")
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.usefixtures("few")
def test_the_command_prints_the_path(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = folder.parent / "pages" / "report.html"
    assert main(["report", str(folder), "--output", str(output), "--formats", "png"]) == 0
    assert capsys.readouterr().out == f"{output}\n"
    assert (output.parent / "report_figures" / "loss.png").is_file()


@pytest.mark.usefixtures("few")
def test_nothing_but_the_report_is_touched(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_report([folder])
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != "report.html"}
    assert after == before
    assert not list(folder.rglob(".*"))
