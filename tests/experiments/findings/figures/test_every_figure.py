"""Every finding's figure, drawn from its small table: what has a place has a row, and the rule's numbers are the conf file's."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from experiments.atlas.catalogue import Entry, ids, select
from experiments.findings.finding import Finding, Threshold
from tests.experiments.findings.cases import CASES, tables
from tests.experiments.findings.drawn import Rows, cells, levels, misfits, missing, panels

Tables = Mapping[str, pd.DataFrame]

PLACED = {
    "f_drop_crit",
    "f_adam_step",
    "f_adamw",
    "f_bnscale",
    "f_eos_sched",
    "f_funnel",
    "f_input_scale",
    "f_isometry",
    "f_ln",
    "f_ln_after",
    "f_ln_scale",
    "f_ln_sigmoid",
    "f_logvar",
    "f_lsuv",
    "f_torch_init",
    "f_warmup",
    "f_zeroinit",
    "n_ortho_relu",
    "n_warmup_adam",
    "s_act",
    "s_init",
    "s_init_standard_normal",
}
"""Figures whose vertical places are words."""

COMPUTED = {
    "s_explode": {"published"},  # at the height at which the factor is 1
    "s_product": {"bound"},  # the diagonal
    "f_bnscale": {"off_batch"},  # errors of exactly 0, on the border
    "f_clip": {"theory"},
    "f_float": {"measured"},  # the mean of the logarithms
    "f_hanin": {"theory"},  # a density
    "f_mode": {"published"},  # at the published share of the strength
}
"""Marks that stand in no row; `test_what_is_computed` says what they are."""

NOT_SHOWN = {
    "s_bn": {"numbers"},  # factors, in the panels' titles
    "s_explode": {"numbers"},  # borders: where the curves cross 1
    "s_small_lr": {"numbers"},  # changes: as start and end
    "f_clip": {"numbers"},  # brackets: as the runs that they are between
    "f_fixup": {"slopes"},  # of the curves
    "f_float": {"numbers"},  # counts of layers: where the curves end
    "f_glorot": {"numbers"},  # the fifth normalized layer, which has no published factor
    "f_hanin": {"numbers"},  # variances: as the width of the histogram
    "f_mode": {"numbers"},  # times: where the curves pass the share
    "f_mup": {"numbers"},  # slopes: of the curves
    "f_prepost": {"slopes", "rates"},  # slopes: of the curves; factors: in the caption
    "f_res_bn": {"numbers"},  # growth of the variances, beside the totals, which are where the curves begin
    "f_res_meanshift": {"factor"},  # in the caption
    "f_res_relu": {"numbers"},  # factors: as slopes of the curves
    "f_selu": {"numbers"},  # slopes: of the curves
}
"""Tables whose measured numbers are shown otherwise."""

ACROSS = {
    "f_eos_mom": "2/lr in units of the method's limit",
    "f_float": "the limits of the formats",
}
"""Lines across a panel at numbers of neither table nor conf file."""


def drawn(name: str, folder: Path) -> tuple[Entry, Tables, Figure]:
    (entry,) = select([name])
    shown = entry.estimate(tables(CASES[name].holds, folder), entry.finding).tables
    return entry, shown, entry.figure(shown)


def scaled(value: Any, by: float) -> Any:
    """Scale the numbers of a conf file's value; keys are names."""
    if isinstance(value, Mapping):
        return {key: scaled(item, by) for key, item in value.items()}
    if isinstance(value, list):
        return [scaled(item, by) for item in value]
    return value * by if isinstance(value, (int, float)) else value


def other(finding: Finding, by: float = 1.37) -> Finding:
    """Return the finding with other thresholds and published numbers."""
    thresholds = {name: Threshold(scaled(one.value, by), one.reason) for name, one in finding.thresholds.items()}
    return replace(finding, thresholds=thresholds, values=scaled(finding.values, by))


def numbers_of(value: Any) -> list[float]:
    if isinstance(value, Mapping):
        return [number for item in value.values() for number in numbers_of(item)]
    if isinstance(value, (list, tuple)):
        return [number for item in value for number in numbers_of(item)]
    return [float(value), 1 / float(value)] if isinstance(value, (int, float)) and value else []


def unexplained(drawing: Figure, finding: Finding, shown: Tables) -> list[float]:
    """Return the lines across panels that stand neither in the tables nor in the conf file, 0 and 1 apart."""
    own = numbers_of([one.value for one in finding.thresholds.values()]) + numbers_of(finding.values)
    rows = Rows(shown)
    return [
        level
        for level in levels(drawing)
        if level not in (0.0, 1.0) and not np.isclose(own, level, rtol=1e-9).any() and not rows.have(level)
    ]


@pytest.mark.parametrize("name", ids())
def test_a_figure_shows_the_numbers_of_its_tables(name: str, tmp_path: Path) -> None:
    entry, shown, drawing = drawn(name, tmp_path)
    placed = "y" if name in PLACED else ""
    assert {gid for gid, _ in misfits(drawing, shown, placed)} == COMPUTED.get(name, set())
    assert set(missing(drawing, shown)) == NOT_SHOWN.get(name, set())
    assert bool(unexplained(drawing, entry.finding, shown)) == (name in ACROSS)
    for axes in panels(drawing):
        assert (
            axes.get_xlabel()
            or drawing.get_supxlabel()
            or axes.get_subplotspec().rowspan.stop < axes.get_subplotspec().get_gridspec().nrows
        )
    assert len(entry.words(shown)) > 60

    rows = Rows(shown)
    assert [value for value in cells(drawing) if not rows.have(value)] == []

    wrong = {
        key: frame.assign(**{column: frame[column] * 1.001 for column in frame.select_dtypes("float")}) for key, frame in shown.items()
    }
    seen = {gid for gid, _ in misfits(drawing, wrong, placed)} - COMPUTED.get(name, set())
    apart = len(unexplained(drawing, entry.finding, wrong)) > len(unexplained(drawing, entry.finding, shown))
    assert seen or apart, "a figure of other numbers would pass"

    changed = replace(entry, finding=other(entry.finding))
    other_drawing = changed.figure(shown)
    if name not in ACROSS:
        assert unexplained(other_drawing, changed.finding, shown) == [], "a number of the rule stands in the figure's code"
    if "finding" in inspect.signature(entry.caption or str).parameters:
        assert changed.words(shown) != entry.words(shown)
    if "finding" in inspect.signature(entry.draw or str).parameters:
        assert _looks(other_drawing) != _looks(drawing)


def _looks(drawing: Figure) -> tuple[Any, ...]:
    words = [text.get_text() for legend in drawing.legends for text in legend.get_texts()]
    places = sorted(tuple(np.asarray(line.get_ydata(), dtype=float)) for axes in panels(drawing) for line in axes.lines)
    return sorted(levels(drawing)), words, [axes.get_ylabel() for axes in panels(drawing)], places


def test_the_four_figures_that_once_had_numbers_of_their_own(tmp_path: Path) -> None:
    for name in ("s_init", "s_init_standard_normal", "f_relu_edge"):
        entry, shown, drawing = drawn(name, tmp_path)
        within = entry.finding.threshold("kept_within")
        assert {1 / within, within} <= levels(drawing)
        changed = replace(entry, finding=replace(entry.finding, thresholds={"kept_within": Threshold(3.0, "a test")}))
        assert {1 / 3, 3.0} <= levels(changed.figure(shown))
        assert not {1 / within, within} & levels(changed.figure(shown))
        assert "within a factor of 3 of 1" in changed.words(shown)
    entry, shown, drawing = drawn("f_saxe", tmp_path)
    assert "updates until 95 % is learned" in [axes.get_ylabel() for axes in panels(drawing)]
    changed = replace(entry, finding=replace(entry.finding, thresholds={"learned_to": Threshold(0.2, "a test")}))
    assert "updates until 80 % is learned" in [axes.get_ylabel() for axes in panels(changed.figure(shown))]
    assert "until 20 % of the task's square is left" in changed.words(shown)
    _, _, drawing = drawn("f_float", tmp_path)
    for limits in (np.finfo(np.float32), np.finfo(np.float64)):
        for least in (limits.smallest_normal, limits.smallest_subnormal):
            assert np.isclose(sorted(levels(drawing)), np.log10(np.float64(least)), rtol=1e-12).any()


def _line(drawing: Figure, panel: int, gid: str) -> tuple[Any, Any]:
    (line,) = (line for line in panels(drawing)[panel].lines if line.get_gid() == gid)
    return np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)


def _clip(shown: Tables, drawing: Figure, finding: Finding) -> None:
    w, limit = _line(drawing, 0, "theory")
    np.testing.assert_allclose(limit, 2 * w / np.sinh(w), rtol=1e-12)
    np.testing.assert_allclose(np.interp(shown["numbers"]["start"], w, limit), shown["numbers"]["published"], rtol=0.02)


def _explode(shown: Tables, drawing: Figure, finding: Finding) -> None:
    x, y = _line(drawing, 0, "published")
    assert x.tolist() == shown["numbers"]["published"].tolist()
    assert set(y) == {1.0}


def _product(shown: Tables, drawing: Figure, finding: Finding) -> None:
    x, y = _line(drawing, 0, "bound")
    assert x.tolist() == y.tolist()
    assert x[0] < shown["factors"]["bound"].min() < shown["factors"]["bound"].max() < x[1]


def _bnscale(shown: Tables, drawing: Figure, finding: Finding) -> None:
    x, _ = _line(drawing, 0, "off_batch")
    own = shown["numbers"].query("normalization == 'batch'")["measured"].to_numpy()
    assert x.tolist() == np.where(own > 1e-17, own, 1e-17).tolist()


def _float(shown: Tables, drawing: Figure, finding: Finding) -> None:
    for panel, (_, profile) in enumerate(shown["profile"].groupby("format", sort=False)):
        below, logarithm = _line(drawing, panel, "measured")
        own = profile[profile["delta_rms"] > 0]
        expected = np.log10(own["delta_rms"]).groupby(own["below"]).mean()
        assert below.tolist() == (expected.index + 1).tolist()
        np.testing.assert_allclose(logarithm, expected, rtol=1e-12)


def _hanin(shown: Tables, drawing: Figure, finding: Finding) -> None:
    for axes, row in zip(panels(drawing), shown["numbers"].to_dict("records"), strict=True):
        every = shown["logarithms"]
        own = every.loc[(every["activation"] == row["activation"]) & (every["width"] == row["width"]), "logarithm"]
        bars = [patch for patch in axes.patches if patch.get_gid() == "measured"]
        edges = [bars[0].get_x(), *(bar.get_x() + bar.get_width() for bar in bars)]
        counts = [bar.get_height() * bar.get_width() * len(own) for bar in bars]
        np.testing.assert_allclose(counts, np.histogram(own, edges)[0], atol=1e-6)
        assert sum(counts) == pytest.approx(len(own))
        (line,) = (line for line in axes.lines if line.get_gid() == "theory")
        x, density = line.get_data()
        np.testing.assert_allclose(density, stats.norm(-row["beta"] / 2, row["beta"] ** 0.5).pdf(x), rtol=1e-12)


def _mode(shown: Tables, drawing: Figure, finding: Finding) -> None:
    x, y = _line(drawing, 0, "published")
    assert x.tolist() == shown["numbers"]["published"].tolist()
    np.testing.assert_allclose(y, finding.values["share"] * shown["numbers"]["strength"], rtol=1e-12)


CHECKS: dict[str, Callable[[Tables, Figure, Finding], None]] = {
    "f_clip": _clip,
    "s_explode": _explode,
    "s_product": _product,
    "f_bnscale": _bnscale,
    "f_float": _float,
    "f_hanin": _hanin,
    "f_mode": _mode,
}


@pytest.mark.parametrize("name", COMPUTED)
def test_what_is_computed(name: str, tmp_path: Path) -> None:
    entry, shown, drawing = drawn(name, tmp_path)
    CHECKS[name](shown, drawing, entry.finding)
