"""A slow start with the quadratic cost, and none."""

import numpy as np
import pandas as pd
import pytest

from tests.experiments.findings.tables import Run, judged


def neuron(weight: float, start: float, end: float, delta: float, quadratic: bool = True, slow: float = 4.0) -> Run:
    step = np.arange(301)
    output = start + (end - start) * (step / 300) ** slow
    a = output if quadratic else np.log(output / (1 - output))
    norms = np.full(301, delta)
    layers = {"step": step, "layer": 1, "a_mean": a}
    loss = "mse" if quadratic else "sigmoid_cross_entropy"
    return {"delta_norm": norms, "theory": np.full(301, np.nan), "layers": layers, "loss": loss, "init.scale": weight, "depth": 0,
            "seed": 0, "steps": pd.DataFrame({"step": step})}  # fmt: skip


def sweeps(bad_end: float = 0.203, bad_delta: float = 0.017, slow: float = 4.0) -> dict[str, list[Run]]:
    neurons = {
        "mild": neuron(0.6, 0.818, 0.094, 0.12, slow=1.0),
        "bad": neuron(2.0, 0.982, bad_end, bad_delta, slow=slow),
        "mild_cross_entropy": neuron(0.6, 0.818, 0.01, 0.82, quadratic=False),
        "bad_cross_entropy": neuron(2.0, 0.982, 0.01, 0.98, quadratic=False),
    }
    return {name: [one] for name, one in neurons.items()}


def judge(**change: float) -> str:
    return judged("f_slowquad", sweeps(**change))[0].verdict


def test_it_holds() -> None:
    assert judge() == "reproduced"


@pytest.mark.parametrize("change", [{"bad_end": 0.21}, {"bad_delta": 0.2}, {"slow": 1.0}])
def test_another_output_or_no_slow_start_fails(change: dict[str, float]) -> None:
    assert judge(**change) == "not_reproduced"
