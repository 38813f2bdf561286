"""The page in a real browser: it loads without a word on the console, its filters work, every image shows."""

import re
import shutil
from pathlib import Path

import pytest

from tests.experiments.atlas import pages
from tests.processes import run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here, and the page is tested in a real browser"),
]
OFFLINE = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--virtual-time-budget=5000",
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pages.write(tmp_path_factory.mktemp("page"))


def loaded(page: Path, profile: Path, fragment: str = "", *flags: str) -> tuple[str, list[str]]:
    """Return the page's DOM once it has loaded, and what was said on the console."""
    command = [str(CHROMIUM), *OFFLINE, f"--user-data-dir={profile}", "--enable-logging=stderr", "--v=0", *flags]
    done = run([*command, "--dump-dom", page.as_uri() + fragment], timeout=90)
    assert "</html>" in done.stdout, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def shown(dom: str) -> set[str]:
    """Return the findings whose section is not hidden."""
    tags = re.findall(r"<article [^>]*>", dom)
    assert len(tags) == 3
    return {match[1] for tag in tags if not re.search(r'\shidden(=""|>|\s)', tag) and (match := re.search(r'id="(\w+)"', tag))}


def test_it_loads_without_console_messages_and_every_image_shows(page: Path, tmp_path: Path) -> None:
    dom, console = loaded(page, tmp_path)
    assert console == []
    assert 'data-images="3"' in dom
    assert 'data-broken="0"' in dom
    assert shown(dom) == {"s_vanish", "f_phase", "f_xavier_tanh"}


def test_a_broken_image_and_an_error_are_noticed(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    other = page.with_name("broken.html")
    cut = re.sub(r'src="data:image/svg\+xml;base64,\w{40}', 'src="data:image/svg+xml;base64,AAAA', text, count=1)
    other.write_text(cut.replace("show();", "show(); nothing();", 1), encoding="utf-8")
    dom, console = loaded(other, tmp_path)
    assert 'data-broken="1"' in dom
    assert any("nothing is not defined" in line for line in console)


FILTERS = {
    "#knob=depth": {"s_vanish", "f_phase", "f_xavier_tanh"},
    "#knob=init": {"f_phase", "f_xavier_tanh"},
    "#verdict=refuted": {"f_xavier_tanh"},
    "#knob=init&verdict=reproduced": {"f_phase"},
    "#knob=clip": {"s_vanish", "f_phase", "f_xavier_tanh"},
    "#verdict=reproduced": {"s_vanish", "f_phase"},
    "#f_xavier_tanh": {"s_vanish", "f_phase", "f_xavier_tanh"},  # hidden when the link is followed: everything shows again
}


def with_script(page: Path, name: str, script: str) -> Path:
    """Write a copy of the page that runs a script once it has loaded."""
    other = page.with_name(f"{name}.html")
    added = f"<script>addEventListener('load', async () => {{ {script} }});</script></body>"
    other.write_text(page.read_text(encoding="utf-8").replace("</body>", added), encoding="utf-8")
    return other


def test_a_page_opened_with_a_filter_is_filtered(page: Path, tmp_path: Path) -> None:
    dom, console = loaded(page, tmp_path, "#knob=init&verdict=reproduced")
    assert console == []
    assert shown(dom) == {"f_phase"}
    assert 'data-shown="1"' in dom
    assert len(re.findall(r'aria-pressed="true"', dom)) == 2


def test_filters_links_clicks_and_the_theme_work(page: Path, tmp_path: Path) -> None:
    script = f"""
        const results = [], visible = () => [...document.querySelectorAll("article")].filter(a => a.offsetHeight).map(a => a.id).join(" ");
        for (const hash of {list(FILTERS)}) {{
          const changed = new Promise(done => addEventListener("hashchange", done, {{once: true}}));
          location.hash = hash; await changed; await 0; results.push(visible());
        }}
        document.querySelector("[data-value=refuted]").click(); results.push(visible());
        results.push(document.getElementById("status").textContent, location.hash);
        document.getElementById("clear").click(); results.push(visible());
        document.getElementById("theme").click(); results.push(document.documentElement.dataset.theme);
        results.push(getComputedStyle(document.body).backgroundColor);
        document.body.dataset.results = results.join("|");
    """
    dom, console = loaded(with_script(page, "clicked", script), tmp_path)
    assert console == []
    match = re.search(r'<body data-results="([^"]*)"', dom)
    assert match is not None
    results = match[1].replace("&amp;", "&").split("|")
    assert [set(names.split()) for names in results[: len(FILTERS)]] == list(FILTERS.values())
    clicked, status, fragment, cleared, theme, ground = results[len(FILTERS) :]
    assert clicked == "f_xavier_tanh"
    assert status == "1 of 3 findings shown"
    assert fragment == "#verdict=refuted"
    assert len(cleared.split()) == 3
    assert (theme, ground) == ("dark", "rgb(21, 23, 26)")


def test_nothing_is_wider_than_the_window_at_three_widths(page: Path, tmp_path: Path) -> None:
    frame = page.read_text(encoding="utf-8").replace("&", "&amp;").replace('"', "&quot;")
    frames = "".join(f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{frame}"></iframe>' for width in (360, 800, 1440))
    over = "f => f.contentDocument.documentElement.scrollWidth - f.contentDocument.documentElement.clientWidth"
    script = f"addEventListener('load', () => {{ document.body.dataset.over = [...document.querySelectorAll('iframe')].map({over}); }})"
    other = page.with_name("narrow.html")
    other.write_text(f"<!DOCTYPE html><body>{frames}<script>{script}</script></body>", encoding="utf-8")
    dom, _ = loaded(other, tmp_path)
    assert '<body data-over="0,0,0"' in dom, re.search(r"<body[^>]*>", dom)
