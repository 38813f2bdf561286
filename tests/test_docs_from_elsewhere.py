"""docs/from-elsewhere.md: its commands are valid, its column of PyTorch is PyTorch's, and its own column is ours."""

import inspect
import re
import shlex
from typing import Any

import numpy as np
import pytest

from bpcore import activations, adam_variants, example_normalization, losses, normalization, optimizers
from experiments.compose.composition import compose, runs_of
from tests.processes import ROOT

TEXT = (ROOT / "docs" / "from-elsewhere.md").read_text(encoding="utf-8")
COMMANDS = [command for command in re.findall(r"`gradstab run (data=[^`]*)`", TEXT) if "data=mnist" not in command]


def default(function: Any, name: str) -> Any:
    return inspect.signature(function).parameters[name].default


def test_there_are_ten_nets() -> None:
    assert len(COMMANDS) == 10


@pytest.mark.parametrize("command", COMMANDS)
def test_a_net_of_the_page_is_valid(command: str) -> None:
    runs, _ = runs_of(compose([], shlex.split(command)))
    assert len(runs) == 1


def test_the_column_of_this_laboratory() -> None:
    assert default(activations.leaky_relu, "alpha") == 0.1
    assert default(optimizers.adam, "eps") == 1e-8
    assert (default(optimizers.rmsprop, "rho"), default(optimizers.rmsprop, "eps")) == (0.9, 1e-7)
    assert default(adam_variants.adamw, "weight_decay") == 0.01
    assert (default(normalization.batch, "eps"), default(normalization.batch, "momentum")) == (1e-5, 0.1)
    assert default(example_normalization.layer, "eps") == default(example_normalization.rms, "eps") == 1e-5


def test_the_column_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    assert torch.nn.LeakyReLU().negative_slope == 0.01
    assert default(torch.optim.Adam, "eps") == 1e-8
    assert (default(torch.optim.RMSprop, "alpha"), default(torch.optim.RMSprop, "eps")) == (0.99, 1e-8)
    assert default(torch.optim.AdamW, "weight_decay") == 0.01
    assert (torch.nn.BatchNorm1d(2).eps, torch.nn.BatchNorm1d(2).momentum) == (1e-5, 0.1)
    assert torch.nn.LayerNorm(2).eps == 1e-5
    assert default(torch.nn.RMSNorm, "eps") is None
    assert default(torch.utils.data.DataLoader, "drop_last") is False
    assert default(torch.nn.init.kaiming_normal_, "mode") == "fan_in"


def test_pytorchs_linear_begins_with_a_third_of_one_over_n_and_with_biases() -> None:
    torch = pytest.importorskip("torch")
    n = 400
    torch.manual_seed(0)
    layer = torch.nn.Linear(n, n)
    for parameter in (layer.weight, layer.bias):
        assert float(parameter.detach().abs().max()) <= n**-0.5
    assert float(layer.weight.detach().var()) == pytest.approx(1 / (3 * n), rel=0.02)
    assert float(layer.bias.detach().var()) == pytest.approx(1 / (3 * n), rel=0.2)


def test_the_prepared_sweeps_are_the_commands_of_the_page() -> None:
    named = re.findall(r"\| `\+experiment=(\w+)` \| `gradstab run ([^`]*)` \|", TEXT)
    assert len(named) == 10
    for name, words in named:
        prepared, typed = ([*runs_of(compose([], [*given, "seed=0"]))[0]] for given in ([f"+experiment={name}"], shlex.split(words)))
        assert [run.run_id for run in prepared] == [run.run_id for run in typed], name


def test_losses_against_pytorch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    K, m = 5, 7
    z, y = rng.standard_normal((K, m)), rng.standard_normal((K, m))
    ours = {reduction: float(losses.mse(reduction).value(z, y, activations.identity()).mean()) for reduction in ("sum_outputs", "mean")}
    theirs = float(torch.nn.MSELoss()(torch.tensor(z), torch.tensor(y)))
    assert ours["mean"] == pytest.approx(theirs, rel=1e-12)
    assert ours["sum_outputs"] == pytest.approx(theirs * K / 2, rel=1e-12)


def test_our_running_variance_is_biased_and_begins_with_the_first_batch() -> None:
    z = np.array([[[1.0, 2.0, 6.0]]])
    running = normalization.RunningStatistics(0.1)
    mean, variance = z.mean(axis=-1, keepdims=True), z.var(axis=-1, keepdims=True)
    running.update({1: normalization.BatchStatistics((z - mean) / np.sqrt(variance), np.sqrt(variance), mean, variance)})
    mean, variance = running.of(1)
    assert float(mean[0, 0, 0]) == pytest.approx(3)
    assert float(variance[0, 0, 0]) == pytest.approx(z.var())


def test_pytorchs_running_variance_is_unbiased_and_weighs_the_newest_batch_by_its_momentum() -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.BatchNorm1d(1).double()
    z = np.array([[1.0], [2.0], [6.0]])
    layer(torch.tensor(z))
    assert float(layer.running_mean[0]) == pytest.approx(0.1 * z.mean())
    assert float(layer.running_var[0]) == pytest.approx(0.9 + 0.1 * z.var(ddof=1))
