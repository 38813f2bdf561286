"""What people type who expect more, or something else, of a command: one line that helps, exit code 2, nothing written."""

import json

import pytest

from experiments import cli

A_LIST = "must be the name of one choice"
ONE = "takes one configuration"

ODD = {
    "a diagram of a prepared sweep": (["phase", "+experiment=depth_by_activation"], [ONE, "a sweep of 120"]),
    "a diagram of a sweep": (["phase", "activation=tanh,relu"], [ONE, "`activation=tanh,relu`", "choose one of its values"]),
    "a diagram of a range": (["phase", "seed=range(3)"], [ONE, "`seed=range(3)`"]),
    "a plane of nothing swept": (["phase", "-m", "activation=tanh"], ["phase -m draws over two swept keys, got 0", "sweep two"]),
    "a diagram of two folders": (["phase", "a", "b"], ["one results folder"]),
    "remedies of a sweep": (["remedies", "depth=10,20"], [ONE, "`depth=10,20`"]),
    "remedies of a prepared sweep": (["remedies", "+experiment=depth_by_activation"], [ONE, "a sweep of 120"]),
    "remedies in several modes": (["remedies", "hydra.mode=MULTIRUN", "seed=1,2"], [ONE, "`seed=1,2`"]),
    "remedies over seeds": (["remedies", "seed=1,2,3"], [ONE]),
    "a repetition in two places": (["run", "--from", "x", "results_dir=a,b"], [ONE, "--from"]),
    "a list for a loss": (["run", "loss=[1,2]"], ["`loss`", A_LIST]),
    "a list for an activation, phase": (["phase", "activation=[tanh,relu]"], ["one activation", "[tanh, relu]", "choose one of them"]),
    "numbers for activations, theory": (["theory", "activation=[1,2]"], ["`activations` must be a word or a list of words", "[1, 2]"]),
    "a list for data, remedies": (["remedies", "data=[digits]"], ["`data`", A_LIST]),
    "a list for a group of a finding": (["reproduce", "--finding", "s_vanish", "init=[1,2]"], ["s_vanish", "`init`", A_LIST]),
    "no key": (["run", "=3"], ["key=value", "'=3'"]),
    "a finding with an experiment": (["reproduce", "--finding", "s_vanish", "+experiment=overview"], ["+experiment=overview", "itself"]),
    "a finding in another mode": (["reproduce", "--finding", "s_vanish", "hydra.mode=RUN"], ["hydra.mode=RUN", "itself"]),
    "findings in a file": (["reproduce", "--findings", "file"], ["file is a file"]),
    "a finding with -m": (["reproduce", "-m", "--finding", "s_vanish"], ["-m"]),
    "a report of a file": (["report", "file"], ["file is a file", "results folder"]),
    "an export of a file": (["export", "file", "--json"], ["file is a file"]),
    "a verification of a file": (["verify", "file", "--json"], ["file is a file"]),
    "a merge of a file": (["merge", "file", "file", "-o", "both"], ["file is a file"]),
    "a repetition of a file": (["run", "--from", "file"], ["file is a file"]),
    "a plan of theory": (["theory", "--dry-run"], ["--dry-run", "gradstab theory --help"]),
    "theory of an empty sweep": (["theory", "-m", "seed=range(0)"], ["empty"]),
    "a part of the config that is none": (["run", "--cfg", "job", "--package", "nowhere"], ["--package nowhere"]),
    "a report as JSON": (["report", "empty", "--json"], ["--json", "gradstab report --help"]),
    "data in a file": (["data", "mnist", "--dir", "file"], ["file"]),
    "bench into a file": (["bench", "--only", "engine", "--output", "file"], ["cannot make file"]),
    "a graph into a file": (["graph", "x*x", "x=1", "--output", "file/x"], ["cannot write"]),
    "a graph of an experiment": (["graph", "x*x", "x=1", "+experiment=overview"], ["+experiment"]),
}


@pytest.mark.parametrize(("arguments", "words"), ODD.values(), ids=ODD)
def test_odd_input_is_one_line_that_helps(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    assert code == 2, err
    assert out == ""
    assert err.startswith("gradstab: error: ")
    assert err.count("\n") == 1
    assert all(word in err for word in words), err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file"]
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("command", ["phase", "remedies"])
def test_no_flag_is_advised_that_the_command_lacks(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main([command, "depth=1,2"]) == 2
    assert "-m" not in capsys.readouterr().err.split()


def test_theory_of_a_prepared_sweep_is_all_of_it(capsys):
    assert cli.main(["theory", "+experiment=init_scale", "depth=2", "seed=0", "--json"]) == 0
    predictions = json.loads(capsys.readouterr().out)
    assert len({row["sigma_w2"] for row in predictions}) > 2
