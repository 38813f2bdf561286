"""Every gradient against PyTorch's autograd, an implementation that nobody here wrote."""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.bpcore import runs
from tests.bpcore.cases import ACTIVATIONS, CLASSIC, DROPPED, LOSSES, MIXED, NORMALIZATIONS, RESIDUAL, Case, build, chosen
from tests.bpcore.test_gradients import residual_zeros, zeros
from tests.comparing import assert_gradients_match
from tests.every import every
from tests.oracles import Array, Gradients, Key, Problem, row_for, term_sizes

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is not installed", allow_module_level=True)


class OnDemand:
    """A module that is imported when something of it is first used: every worker collects these tests, and few run one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


torch, functional = OnDemand("torch"), OnDemand("torch.nn.functional")

RUNS = (("fan_in", 0.0), ("orthogonal", 0.0), ("he", 0.05))

PEERS: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda z: torch.sigmoid(z),
    "tanh": lambda z: torch.tanh(z),
    "relu": lambda z: torch.relu(z),
    "leaky_relu": lambda z, alpha: functional.leaky_relu(z, negative_slope=alpha),
    "elu": lambda z, alpha: functional.elu(z, alpha=alpha),
    "selu": lambda z: functional.selu(z),
    "softplus": lambda z: functional.softplus(z, threshold=1e9),
    "gelu": lambda z: functional.gelu(z),
    "silu": lambda z: functional.silu(z),
    "softsign": lambda z: functional.softsign(z),
    "exponential": lambda z: z.exp(),
    "hard_tanh": functional.hardtanh,
    "relu6": functional.relu6,
    "mish": functional.mish,
    "gelu_tanh": lambda z: functional.gelu(z, approximate="tanh"),
    "identity": lambda z: z,
}


def _mse(z: Any, y: Any) -> Any:
    return 0.5 * functional.mse_loss(z, y, reduction="sum") / len(y)


def _cosh(z: Any, y: Any) -> Any:
    return (torch.cosh(z - y) - 1).sum() / len(y)


def _sigmoid_cross_entropy(z: Any, y: Any) -> Any:
    return functional.binary_cross_entropy_with_logits(z, y, reduction="sum") / len(y)


LOSS_PEERS: dict[str, Callable[[Any, Any], Any]] = {
    "mse": _mse,
    "cosh": _cosh,
    "sigmoid_cross_entropy": _sigmoid_cross_entropy,
    "softmax_cross_entropy": lambda z, y: functional.cross_entropy(z, y),
}


def peer(name: str) -> Callable[[Any], Any]:
    """Return PyTorch's version of an activation with the arguments of its conf file."""
    function = row_for(PEERS, name, "PyTorch counterpart", "tests/bpcore/test_torch.py, PEERS")
    arguments = ACTIVATIONS[name].keywords
    return lambda z: function(z, **arguments)


def peer_of_norm(norm: Any, gamma: Any, beta: Any) -> Callable[[Any], Any]:
    """Return PyTorch's version of a normalization, of examples in rows."""
    peers: dict[str, Callable[[Any], Any]] = {
        "batch": lambda z: functional.batch_norm(z, None, None, gamma, beta, training=True, eps=norm.eps),
        "layer": lambda z: functional.layer_norm(z, z.shape[1:], gamma, beta, eps=norm.eps),
        "rms": lambda z: functional.rms_norm(z, z.shape[1:], gamma, eps=norm.eps) + beta,
        "group": lambda z: functional.group_norm(z, norm.groups, gamma, beta, eps=norm.eps),
    }
    return row_for(peers, norm.kind, "PyTorch counterpart", "tests/bpcore/test_torch.py, peer_of_norm")


def autograd(problem: Problem, case: Case) -> Gradients:
    """Return every gradient of a problem, run by run, examples in rows as PyTorch has them."""
    per_run: list[dict[Key, Array]] = []
    phis = [*map(peer, case.names), peer(case.output)]
    loss = row_for(LOSS_PEERS, case.loss, "PyTorch counterpart", "tests/bpcore/test_torch.py, LOSS_PEERS")
    for run, decay in enumerate(problem.weight_decay):
        p = {key: torch.tensor(array[run], requires_grad=True) for key, array in problem.parameters.items()}
        z: dict[int, Any] = {0: torch.tensor(problem.x[0].T, requires_grad=True)}
        y = torch.tensor(problem.y[0].T)
        a, streams = z[0], dict[int, Any]()
        for l in range(1, problem.L + 1):
            z[l] = functional.linear(a, p["W", l], p["b", l][:, 0])
            skip, adds = problem.skip, problem.skip is not None and problem.skip.adds(l)
            if adds and skip.of_z:
                z[l] = streams[skip.below(l)] + p.get(("alpha", l), skip.alpha) * z[l]
            z[l].retain_grad()
            normal = peer_of_norm(problem.norm, p["gamma", l][:, 0], p["beta", l][:, 0]) if ("gamma", l) in p else None
            after = normal is not None and problem.norm is not None and problem.norm.after
            h = normal(z[l]) if normal is not None and not after else z[l]
            below, branch = a, h if skip is not None and skip.kind == "block" and l % 2 and l < problem.L else phis[l - 1](h)
            last = normal if normal is not None and after else lambda value: value
            mask = torch.tensor(problem.masks[l][run].T) if l in problem.masks else 1.0
            if adds and not skip.of_z:
                factor = p.get(("alpha", l), skip.alpha)
                a = last(below + factor * mask * branch) if skip.post else below + factor * mask * last(branch)
            else:
                a = mask * last(branch)
            streams[l] = a if skip is not None and not skip.of_z else h if skip is not None and skip.post else z[l]
        J = loss(a, y) + decay / 2 * sum((p["W", l] ** 2).sum() for l in range(1, problem.L + 1))
        J.backward()
        gradients = {key: tensor.grad.numpy() for key, tensor in p.items()}
        per_run.append(gradients | {("delta", l): len(y) * tensor.grad.numpy().T for l, tensor in z.items()})
    return {key: np.stack([gradients[key] for gradients in per_run]) for key in per_run[0]}


CASES = (
    [
        Case(activation, loss, output, normalization, depth)
        for depth in (1, 5, 20)
        for activation in ACTIVATIONS
        for normalization in NORMALIZATIONS
        for loss in LOSSES
        for output in (["identity"] if LOSSES[loss]().takes_logits else ["identity", "sigmoid"])
        if chosen(activation, loss, normalization, depth) and (output == "identity" or {activation, normalization} <= CLASSIC)
    ]
    + MIXED
    + DROPPED
)


@every(CASES, by=lambda case: f"{case.activation}-{case.depth}")
def test_every_gradient_agrees_with_autograd(case: Case) -> None:
    built = build(case, RUNS)
    expected = autograd(built.problem, case)
    found = zeros(case, RUNS, expected, term_sizes(built.problem))
    assert_gradients_match(built.core_gradients(), expected, zeros=found)


@pytest.mark.parametrize("case", RESIDUAL, ids=str)
def test_every_gradient_of_a_residual_net_agrees_with_autograd(case: Case) -> None:
    built = build(case, RUNS)
    expected = autograd(built.problem, case)
    assert_gradients_match(built.core_gradients(), expected, zeros=residual_zeros(built, expected))


MODULES: dict[str, Callable[[], Any]] = {
    "mse": lambda: torch.nn.MSELoss(),
    "sigmoid_cross_entropy": lambda: torch.nn.BCEWithLogitsLoss(),
    "softmax_cross_entropy": lambda: torch.nn.CrossEntropyLoss(),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_with_reduction_mean_a_learning_rate_of_torch_makes_the_same_steps(name: str, momentum: float) -> None:
    steps, lr = 12, 0.3
    settings = runs.stack(loss=name, optimizer="momentum" if momentum else "sgd", steps=steps, snapshot=0)
    averaged = replace(settings, network=replace(settings.network, loss=LOSSES[name](reduction="mean")))
    ended = replace(averaged, recording=replace(averaged.recording, snapshot=steps))
    data = runs.examples()
    start, end = (runs.train(each, [runs.run(lr=lr)], data)[0] for each in (averaged, ended))
    first, last = start.snapshot, end.snapshot
    assert first is not None
    assert last is not None
    layers = [torch.nn.Linear(*reversed(first[f"W{l}"].shape), dtype=torch.float64) for l in (1, 2, 3)]
    with torch.no_grad():
        for l, layer in enumerate(layers, 1):
            layer.weight.copy_(torch.tensor(first[f"W{l}"]))
            layer.bias.copy_(torch.tensor(first[f"b{l}"][:, 0]))
    model = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1], torch.nn.Tanh(), layers[2])
    rule, loss = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum), MODULES[name]()
    x, y = torch.tensor(data.x.T.copy()), torch.tensor(data.y.T.copy())
    losses = []
    for step in range(steps + 1):
        rule.zero_grad()
        value = loss(model(x), y)
        value.backward()
        losses.append(float(value.detach()))
        if step < steps:
            rule.step()
    np.testing.assert_allclose(end.steps["loss"], losses, rtol=1e-12)
    for l, layer in enumerate(layers, 1):
        for own, theirs in ((last[f"W{l}"], layer.weight), (last[f"b{l}"][:, 0], layer.bias)):
            theirs = theirs.detach().numpy()
            assert np.linalg.norm(own - theirs) <= 1e-12 * np.linalg.norm(theirs)
    other = runs.train(settings, [runs.run(lr=lr)], data)[0].steps["loss"]
    assert (np.abs(other - losses) > 1e-3).any() == (name != "softmax_cross_entropy")  # as a sum it makes other steps
