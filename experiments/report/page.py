"""From results folders to one offline page: figures as files, and an HTML page that holds all of them."""

import importlib
import pkgutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from tqdm import tqdm

from experiments import figures
from experiments.errors import UserError
from experiments.figures.data.table import FigureTable
from experiments.figures.style import render as style
from experiments.forks.sharing import shared_out
from experiments.report import pages
from experiments.report.headline import opening
from experiments.report.tables import definitions, fixed, provenance_rows, runs_table, settings_table
from experiments.statistics.groups import varying
from experiments.store.files import write_bytes, write_text
from experiments.store.reading import load, read_provenance
from experiments.store.tables import Results, runs_frame

FORMATS = ("png", "svg")
_QUIET_SECONDS = 2.0


@dataclass(frozen=True)
class Drawn:
    """Hold a figure as the page shows it.

    Args:
        name: of its module and files.
        title: first line of the module's docstring.
        caption: how to read it, what it leaves out.
        alt: for those who do not see it.
        source: data URI.
        files: paths of its files, relative to the page.
        rows: of its table.
    """

    name: str
    title: str
    caption: str
    alt: str
    source: str
    files: tuple[str, ...]
    rows: int


def figure_modules() -> list[ModuleType]:
    """Return the modules of all figures, in the order of the page."""
    names = [module.name for module in pkgutil.iter_modules(figures.__path__) if not module.ispkg]
    modules = [importlib.import_module(f"{figures.__name__}.{name}") for name in names]
    return sorted(modules, key=lambda module: (getattr(module, "ORDER", 100), module.__name__))


def combine(folders: list[Path]) -> Results:
    """Load results; several folders become one with a column `folder`.

    Args:
        folders: at least one.

    Returns:
        The tables of all folders.

    Raises:
        UserError: a folder is no results folder, is empty, or is named twice.
    """
    loaded = [load(folder) for folder in folders]
    for results in loaded:
        if not len(results.runs):
            raise UserError(f"{results.path} holds no finished run; run the sweep again")
    if len(loaded) == 1:
        return loaded[0]
    resolved = [folder.resolve() for folder in folders]
    if len(set(resolved)) < len(resolved):
        raise UserError(f"{next(f for f in folders if resolved.count(f.resolve()) > 1)} is named twice; name each results folder once")
    names = _distinct_names(resolved)
    rows = []
    for name, results in zip(names, loaded, strict=True):
        rows += [{"run_id": row["run_id"], "folder": name, **row} for row in results.runs.to_dict("records")]
    runs = runs_frame(rows)
    runs["_place"] = runs["folder"].map(names.index)
    runs = runs.sort_values(["_place", "job"], ignore_index=True).drop(columns="_place")

    def join(table: str) -> pd.DataFrame:
        frames: list[pd.DataFrame] = [getattr(results, table).assign(folder=name) for name, results in zip(names, loaded, strict=True)]
        filled = [frame for frame in frames if len(frame)]
        return pd.concat(filled, ignore_index=True) if filled else frames[0]

    return Results(runs, join("layers"), join("steps"), join("histograms"), path=folders[0].parent)


def _distinct_names(folders: list[Path]) -> list[str]:
    for depth in range(1, max(len(folder.parts) for folder in folders) + 1):
        names = ["/".join(folder.parts[-depth:]) for folder in folders]
        if len(set(names)) == len(names):
            return names
    return [str(folder) for folder in folders]


def draw(module: ModuleType, table: FigureTable, formats: tuple[str, ...]) -> dict[str, bytes]:
    """Draw a figure's table.

    Args:
        module: of the figure.
        table: as its `table` returned it.
        formats: of FORMATS.

    Returns:
        Format -> the file's bytes, the same for the same table.
    """
    return style.render(lambda: module.draw(table), formats)


def _write_figure(module: ModuleType, table: FigureTable, folder: Path, relative: str, formats: tuple[str, ...]) -> Drawn:
    name = module.__name__.rpartition(".")[2]
    images = draw(module, table, formats)
    for kind, content in images.items():
        write_bytes(folder / f"{name}.{kind}", content)
    write_text(folder / f"{name}.csv", table.frame.to_csv(index=False, lineterminator="\n"))
    title = (module.__doc__ or name).strip().splitlines()[0].removesuffix(".")
    files = tuple(f"{relative}/{name}.{ending}" for ending in (*images, "csv"))
    return Drawn(name, title, module.caption(table), _alt(title, table), pages.data_uri(images), files, len(table.frame))


def _alt(title: str, table: FigureTable) -> str:
    words = [title]
    if table.roles.facets:
        words.append(f"one panel per {' and '.join(table.roles.facets)}")
    if table.roles.color:
        words.append(f"colours by {table.roles.color}")
    return f"{'; '.join(words)}. The numbers are in the CSV file beside the figure."


def write_report(folders: list[Path], output: Path | None = None, formats: tuple[str, ...] = FORMATS) -> Path:
    """Draw all figures that apply, and write the page.

    Args:
        folders: results folders; several are compared.
        output: the page; by default `report.html` in the folder, or in `compare-…` beside the first of several.
        formats: image files to write.

    Returns:
        The page's path.

    Raises:
        UserError: a folder is no results folder, or the output cannot be written.
    """
    results = combine(folders)
    if output is None:
        home = folders[0] if len(folders) == 1 else folders[0].parent / _compare_name(folders)
        output, relative = home / "report.html", "figures"
    else:
        relative = f"{output.stem}_figures"
        if output.is_dir():
            raise UserError(f"{output} is a folder; --output takes the page's file name, such as {output / 'report.html'}")
    target = output.parent / relative
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {target}: {error.strerror or error}; choose another --output") from error
    axes = varying(results.runs)
    modules = figure_modules()
    with tqdm(total=len(modules), desc="figures", unit="figure", disable=None, delay=_QUIET_SECONDS, leave=False, file=sys.stderr) as bar:

        def write(module: ModuleType) -> Drawn | None:
            table = module.table(results, axes)
            return None if table is None or not len(table.frame) else _write_figure(module, table, target, relative, formats)

        last_first = shared_out(write, modules[::-1], bar.update)  # the page's last figure has the most panels
    drawn = [figure for figure in reversed(last_first) if figure is not None]
    provenances = [(folder.name, read_provenance(folder / "provenance.json")) for folder in folders]
    write_text(output, render(results, axes, drawn, provenances))
    return output


def _compare_name(folders: list[Path]) -> str:
    name = "compare-" + "-".join(folder.resolve().name for folder in folders)
    return name if len(name.encode()) <= 200 else f"{name.encode()[:190].decode(errors='ignore')}-{len(folders)}"


def render(results: Results, axes: list[str], drawn: list[Drawn], provenances: list[tuple[str, dict[str, Any]]]) -> str:
    """Return the page.

    Args:
        results: loaded.
        axes: config columns that vary.
        drawn: the figures.
        provenances: (folder name, provenance), one or more.

    Returns:
        HTML that needs no other file.
    """
    names = [name for name, _ in provenances]
    return (
        pages.environment()
        .get_template("report.html.j2")
        .render(
            title=" and ".join(names) if len(names) < 4 else f"{len(names)} sweeps",
            opening=opening(results, axes),
            figures=drawn,
            settings=settings_table(results.runs, axes),
            runs=runs_table(results.runs, axes),
            n_runs=len(results.runs),
            fixed=fixed(results.runs, axes),
            definitions=definitions(),
            provenances=[(name, str(record.get("command", "")), provenance_rows(record)) for name, record in provenances],
        )
    )
