import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcore.streams import _words, of_runs, stream, streams

SEEDS = [0, 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**127 + 5]


@pytest.mark.parametrize("purpose", ["weights", "biases", "batches", "bootstrap", "dropout"])
@pytest.mark.parametrize("seeds", [SEEDS, SEEDS[2:4]], ids=["many", "few"])
def test_many_streams_are_those_of_one(seeds, purpose):
    indices = [0, 1, 2, 70_000]
    for index, generators in zip(indices, streams(seeds, purpose, indices), strict=True):
        for seed, generator in zip(seeds, generators, strict=True):
            alone = stream(seed, purpose, index)
            assert generator.bit_generator.state == alone.bit_generator.state
            assert np.array_equal(generator.standard_normal(5), alone.standard_normal(5))
    for many in (1, 5):
        for own, seed in zip(of_runs(seeds * many, purpose, 3), seeds * many, strict=True):
            assert own.bit_generator.state == stream(seed, purpose, 3).bit_generator.state


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2**128 - 1), min_size=1, max_size=4), st.integers(0, 4), st.lists(st.integers(0, 2**32 - 1), max_size=3))
def test_the_words_are_numpys(seeds, purpose, indices):
    known = [np.random.SeedSequence(seed, spawn_key=(purpose, index)).generate_state(4, np.uint64) for index in indices for seed in seeds]
    assert np.array_equal(_words(seeds, purpose, indices), np.array(known, dtype=np.uint64).reshape(len(indices), len(seeds), 4))
