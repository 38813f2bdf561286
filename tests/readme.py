"""The outputs of README.md and docs/modern.md, made anew by the commands that stand above them, and the README's pictures.

`make readme` runs it. In a block that begins with `$ gradstab`, what follows a command is its output. A line `…` stands for
lines that are left out: what stands before the first one is the output's beginning; a passage behind one begins at the next line
that has its first line's label (up to a colon, or the first word), and has as many lines as before; the last one goes on to the
end, so that nothing is left out without an `…`. A command without output is planned by `--dry-run` where it is a run; a results
folder that it names is the one that the command before it has made.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = (README, ROOT / "docs" / "modern.md")
LEFT_OUT = "…"

_BLOCK = re.compile(r"^```\n(\$ gradstab .*?)^```$", re.MULTILINE | re.DOTALL)
_FOLDER = re.compile(r"results/(?:run|sweep)-[0-9a-f]{8}")

Make = Callable[[list[str]], str]
"""Run gradstab with arguments, and return what it prints."""


def label(line: str) -> str:
    """Return what a line is known by, whatever its numbers: up to its colon, or its first word."""
    head, colon, _ = line.partition(": ")
    return head if colon else line.split()[0] if line.split() else ""


def elided(shown: list[str], output: list[str]) -> list[str]:
    """Return the lines of an output that stand in for those that were shown.

    Args:
        shown: as the README has them, with `…` for what is left out.
        output: all lines.

    Returns:
        The same passages of the output.

    Raises:
        ValueError: a passage is not there any more.
    """
    marks = [place for place, line in enumerate(shown) if line.strip() == LEFT_OUT]
    if not marks:
        return output
    result, place = output[: marks[0]], marks[0]
    for mark, end in zip(marks, [*marks[1:], len(shown)], strict=True):
        passage = shown[mark + 1 : end]
        result.append(shown[mark])
        if not passage:
            continue
        starts = [at for at in range(place, len(output)) if label(output[at]) == label(passage[0])]
        if not starts:
            raise ValueError(f"no line of the output is called {label(passage[0])!r}")
        place = len(output) if end == len(shown) else starts[0] + len(passage)
        result += output[starts[0] : place]
    return result


def block(text: str, make: Make, made: list[str]) -> str:
    """Return a block with its commands' outputs made anew.

    Args:
        text: of the block, without its fences.
        make: runs a command.
        made: results folders that were printed so far; those of this block are added.
    """
    lines: list[str] = []
    for step in re.split(r"^(?=\$ )", text.rstrip("\n"), flags=re.MULTILINE)[1:]:
        command, *shown = step.rstrip("\n").split("\n")
        if made:
            command = _FOLDER.sub(made[-1], command)
        arguments = shlex.split(command, comments=True)[2:]
        lines.append(command)
        if shown:
            output = make(arguments).rstrip("\n").split("\n")
            made += _FOLDER.findall("\n".join(output))[-1:]
            lines += elided(shown, output)
        elif arguments[0] == "run":
            make([*arguments, "--dry-run"])
    return "\n".join(lines) + "\n"


def rewritten(text: str, make: Make, wanted: Callable[[str], bool] = lambda block: True) -> str:
    """Return the README with its outputs made anew.

    Args:
        text: of the README.
        make: runs a command.
        wanted: which blocks are made; the others stay.
    """
    made: list[str] = []

    def replace(match: "re.Match[str]") -> str:
        return f"```\n{block(match[1], make, made)}```" if wanted(match[1]) else match[0]

    return _BLOCK.sub(replace, text)


def process(arguments: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run gradstab as a process of its own in a folder."""
    from tests.processes import environment, run

    return run([sys.executable, "-m", "experiments", *arguments], 1800, cwd=folder, env=environment())


def maker(folder: Path, way: "Callable[[list[str], Path], subprocess.CompletedProcess[str]]" = process) -> Make:
    """Return what runs gradstab in a folder, in one way or another."""
    from sklearn.datasets import load_breast_cancer

    load_breast_cancer(as_frame=True).frame.to_csv(folder / "cancer.csv", index=False)  # as the README says above its third example

    def make(arguments: list[str]) -> str:
        done = way(arguments, folder)
        if done.returncode:
            raise RuntimeError(f"gradstab {shlex.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return str(done.stdout)

    return make


SKIPS = ["run", "-m", "depth=11,51", "skip=none,preactivation,block", "normalization=none,layer,batch"]
SKIPS += ["activation=relu", "init=he", "lr=0.03", "seed=range(3)"]
"""The first sweep of docs/modern.md, of which it shows a figure."""

PICTURED = ["run", "-m", "depth=2,5,10,20", "activation=sigmoid,tanh,relu,elu", "normalization=none,batch", "seed=range(3)", "steps=100"]
"""Whose page the README shows; the picture's caption names it."""


def pictures(folder: Path, make: Make) -> None:
    """Make the pictures of docs/ anew; that of a page needs chromium, without which it stays.

    Args:
        folder: where the commands run; the README's own have run there before.
        make: runs a command.
    """
    docs = ROOT / "docs"
    make(["run", "+experiment=overview", "name=overview"])
    make(["report", "results/overview"])
    shutil.copyfile(folder / "results/overview/figures/delta_by_layer.png", docs / "delta_by_layer.png")
    shutil.copyfile(folder / "results/graph/graph.png", docs / "graph.png")
    (results,) = _FOLDER.findall(make(SKIPS))[-1:]
    make(["report", results])
    shutil.copyfile(folder / results / "figures/delta_by_layer.png", docs / "skips.png")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("docs/report.png stays as it is: there is no chromium here", file=sys.stderr)
        return
    (results,) = _FOLDER.findall(make(PICTURED))[-1:]
    page = (folder / make(["report", results]).strip()).resolve()
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000", "--window-size=992,1720"]
    picture = f"--screenshot={docs / 'report.png'}"
    subprocess.run([chromium, *flags, f"--user-data-dir={folder / 'profile'}", picture, page.as_uri()], check=True, timeout=120)


def main() -> None:
    """Rewrite the pages, and the pictures of docs/."""
    with tempfile.TemporaryDirectory(prefix="gradstab-readme-") as scratch:
        make = maker(Path(scratch))
        for page in PAGES:
            page.write_text(rewritten(page.read_text(encoding="utf-8"), make), encoding="utf-8")
        pictures(Path(scratch), make)


if __name__ == "__main__":
    main()
