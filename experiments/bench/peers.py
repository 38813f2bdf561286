"""The same sweep in PyTorch and JAX, as their users would write it; a file on its own: `python peers.py --peer torch`.

Every run is tanh layers under a softmax cross-entropy, plain gradient descent on one fixed batch. At every step the norm of
∂J/∂z of every layer of every run is recorded. The best of several stretches counts; compilation does not.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

CLASSES, LR = 10, 0.01


def best_of(sweep: Callable[[], object], repetitions: int) -> float:
    """Return the shortest time of a sweep in seconds, after one that does not count."""
    sweep()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        sweep()
        times.append(time.perf_counter() - start)
    return min(times)


def torch_eager(args: argparse.Namespace) -> float:
    """One run after another: a module of linear layers, retained gradients, `.item()` of each norm."""
    import torch

    torch.set_num_threads(1)
    dtype = getattr(torch, args.dtype)
    sizes = [args.width] * (args.depth + 1) + [CLASSES]
    linear = [torch.nn.Linear(n, k).to(dtype) for n, k in pairwise(sizes)]
    optimizer = torch.optim.SGD(torch.nn.ModuleList(linear).parameters(), lr=LR)
    x, y = torch.randn(args.batch, args.width, dtype=dtype), torch.randint(0, CLASSES, (args.batch,))

    def sweep() -> None:
        for _ in range(args.steps):
            a, inputs = x, []
            for layer in linear[:-1]:
                inputs.append(layer(a))
                inputs[-1].retain_grad()
                a = torch.tanh(inputs[-1])
            inputs.append(linear[-1](a))
            inputs[-1].retain_grad()
            loss = torch.nn.functional.cross_entropy(inputs[-1], y)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            _ = [z.grad.norm().item() for z in inputs if z.grad is not None]
            optimizer.step()

    return best_of(sweep, args.repetitions)


def torch_stacked(args: argparse.Namespace) -> float:
    """All runs at once by batched products."""
    import torch

    torch.set_num_threads(1)
    dtype, runs = getattr(torch, args.dtype), args.runs
    sizes = [args.width] * (args.depth + 1) + [CLASSES]
    pairs = list(pairwise(sizes))
    weights = [torch.nn.Parameter(torch.randn(runs, n, k, dtype=dtype) / math.sqrt(n)) for n, k in pairs]
    biases = [torch.nn.Parameter(torch.zeros(runs, 1, k, dtype=dtype)) for _, k in pairs]
    optimizer = torch.optim.SGD([*weights, *biases], lr=LR)
    x, y = torch.randn(runs, args.batch, args.width, dtype=dtype), torch.randint(0, CLASSES, (runs * args.batch,))

    def sweep() -> None:
        for _ in range(args.steps):
            a, inputs = x, []
            for w, b in zip(weights, biases, strict=True):
                inputs.append(torch.baddbmm(b, a, w))
                inputs[-1].retain_grad()
                a = torch.tanh(inputs[-1])
            loss = torch.nn.functional.cross_entropy(inputs[-1].reshape(-1, CLASSES), y, reduction="sum") / args.batch
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            _ = [z.grad.flatten(1).norm(dim=1) for z in inputs if z.grad is not None]
            optimizer.step()

    return best_of(sweep, args.repetitions) / int(runs)


def torch_compiled(args: argparse.Namespace) -> float:
    """One step as a function, mapped over the runs by `torch.func` and compiled as a whole by `torch.compile`."""
    import torch

    torch.set_num_threads(1)
    dtype, runs = getattr(torch, args.dtype), args.runs
    sizes = [args.width] * (args.depth + 1) + [CLASSES]
    params = [(torch.randn(runs, n, k, dtype=dtype) / math.sqrt(n), torch.zeros(runs, k, dtype=dtype)) for n, k in pairwise(sizes)]
    x, y = torch.randn(runs, args.batch, args.width, dtype=dtype), torch.randint(0, CLASSES, (runs, args.batch))
    shifts = [torch.zeros(args.batch, k, dtype=dtype) for k in sizes[1:]]  # added to z, so that ∂J/∂z is a gradient to ask for

    def loss(params: Any, shifts: Any, x: Any, y: Any) -> Any:
        a = x
        for (w, b), shift in zip(params[:-1], shifts[:-1], strict=True):
            a = torch.tanh(a @ w + b + shift)
        return torch.nn.functional.cross_entropy(a @ params[-1][0] + params[-1][1] + shifts[-1], y)

    def step(params: Any, x: Any, y: Any) -> Any:
        gradients, deltas = torch.func.grad(loss, argnums=(0, 1))(params, shifts, x, y)
        new = [(w - LR * g_w, b - LR * g_b) for (w, b), (g_w, g_b) in zip(params, gradients, strict=True)]
        return new, torch.stack([delta.norm() for delta in deltas])

    compiled = torch.compile(torch.func.vmap(step))

    def sweep() -> None:
        now: Any = params
        with torch.no_grad():  # `torch.func.grad` differentiates; nothing else is to be kept
            for _ in range(args.steps):
                now, _ = compiled(now, x, y)

    return best_of(sweep, args.repetitions) / int(runs)


def jax_vmap(args: argparse.Namespace) -> float:
    """The step scanned, mapped over the runs and compiled as a whole."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", args.dtype == "float64")
    dtype = jnp.dtype(args.dtype)
    sizes = [args.width] * (args.depth + 1) + [CLASSES]

    def run(key: Any) -> Any:
        keys = jax.random.split(key, len(sizes) + 1)
        params = [
            (jax.random.normal(k, (n, o), dtype) / math.sqrt(n), jnp.zeros(o, dtype))
            for k, n, o in zip(keys[2:], sizes, sizes[1:], strict=False)
        ]
        x, y = jax.random.normal(keys[0], (args.batch, args.width), dtype), jax.random.randint(keys[1], (args.batch,), 0, CLASSES)
        shifts = [jnp.zeros((args.batch, o), dtype) for o in sizes[1:]]  # added to z, so that ∂J/∂z is a gradient to ask for

        def loss(params: Any, shifts: Any) -> Any:
            a = x
            for (w, b), shift in zip(params[:-1], shifts[:-1], strict=True):
                a = jnp.tanh(a @ w + b + shift)
            z = a @ params[-1][0] + params[-1][1] + shifts[-1]
            return -jax.nn.log_softmax(z)[jnp.arange(args.batch), y].mean()

        def step(params: Any, _: Any) -> Any:
            gradients, deltas = jax.grad(loss, argnums=(0, 1))(params, shifts)
            norms = jnp.stack([jnp.linalg.norm(delta) for delta in deltas])
            return jax.tree.map(lambda p, g: p - LR * g, params, gradients), norms

        return jax.lax.scan(step, params, None, length=args.steps)[1]

    keys = jax.random.split(jax.random.PRNGKey(0), args.runs)
    compiled = jax.jit(jax.vmap(run)).lower(keys).compile()
    return best_of(lambda: compiled(keys).block_until_ready(), args.repetitions) / int(args.runs)


PEERS = {"torch": torch_eager, "torch-stacked": torch_stacked, "torch-compiled": torch_compiled, "jax": jax_vmap}


def main() -> None:
    """Measure one peer at one shape and print JSON; `missing` where it is not installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=PEERS, required=True)
    for name, default in (("width", 30), ("batch", 32), ("depth", 20), ("steps", 20), ("runs", 64), ("repetitions", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--dtype", default="float32")
    args = parser.parse_args()
    try:
        seconds = PEERS[args.peer](args)
    except ModuleNotFoundError as error:
        print(json.dumps({"missing": error.name}))
        return
    print(json.dumps({"us_per_run_step": 1e6 * seconds / args.steps}))


if __name__ == "__main__":
    main()
