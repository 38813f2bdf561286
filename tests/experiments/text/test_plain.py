import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from experiments.text.plain import as_json, plain


def test_what_json_cannot_hold_becomes_null_or_text():
    content = {"nan": math.nan, "inf": np.float32("inf"), "low": [-math.inf], "na": pd.NA, "path": Path("a/b"), 3: np.int64(4)}
    assert plain(content) == {"nan": None, "inf": "Infinity", "low": ["-Infinity"], "na": None, "path": "a/b", "3": 4}


def test_arrays_are_lists_through_all_levels():
    assert plain(({"x": np.array([[1.0, math.nan], [math.inf, 2.0]])}, np.bool_(True))) == [{"x": [[1.0, None], ["Infinity", 2.0]]}, True]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(_VALUES)
def test_every_reader_takes_it(content):
    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads(as_json(content), parse_constant=refuse) == plain(content)


@given(_VALUES)
def test_it_is_written_as_the_library_writes_it(content):
    for indent in (2, 4, None):
        assert as_json(content, indent) == json.dumps(plain(content), indent=indent, ensure_ascii=False, allow_nan=False)
        assert as_json((content, [np.array([[1.0, math.inf]])]), indent) == as_json(plain([content, [[[1.0, math.inf]]]]), indent)
