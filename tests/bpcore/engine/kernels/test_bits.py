"""The words of compiled numbers: what they may assume is their own, whoever calls them first."""

import numba
import numpy as np
import pytest

from bpcore.engine.kernels.bits import Number, scalar

CASE = 1 + 2.0**-27, 1 + 2.0**-27, -(1 + 2.0**-26)
"""ab + c is 2^−54 exactly; ab rounded to float64 is −c."""


@pytest.mark.parametrize(("compiler", "expected"), [(scalar, 0.0), (numba.njit(forceinline=True), 2.0**-54)], ids=["scalar", "silent"])
def test_a_caller_that_fuses_does_not_make_its_scalars_fuse(compiler: object, expected: float) -> None:
    """numba gives a function that says nothing of fastmath that of the first caller in the process; the second case is one."""

    def product_and_sum(a: Number, b: Number, c: Number) -> Number:
        return a * b + c

    inner = compiler(product_and_sum)  # type: ignore[operator]

    @numba.njit(fastmath={"contract"})
    def fusing(a: Number, b: Number, c: Number) -> Number:
        return inner(a, b, c)

    with np.errstate(all="raise"):
        assert fusing(*CASE) == expected
