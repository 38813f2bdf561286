"""Damaged files and wrong folders: one line that says what to do, exit code 2, nothing written."""

import json
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest

from experiments import cli
from tests.experiments.helpers import TINY, sweep

SWEEP = ["depth=2", "seed=0,1", "steps=1"]
AGAIN = ["run", "-m", *TINY, *SWEEP, "name=x", "results_dir=."]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return sweep(tmp_path_factory.mktemp("finished"), *SWEEP, name="x").path


def cut(name, size=100):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


def flip(name):
    def damage(folder):
        column = pq.ParquetFile(folder / name).metadata.row_group(0).column(0)
        begin = column.data_page_offset if column.dictionary_page_offset is None else column.dictionary_page_offset
        raw = bytearray((folder / name).read_bytes())
        raw[begin + column.total_compressed_size - 1] ^= 255  # of what a page holds: its checksum is of that, and not of its header
        (folder / name).write_bytes(raw)

    return damage


def text(name, content):
    def damage(folder):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)

    return damage


def without_column(folder):
    pd.read_parquet(folder / "layers.parquet").drop(columns="zero").to_parquet(folder / "layers.parquet")


def other_settings(folder):
    frame = pd.read_parquet(folder / "runs.parquet")
    frame.assign(lr=0.7).to_parquet(folder / "runs.parquet")


def other_version(folder):
    shutil.copytree(folder, folder / "old")
    provenance = json.loads((folder / "provenance.json").read_text())
    (folder / "old" / "provenance.json").write_text(json.dumps({**provenance, "arithmetic_version": 0}))


def idx(images, labels=b"\0\0\x08\1\0\0\0\0", suffix=""):
    def damage(folder):
        (folder / f"train-images-idx3-ubyte{suffix}").write_bytes(images)
        (folder / f"train-labels-idx1-ubyte{suffix}").write_bytes(labels)

    return damage


MNIST = ["run", "data=mnist", "data.dir=x", "steps=1"]
OWN = ["run", "--config-dir", "x/conf"]

BAD = {
    "runs cut short, run again": (cut("runs.parquet"), AGAIN),
    "layers cut short, run again": (cut("layers.parquet"), AGAIN),
    "runs cut short, report": (cut("runs.parquet"), ["report", "x"]),
    "layers empty, report": (cut("layers.parquet", 0), ["report", "x"]),
    "steps cut short, export": (cut("steps.parquet"), ["export", "x", "--csv"]),
    "histograms cut short, verify": (cut("histograms.parquet"), ["verify", "x"]),
    "runs cut short, merge": (cut("runs.parquet"), ["merge", "x", "x", "--output", "both"]),
    "a changed byte in layers": (flip("layers.parquet"), ["report", "x"]),
    "a changed byte in runs": (flip("runs.parquet"), ["report", "x"]),
    "a table without a column": (without_column, ["report", "x"]),
    "a table that is text": (text("steps.parquet", "step,loss\n"), ["report", "x"]),
    "provenance is no JSON, run again": (text("provenance.json", "{"), AGAIN),
    "provenance is no JSON, report": (text("provenance.json", "{"), ["report", "x"]),
    "provenance is no JSON, verify": (text("provenance.json", ""), ["verify", "x"]),
    "provenance is a list": (text("provenance.json", "[1]"), ["run", "--from", "x"]),
    "provenance is lost": (lambda folder: (folder / "provenance.json").unlink(), ["verify", "x"]),
    "settings that were changed, verify": (other_settings, ["verify", "x"]),
    "settings that were changed, repeat": (other_settings, ["run", "--from", "x"]),
    "another version, merge": (other_version, ["merge", "x", "x/old", "--output", "both"]),
    "no folder to repeat": (None, ["run", "--from", "nowhere"]),
    "a repetition with changes": (None, ["run", "--from", "x", "depth=3"]),
    "no folder to verify": (None, ["verify", "nowhere"]),
    "an empty sample": (None, ["verify", "x", "--sample", "0"]),
    "a bound below 0": (None, ["verify", "x", "--max-ulps", "-1"]),
    "one folder to merge": (None, ["merge", "x", "--output", "both"]),
    "a merge without an output": (None, ["merge", "x", "x"]),
    "a merge into what exists": (None, ["merge", "x", "x", "--output", "x"]),
    "a merge with nothing": (None, ["merge", "x", "nowhere", "--output", "both"]),
    "an experiment that is no YAML": (text("conf/experiment/own.yaml", "depth: [1\nname"), [*OWN, "+experiment=own"]),
    "an experiment with an unknown key": (
        text("conf/experiment/own.yaml", "# @package _global_\ndpeth: 3\n"),
        [*OWN, "+experiment=own"],
    ),
    "an experiment with a wrong type": (
        text("conf/experiment/own.yaml", "# @package _global_\ndepth: deep\n"),
        [*OWN, "+experiment=own"],
    ),
    "a choice without a factory": (
        text("conf/activation/own.yaml", "_target_: nowhere.to_be_found\nname: own\n"),
        [*OWN, "activation=own"],
    ),
    "a choice of another kind": (text("conf/activation/own.yaml", "_target_: builtins.dict\nname: own\n"), [*OWN, "activation=own"]),
    "images that are text": (idx(b"hello, world"), MNIST),
    "images cut short": (idx(b"\0\0\x08\3\0\0\0\x05\0\0\0\x1c\0\0\0\x1c\0"), MNIST),
    "images that are no gzip": (idx(b"\0\0\x08\3", suffix=".gz"), MNIST),
    "labels of another number": (idx(b"\0\0\x08\3\0\0\0\1\0\0\0\1\0\0\0\1\0"), MNIST),
}


@pytest.mark.parametrize(("damage", "arguments"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line_and_exit_code_2(finished, tmp_path, monkeypatch, capsys, damage, arguments):
    shutil.copytree(finished, tmp_path / "x")
    monkeypatch.chdir(tmp_path)
    if damage is not None:
        damage(tmp_path / "x")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    assert code == 2, err
    assert out == ""
    assert err.startswith("gradstab: error: ")
    assert err.count("\n") == 1, err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_there_are_enough_of_them():
    from tests.experiments.test_cli import BAD as BAD_LINES

    assert len({**BAD, **BAD_LINES}) == len(BAD) + len(BAD_LINES) >= 32
