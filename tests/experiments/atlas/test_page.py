import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from experiments.atlas import figures
from experiments.atlas.glyph import MARGIN, WIDTH, glyph
from tests.experiments.atlas import pages


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pages.write(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_page_needs_no_other_file(text: str) -> None:
    elements = Elements(text)
    for tag, attribute in (("img", "src"), ("script", "src"), ("link", "href")):
        assert all((item.get(attribute) or "data:").startswith("data:") for item in elements.all(tag))
    assert not re.search(r"https?://(?!www\.w3\.org)", re.sub(r"base64,[\w+/=]+", "", text))
    assert len(text) < 1_000_000


def test_every_image_and_drawing_has_words(text: str) -> None:
    elements = Elements(text)
    assert len(elements.all("img")) == 3
    assert all(len(image["alt"] or "") > 40 for image in elements.all("img"))
    assert all(drawing.get("aria-label") for drawing in elements.all("svg"))


def test_headings_descend_one_by_one_and_ids_are_unique(text: str) -> None:
    elements = Elements(text)
    levels = [int(tag[1]) for tag, _ in elements.found if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = [attributes["id"] for _, attributes in elements.found if attributes.get("id")]
    assert len(set(ids)) == len(ids)
    targets = {(link["href"] or "")[1:] for link in elements.all("a") if (link["href"] or "").startswith("#")}
    assert targets <= set(ids)
    assert {"s_vanish", "f_phase", "f_xavier_tanh"} <= set(ids)


def test_the_links_to_files_lead_somewhere(text: str, path: Path) -> None:
    links = [link["href"] or "" for link in Elements(text).all("a")]
    files = [link for link in links if not link.startswith("#")]
    assert len(files) >= 3 * 4
    assert all((path.parent / file).is_file() for file in files)


def test_tables_have_scopes_and_controls_names(text: str) -> None:
    elements = Elements(text)
    assert all(head.get("scope") in ("col", "row") for head in elements.all("th"))
    assert all(region.get("aria-label") for _, region in elements.found if region.get("role") == "region")
    filters = [button for button in elements.all("button") if button.get("data-kind")]
    assert {button["data-value"] for button in filters} >= {"depth", "activation", "init", "reproduced", "refuted"}
    assert all(button.get("aria-pressed") == "false" for button in filters)
    assert elements.all("html")[0]["lang"] == "en"


def test_what_is_refuted_has_a_section_of_its_own(text: str) -> None:
    held, _, refuted = text.partition('<h2 id="not_so">')
    assert '<article id="f_xavier_tanh"' in refuted
    assert '<article id="f_xavier_tanh"' not in held
    assert '<article id="s_vanish"' in held
    assert 'role="alert"' not in text


def test_what_the_reference_no_longer_finds_stands_at_the_top(tmp_path: Path) -> None:
    text = pages.write(tmp_path, ["F-X is no longer reproduced (refuted): <because>"]).read_text(encoding="utf-8")
    assert "F-X is no longer reproduced (refuted): &lt;because&gt;" in text


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_has_the_contrast_that_wcag_asks_for_in_both_themes(text: str) -> None:
    blocks = re.findall(r"color-scheme: (light|dark);(.*?)--figure", text, re.DOTALL)
    assert {theme for theme, _ in blocks} == {"light", "dark"}
    for theme, block in blocks:
        colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for name in ("ink", "soft", "accent", "reproduced", "caveat", "refuted", "not_reproduced", "not_testable"):
            for ground in ("page", "card"):
                bright, dark = sorted((luminance(colors[name]), luminance(colors[ground])), reverse=True)
                assert (bright + 0.05) / (dark + 0.05) >= 4.5, (theme, name, ground)


def test_a_glyph_places_the_numbers_in_order() -> None:
    numbers = {"published": 0.2, "theory": 0.25, "measured": 0.3, "low": 0.28, "high": 0.4}
    drawn = glyph(numbers)
    assert drawn is not None
    assert (drawn.published, drawn.high) == (MARGIN, WIDTH - MARGIN)
    assert drawn.published < drawn.theory < drawn.low < drawn.measured < drawn.high  # type: ignore[operator]
    assert drawn.theory == pytest.approx(MARGIN + (WIDTH - 2 * MARGIN) / 4, abs=0.1)
    assert "measured 0.3" in drawn.text
    assert "logarithmic" not in drawn.text


def test_a_glyph_of_numbers_far_apart_is_logarithmic_and_one_of_a_single_number_is_none() -> None:
    wide = glyph({"published": 1.0, "theory": None, "measured": 1e-4, "low": None, "high": None, "quantity": ""})
    assert wide is not None
    assert "logarithmic" in wide.text
    assert wide.theory is None
    assert glyph({"published": None, "theory": None, "measured": 1.0, "low": None, "high": None}) is None
    same = glyph({"published": 1.0, "theory": 1.0, "measured": 1.0, "low": None, "high": None})
    assert same is not None
    assert same.measured == WIDTH / 2


def test_figures_are_written_in_every_format_with_their_tables(path: Path) -> None:
    folder = path.parent / "figures"
    assert (folder / "f_phase.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "f_phase.pdf").read_bytes().startswith(b"%PDF")
    assert b"<svg" in (folder / "f_phase.svg").read_bytes()
    assert len(pd.read_csv(folder / "f_phase_diagram.csv")) == 6
    assert list(pd.read_csv(folder / "f_phase.csv").columns[:3]) == ["sigma_w2", "sigma_b2", "published"]


def test_the_same_tables_give_the_same_bytes_and_paper_another_size(path: Path, tmp_path: Path) -> None:
    one = pages.judged()[1]
    figures.write(one, tmp_path, "x")
    for kind in figures.FORMATS:
        assert (tmp_path / f"f_phase.{kind}").read_bytes() == (path.parent / "figures" / f"f_phase.{kind}").read_bytes()
    figures.write(one, tmp_path, "x", paper=True)
    width = re.search(rb'<svg[^>]* width="([\d.]+)pt"', (tmp_path / "f_phase.svg").read_bytes())
    assert width is not None
    assert float(width[1]) == pytest.approx(6.9 * 72)


def test_a_figure_that_cannot_be_drawn_costs_the_figure_alone(tmp_path: Path) -> None:
    from dataclasses import replace

    one = pages.judged()[0]

    def broken(_tables: object) -> None:
        raise ValueError("no\nfigure")

    picture = figures.write(replace(one, entry=replace(one.entry, draw=broken)), tmp_path, "x")
    assert picture.source == ""
    assert picture.broken == "its figure failed: ValueError: no figure"
    assert (tmp_path / "s_vanish.csv").is_file()
