"""`gradstab graph` from its arguments to its files."""

import argparse
import json
import re
import time
from pathlib import Path

import pytest

from experiments.cli import dispatch, main
from experiments.commands import graph
from experiments.errors import UserError
from experiments.graphs import gallery
from experiments.graphs.examples import product_of_sum

LECTURE = ["(x+y)*z", "x=-2", "y=5", "z=-4"]


def run(*arguments: str) -> int:
    """Run the command as the command line does, up to where it catches what a user can repair."""
    return dispatch(["graph", *arguments])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_lecture_example(capsys: pytest.CaptureFixture[str], elsewhere: Path) -> None:
    assert run(*LECTURE) == 0
    out = capsys.readouterr().out
    assert "f = (x + y)*z = -12" in out
    table = {line.split()[0]: line.split() for line in out.splitlines() if line and line.split()[0] in ("x", "y", "z", "q1", "f")}
    assert table["x"][1:3] == ["-2", "-4"]
    assert table["z"][1:3] == ["-4", "3"]
    assert table["q1"] == ["q1", "x", "+", "y", "3", "-4", "add,", "distributes"]
    assert sorted(path.name for path in (elsewhere / "results" / "graph").iterdir()) == ["graph.dot", "graph.png", "graph.svg"]


def test_json_is_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*LECTURE, "--json", "--paths", "--check") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["value"] == -12
    assert content["gradients"] == {"x": -4, "y": -4, "z": 3}
    assert [node["name"] for node in content["nodes"]] == ["x", "y", "q1", "z", "f"]
    assert content["nodes"][2] == {
        "name": "q1", "gate": "add", "role": "distribute", "expression": "x + y", "inputs": ["x", "y"], "value": 3, "gradient": -4,
    }  # fmt: skip
    assert content["paths"]["x"]["sum"] == -4
    assert content["multiplications"] == {"paths": 3, "path_by_path": 2, "reverse": 2}
    assert all(entry["agrees"] and entry["relative_difference"] < 1e-12 for entry in content["complex_step"].values())


def test_json_holds_arrays_as_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("norm2(W@x)", "W=[[0.1,0.5],[-0.3,0.8]]", "x=[0.2,0.4]", "--json") == 0
    gradients = json.loads(capsys.readouterr().out)["gradients"]
    assert gradients["W"] == [pytest.approx([0.088, 0.176], rel=1e-12), pytest.approx([0.104, 0.208], rel=1e-12)]
    assert gradients["x"] == pytest.approx([-0.112, 0.636], rel=1e-12)


def test_paths_and_the_saving(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("(x1+x2)**2*x2**2+x2", "x1=1", "x2=2", "--paths") == 0
    out = capsys.readouterr().out
    assert "3 paths to x2" in out
    assert "f ← q4 ← q2 ← q1 ← x2   1 × 4 × 6 × 1 = 24" in out
    assert "sum 61, backward 61" in out
    assert "4 paths, 8 multiplications path by path; reverse mode: 6" in out


def test_more_paths_than_can_be_listed_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    power_tower = "*".join(["(x+x)"] * 101)
    assert run(power_tower, "x=0.5", "--paths", "--output", "one.dot") == 0
    assert "202 paths to x\n  (more than 100, not listed)" in capsys.readouterr().out


def test_expand_and_collapse_give_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    gradients = []
    for expression, option, gates_used in (
        ("sigmoid(w*x+b)", "--expand", {"multiply", "add", "negate", "exp", "reciprocal"}),
        ("1/(1+exp(-(w*x+b)))", "--collapse", {"multiply", "add", "sigmoid"}),
    ):
        assert run(expression, "w=2", "x=-1", "b=0.5", option, "--json") == 0
        content = json.loads(capsys.readouterr().out)
        assert {node["gate"] for node in content["nodes"]} - {"variable"} == gates_used
        gradients.append(content["gradients"])
    assert gradients[0] == pytest.approx(gradients[1], rel=1e-13)


def test_check_agrees_or_says_so_with_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sigmoid(x)*log(y)", "x=0.3", "y=2", "--check") == 0
    assert "complex step" in capsys.readouterr().out
    assert run("max(x, y)", "x=1", "y=1", "--check") == 1
    assert "disagree for x, y: expected only at a kink" in capsys.readouterr().err


def test_dot_goes_to_stdout_alone(capsys: pytest.CaptureFixture[str], elsewhere: Path) -> None:
    assert run(*LECTURE, "--dot") == 0
    out = capsys.readouterr().out
    assert out.startswith("digraph {")
    assert out.endswith("}\n")
    assert not list(elsewhere.iterdir())
    assert run(*LECTURE, "--dot", "--output", "a.svg") == 0
    assert capsys.readouterr().out == out
    assert [path.name for path in elsewhere.iterdir()] == ["a.svg"]


@pytest.mark.parametrize(
    "arguments",
    [
        [*LECTURE, "--json"],
        ["--json", *LECTURE],
        [LECTURE[0], "--json", *LECTURE[1:]],
        [*LECTURE[:2], "--json", *LECTURE[2:]],
        [*LECTURE[:2], "--output", "here", "--json", *LECTURE[2:]],
        [*LECTURE[:2], "--output=here", "--json", *LECTURE[2:]],
        ["--json", "--", *LECTURE],
    ],
)
def test_options_may_stand_anywhere(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 0
    assert json.loads(capsys.readouterr().out)["value"] == -12
    assert Path("here").is_dir() == any("here" in argument for argument in arguments)


def test_an_expression_may_begin_with_a_minus(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-x*y", "x=2", "y=3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["value"] == -6
    assert run("--json", "--", "--x*y", "x=2", "y=3") == 0
    assert json.loads(capsys.readouterr().out)["value"] == 6


def test_a_lone_variable(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("x", "x=3", "--paths", "--check") == 0
    assert "x = 3\n" in capsys.readouterr().out


def test_arrays_in_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sum(A@A.T)", "A=[[1,2,3,4,5,6,7,8,9]]", "--paths") == 0
    out = capsys.readouterr().out
    assert "array 1×9" in out
    assert "--json has every entry" in out
    assert "2 paths, 3 products of Jacobians path by path" in out


@pytest.mark.parametrize("intermixed", [True, False])
def test_both_ways_of_parsing_take_any_order(intermixed: bool) -> None:
    parser = argparse.ArgumentParser("gradstab graph")
    graph.add_arguments(parser)
    parse = parser.parse_intermixed_args if intermixed else parser.parse_args
    args = parse(["x=2", "--paths", "--output", "o", "--", "--x*y", "y=3"])
    assert (args.expression, args.values, args.paths, args.output) == ("x=2", ["--x*y", "y=3"], True, Path("o"))


@pytest.mark.parametrize(
    "arguments",
    [["x^2", "x=2"], ["x+", "x=1"], ["x*2"], ["x*2", "x="], ["x*2", "--nope", "x=1"], ["x*2", "x=1", "--output"], ["x", "x=1", "y\n=2"]],
)
def test_bad_input_through_the_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str], elsewhere: Path) -> None:
    assert main(["graph", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    line, *caret = captured.err.splitlines()
    assert line.startswith("gradstab: error: ")
    assert not caret or len(caret) == 2
    assert not list(elsewhere.iterdir())


def test_help_names_functions_and_conventions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    out = capsys.readouterr().out
    assert "logsumexp" in out
    assert "max: at a tie each input receives half" in out
    assert graph.__doc__ is not None
    assert graph.__doc__.splitlines()[0].endswith(".")


@pytest.mark.parametrize(("name", "written"), [("f.svg", ["f.svg"]), ("deep/f.png", ["f.png"]), ("f.dot", ["f.dot"])])
def test_output_may_be_one_file(name: str, written: list[str], elsewhere: Path) -> None:
    assert run(*LECTURE, "--output", name) == 0
    assert [path.name for path in (elsewhere / name).parent.iterdir()] == written


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no expression given"),
        (["x+", "x=1"], "expression, character 2: it cannot be read here"),
        ([*LECTURE, "--frobnicate"], "unrecognized arguments: --frobnicate"),
        ([*LECTURE, "--expand", "--collapse"], "not allowed with argument --expand"),
        ([*LECTURE, "--json", "--dot"], "not allowed with argument --json"),
        (["__import__('os').system('true')"], "cannot be called"),
        (["x**2"], "`x` has no value"),
        (["x*2", "x"], "`x` is no value"),
        (["2*3"], "`2*3` is a constant, 6: nothing to differentiate"),
        (["[1,2]"], "is a constant, an array"),
        (["x*y", "x=[1,2]", "y=3"], "has shape (2,), expected a scalar"),
        (["sqrt(x)", "x=0"], "the gradient of `x` is not finite here, in f = sqrt(x)"),
        (["sqrt(x*x)", "x=0"], "is not finite here"),
        (["sigmoid(x)", "x=-800", "--expand"], "overflows at this point"),
        ([*LECTURE, "--output", "f.jpg"], "expected a folder, or a file ending in .svg, .png, .dot"),
        ([*LECTURE, "--examples"], "--examples takes no expression"),
        (["--examples", "--output", "page.html"], "expected a folder"),
        (["sum(exp(x)*x*x*x)", "x=[" + "1," * 9000 + "1]", "--check"], "here are too many"),
        (["sum(x*x)", "x=[" + "1," * 9000 + "1]", "--paths"], "one is too large"),
    ],
)
def test_bad_input_is_a_user_error_in_one_line_within_a_second(arguments: list[str], message: str) -> None:
    started = time.process_time()
    with pytest.raises(UserError) as caught:
        run(*arguments)
    assert time.process_time() - started < 1
    assert message in str(caught.value).split("\n")[0]


def test_an_unwritable_place_is_a_user_error(elsewhere: Path) -> None:
    (elsewhere / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot write"):
        run(*LECTURE, "--output", "file/below")


def test_a_huge_graph_is_tabulated_but_not_drawn(capsys: pytest.CaptureFixture[str], elsewhere: Path) -> None:
    assert run("+".join(["x"] * 300), "x=1") == 0
    captured = capsys.readouterr()
    assert "not drawn: 300 nodes" in captured.err
    assert [path.name for path in (elsewhere / "results" / "graph").iterdir()] == ["graph.dot"]


def test_examples_write_a_page_and_fail_if_a_number_does(
    capsys: pytest.CaptureFixture[str], elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = product_of_sum()
    monkeypatch.setattr(gallery, "build", lambda: [example])
    assert run("--examples") == 0
    assert re.search(r"(\d+) of \1 numbers hold", capsys.readouterr().out)
    assert (elsewhere / "results" / "graph" / "examples" / "index.html").is_file()
    example.check("f", -13, -12, "a mistake")
    assert run("--examples", "--output", "page", "--json") == 1
    captured = capsys.readouterr()
    assert "does not hold: f = (x+y)z, f: stated -13, computed -12" in captured.err
    assert json.loads(captured.out)["checks"][-1]["holds"] is False
