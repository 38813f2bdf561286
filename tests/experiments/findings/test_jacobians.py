"""Singular values of a Jacobian, against finite differences of the net itself."""

from pathlib import Path

import numpy as np
import pytest

from bpcore.activations import tanh
from experiments.findings.jacobians import squared_singular_values


def test_it_is_the_derivative_of_the_hidden_layers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    W = {l: rng.standard_normal((5, 5)) / 2 for l in (1, 2, 3)}
    x = rng.standard_normal((5, 2))

    def layers(a: np.ndarray) -> dict[int, np.ndarray]:
        z = {}
        for l, weights in W.items():
            z[l] = weights @ a
            a = np.tanh(z[l])
        return z | {4: a}

    np.savez(tmp_path / "one.npz", **{f"W{l}": weights for l, weights in W.items()}, **{f"z{l}": layers(x)[l] for l in W})
    step = 1e-20j
    jacobian = np.array([layers(x[:, 0] + step * np.eye(5)[k])[4].imag / 1e-20 for k in range(5)]).T
    expected = np.linalg.svd(jacobian, compute_uv=False) ** 2
    assert squared_singular_values(tmp_path / "one.npz", 3, tanh().prime) == pytest.approx(expected, rel=1e-10)
