"""Bits: a run alone, in any stack and in any order is the same run, whatever its kind, size and neighbors."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcore.engine.batches import Examples
from bpcore.measure.recording import Recording
from bpcore.network import Network
from bpcore.training import RunSettings, StackSettings
from tests.bpcore.cases import ACTIVATIONS, INITIALIZERS, LOSSES, NORMALIZATIONS
from tests.bpcore.runs import CLIPS, OPTIMIZERS, differences, train

SIZES = st.sampled_from([1, 2, 3, 7, 8, 17, 31, 33])


@st.composite
def stacks(draw: st.DrawFn) -> tuple[StackSettings, Examples]:
    n_in, n_out, m = draw(SIZES), draw(st.sampled_from([1, 2, 3, 10])), draw(SIZES)
    hidden = draw(st.lists(SIZES, max_size=3))
    loss = draw(st.sampled_from(sorted(LOSSES)))
    fitting = sorted(name for name, made in NORMALIZATIONS.items() if all(made().fits(n) for n in hidden))
    network = Network(
        (n_in, *hidden, n_out),
        ACTIVATIONS[draw(st.sampled_from(sorted(ACTIVATIONS)))](),
        ACTIVATIONS["identity"](),
        LOSSES[loss](),
        NORMALIZATIONS[draw(st.sampled_from(fitting))](),
    )
    steps = draw(st.integers(0, 4))
    recording = Recording(every=draw(st.sampled_from([1, 3])), full=draw(st.booleans()), snapshot=draw(st.sampled_from([None, 0, steps])))
    stack = StackSettings(
        network,
        OPTIMIZERS[draw(st.sampled_from(sorted(OPTIMIZERS)))](),
        CLIPS[draw(st.sampled_from(sorted(CLIPS)))](),
        draw(st.sampled_from([None, 1, m])),
        steps,
        draw(st.sampled_from(["float64", "float32"])),
        recording,
    )
    generator = np.random.default_rng(draw(st.integers(0, 5)))
    y = np.eye(n_out)[:, generator.integers(0, n_out, m)]
    test_y = np.eye(n_out)[:, generator.integers(0, n_out, 5)]
    return stack, Examples(generator.standard_normal((n_in, m)), y, generator.standard_normal((n_in, 5)), test_y)


RUNS = st.builds(
    lambda seed, init, scale, bias, lr, factor, decay, threshold: RunSettings(
        seed, INITIALIZERS[init](scale=scale, bias_std=bias), lr, factor, decay, threshold
    ),
    st.integers(0, 20),
    st.sampled_from(["fan_in", "he", "normal", "constant"]),  # equal weights make equal outputs
    st.sampled_from([0.5, 1.0, 5.0, 1e-25, 1e30, 1e200]),  # tame, saturated, underflowing and diverging
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([0.0, 0.01, 1.0, 1e30]),
    st.sampled_from([1.0, 0.0, 2.0]),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([1e-3, 1.0, np.inf]),
)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(stacks(), st.lists(RUNS, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_a_run_has_the_same_bits_alone_and_in_any_stack(kind: tuple[StackSettings, Examples], runs: list[RunSettings], order) -> None:
    stack, data = kind
    together = train(stack, runs, data)
    for one, record in zip(runs, together, strict=True):
        assert differences(train(stack, [one], data)[0], record) == []
    places = list(range(len(runs)))
    order.shuffle(places)
    shuffled = train(stack, [runs[place] for place in places[:-1]], data)
    for place, record in zip(places[:-1], shuffled, strict=True):
        assert differences(together[place], record) == []
