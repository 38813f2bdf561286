"""docs/check-your-backward.md: its ten lines find nothing in a right backward pass, and say of wrong ones what the table says."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.processes import ROOT

TEXT = (ROOT / "docs" / "check-your-backward.md").read_text(encoding="utf-8")
(CODE,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

Yours = Callable[[list[Any], list[Any], Any, Any], tuple[list[Any], list[Any]]]


def yours(mistake: str = "") -> Yours:
    """Return a backward pass as a reader would write it, for three layers of tanh and a softmax."""

    def backward(W: list[Any], b: list[Any], x: Any, y: Any) -> tuple[list[Any], list[Any]]:
        a = [x]
        for w, bias in zip(W[:-1], b[:-1], strict=True):
            a.append(np.tanh(w @ a[-1] + bias))
        z = W[-1] @ a[-1] + b[-1]
        e = np.exp(z - z.max(axis=0))
        delta, m = e / e.sum(axis=0) - y, 1 if mistake == "sums" else x.shape[1]
        delta = -delta if mistake == "sign" else delta
        dW, db = [], []
        for l in (2, 1, 0):
            below = a[l + 1] if mistake == "a" and l == 1 else a[l]
            dW.insert(0, delta @ below.T / m)
            db.insert(0, (delta[:, :1] if mistake == "one" else delta.sum(axis=1, keepdims=True) / m))
            if l:
                slope = 1 - np.tanh(a[l]) ** 2 if mistake == "slope" else 1 - a[l] ** 2
                delta = (W[l].T @ delta) * slope
        return dW, db

    return backward


def printed(mistake: str, capsys: pytest.CaptureFixture[str]) -> np.ndarray:
    exec(compile(CODE, "docs/check-your-backward.md", "exec"), {"yours": yours(mistake)})
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == ["3", "2", "1"]
    return np.array([[float(value) for value in row[1:]] for row in rows])


def test_a_right_one_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert (printed("", capsys) < 1e-14).all()


def test_wrong_ones_are_what_the_table_says(capsys: pytest.CaptureFixture[str]) -> None:
    np.testing.assert_allclose(printed("sums", capsys), 6, rtol=1e-12)
    np.testing.assert_allclose(printed("sign", capsys), 2, rtol=1e-12)
    slope = printed("slope", capsys)
    assert (slope[0] < 1e-14).all()
    assert (slope[1:] > 1e-2).all()
    above = printed("a", capsys)
    assert above[1, 0] > 0.1
    assert (above[[0, 0, 1, 2, 2], [0, 1, 1, 0, 1]] < 1e-14).all()
    one = printed("one", capsys)
    assert (one[:, 0] < 1e-14).all()
    assert (one[:, 1] > 0.1).all()


def test_it_has_ten_lines() -> None:
    assert len([line for line in CODE.splitlines() if line]) == 10
