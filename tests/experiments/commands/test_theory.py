"""`gradstab theory`: what it prints equals the theory, as text, JSON and table; bad input is one line."""

import json
import math
import warnings

import pytest

from bpcore import theory
from bpcore.activations import relu, tanh
from experiments.cli import main
from experiments.config.files import choice
from experiments.config.keys import Config
from experiments.config.validation import validate
from experiments.theory.table import describe
from tests.oracles import catalogue


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["theory", *arguments]) == 0
    return capsys.readouterr().out


def test_json_holds_the_depth_scales(capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(run(capsys, "activation=tanh", "init.scale=1.5", "init.bias_std=0.2", "depth=50", "--json"))
    scales = theory.depth_scales(tanh(), 2.25, 0.04)
    for key, expected in {
        "q_star": scales.q,
        "chi_1": scales.chi_1,
        "c_star": scales.c,
        "xi_q": scales.xi_q,
        "xi_c": scales.xi_c,
        "xi_grad": scales.xi_grad,
        "trainable_depth": 6 * scales.xi_c,
        "critical_sigma_w": theory.critical_sigma_w(tanh(), 0.04),
    }.items():
        assert values[key] == pytest.approx(expected, rel=1e-9), key
    assert values["phase"] == "chaotic"
    assert len(values["delta_norm"]) == 52
    assert values["end_to_end"] == pytest.approx(values["delta_norm"][1] / values["delta_norm"][50], rel=1e-12)
    assert values["delta_factor"] == pytest.approx(values["end_to_end"] ** (1 / 49), rel=1e-9)


def test_dropped_units_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    net = ("activation=relu", "init=he", "init.scale=0.8944271909999159", "dropout.rate=0.2")  # σ_w² = 1.6 = 2p
    values, text = json.loads(run(capsys, *net, "--json")), run(capsys, *net)
    scales = theory.depth_scales(relu(), 1.6, 0.0, keep=0.8)
    assert values["phase"] == "critical"
    assert values["critical_sigma_w"] == pytest.approx(math.sqrt(1.6), rel=1e-12)
    assert (values["c_star"], values["xi_c"]) == pytest.approx((scales.c, scales.xi_c), rel=1e-9)
    assert values["dropout_rate"] == 0.2
    assert values["delta_factor"] == pytest.approx(1, rel=1e-12)
    assert "keeps p = 0.8" in text
    assert "keeps p" not in run(capsys, "activation=relu")
    assert "equal weights under dropout have no theory" in run(capsys, "init=constant", "dropout.rate=0.2")


def test_infinities_and_missing_values_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(run(capsys, "activation=relu", "init=he", "--json"))
    assert values["xi_c"] == values["trainable_depth"] == "Infinity"
    assert values["fixed_points"] == [{"q": None, "slope": 1.0, "stability": "marginal"}]
    assert values["batch_norm_rate"] is None


def test_the_text_names_what_matters(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "activation=sigmoid", "depth=10")
    for words in ("ordered", "q*                    0.2647", "0.05572", "0.2361", "underflow", "float32", "edge of chaos"):
        assert words in text
    assert "missing" not in text
    assert "random biases have no theory" in run(capsys, "init=constant", "init.bias_std=1")
    assert "1.469 of ‖δ‖²" in run(capsys, "activation=relu", "normalization=batch")
    assert "linear classifier" in run(capsys, "depth=0")


def test_a_sweep_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(run(capsys, "-m", "seed=0,1", "--json"))
    assert [entry["activation"] for entry in listed] == ["tanh", "tanh"]
    lines = run(capsys, "-m", "activation=tanh,relu", "init.scale=1,2", "depth=4").splitlines()
    assert lines[0].split()[:3] == ["activation", "init.scale", "q*"]
    assert [line.split()[:2] for line in lines[1:5]] == [["tanh", "1"], ["tanh", "2"], ["relu", "1"], ["relu", "2"]]


def test_the_spread_is_that_of_the_width(capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(run(capsys, "activation=relu", "init=he", "width=100", "depth=21", "--json"))
    assert values["delta_factor_log_std"] == pytest.approx(math.sqrt(5 * 20 / 100) / 2 / 20, rel=1e-12)
    assert values["delta_factor"] == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(
    "arguments", [["depth=-1"], ["activation=nonesuch"], ["nonesuch=1"], ["init.scale=1,2"], ["-m", "init.scale=-1,2"]]
)
def test_bad_input_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["theory", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("depth", [2, 42])
@pytest.mark.parametrize("init", catalogue("init"))
def test_no_choice_leaks_a_warning(base: Config, init: str, depth: int) -> None:
    """Orthogonal nets whose z dies out have gates that are all but equal, and a spread of rounding alone."""
    for activation in catalogue("activation"):
        chosen = {"activation": choice("activation", activation), "init": choice("init", init), "depth": depth, "width": 128}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            values = describe(validate(base | chosen))
        assert not values["delta_factor_log_std"] < 0, activation
        if init == "orthogonal" and math.isfinite(values["delta_factor"]):
            assert math.isfinite(values["delta_factor_log_std"]), activation
