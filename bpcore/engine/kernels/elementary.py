"""Elementary functions for compiled loops: exp, log, tanh, the logistic and the normal distribution, with their derivatives.

A library's functions are calls, which keep a compiler from computing several entries at once. These are sums and products alone: no
branch, no table, no call. They take float32 or float64 and compute in that type. The error of each is at most 2 units in the last
place over the whole range, subnormal arguments and results included; NaN stays NaN, ±∞ gives the limit. What rounding loses is carried
along where it counts: `a_lost` is what a lacks.

Source: Cody & Waite 1980, ch. 6 (the reduction by multiples of ln 2); Dekker 1971 (what a sum loses); Shepherd & Laframboise 1981
(the variable of the Gaussian tail); log as in FDLIBM (Sun Microsystems 1993).
"""

import numpy as np

from bpcore.engine.kernels import coefficients as c
from bpcore.engine.kernels.bits import Number, apart, either, fma, horner, like, power_of_two, scalar, with_sign


@scalar
def reduced(x: Number) -> tuple[Number, Number, Number]:
    """Split a finite x into k ln 2 + r with |r| ≤ ½ ln 2.

    Returns:
        (k as `power_of_two` wants it, r, e^r − 1 − r).
    """
    shift = either(x, c.SHIFT, c.SHIFT_32)
    spelled = fma(x, like(x, c.LOG2_E), shift)
    k = spelled - shift
    r = fma(-k, either(x, c.LN2_REST, c.LN2_REST_32), fma(-k, either(x, c.LN2, c.LN2_32), x))
    return spelled, r, (r * r) * horner(r, c.EXP, c.EXP_32)


@scalar
def lost_in_reduction(x: Number, spelled: Number, r: Number) -> Number:
    """Return what r lacks to x − k ln 2."""
    k = spelled - either(x, c.SHIFT, c.SHIFT_32)
    return fma(-k, either(x, c.LN2_REST, c.LN2_REST_32), fma(-k, either(x, c.LN2, c.LN2_32), x) - r)


@scalar
def halves(spelled: Number) -> tuple[Number, Number]:
    """Return two powers of two whose product is 2^k, which need not be a normal number itself."""
    shift = either(spelled, c.SHIFT, c.SHIFT_32)
    k = spelled - shift
    half = fma(k, like(k, 0.5), shift)
    return power_of_two(half), power_of_two((k - (half - shift)) + shift)


@scalar
def decaying(x: Number) -> tuple[Number, Number, Number, Number]:
    """Split e^x for x ≤ 0 into (r, rest, s, t): e^x = t s (1 + r + rest), s and t powers of two, t = 1 wherever e^x ≥ 2^−900."""
    low = either(x, -760.0, -110.0)  # there 4e^x is 0 too
    x = low if x < low else x
    spelled, r, rest = reduced(x)
    small = x < either(x, -690.0, -80.0)
    s = power_of_two(spelled + (either(x, 128.0, 64.0) if small else like(x, 0.0)))
    return r, rest, s, either(x, 2.0**-128, 2.0**-64) if small else like(x, 1.0)


@scalar
def _within(x: Number) -> Number:
    """Return x, moved to where e^x is 0 or ∞ if it lies beyond."""
    low, high = either(x, -746.0, -105.0), either(x, 710.0, 89.0)
    x = low if x < low else x
    return high if x > high else x


@scalar
def exp(x: Number) -> Number:
    """Return e^x."""
    spelled, r, rest = reduced(_within(x))
    s, t = halves(spelled)
    return t * (s * (like(x, 1.0) + (r + rest)))


@scalar
def expm1(x: Number) -> Number:
    """Return e^x − 1."""
    one, y = like(x, 1.0), _within(x)
    spelled, r, rest = reduced(y)
    s, t = halves(spelled)
    scale = s * t
    near = fma(scale, rest + lost_in_reduction(y, spelled, r), fma(scale, r, scale - one))
    far = t * (s * (one + (r + rest)))  # s t itself may overflow where this does not
    return with_sign(far if x > like(x, 40.0) else near, x)


@scalar
def sinh(x: Number) -> Number:
    """Return (e^x − e^(−x))/2 = (u + u/(1 + u))/2 with u = e^x − 1."""
    one, half = like(x, 1.0), like(x, 0.5)
    size = abs(x)
    top = either(x, 711.0, 90.0)
    y = top if size > top else size
    spelled, r, rest = reduced(y)
    s, t = halves(spelled)
    scale = s * t
    rest = rest + lost_in_reduction(y, spelled, r)
    u = fma(scale, r, scale - one)
    whole = fma(scale, rest, u)
    near = half * (whole + (whole / (whole + one) + fma(scale, rest, u - whole)))
    far = t * ((half * s) * (one + (r + rest)))
    return with_sign(far if size > like(x, 40.0) else near, x)


@scalar
def _inverse_of_1_plus(e: Number) -> tuple[Number, Number]:
    """Return 1/(1 + e) for 0 ≤ e ≤ 1, and what it lacks."""
    one = like(e, 1.0)
    d = one + e
    y = one / d
    return y, y * fma(-y, (one - d) + e, fma(-y, d, one))


@scalar
def tanh(z: Number) -> tuple[Number, Number]:
    """Return the hyperbolic tangent and its derivative.

    With e = e^(−2|z|): tanh |z| = (1 − e)/(1 + e), sech² z = 4e/(1 + e)².

    Returns:
        (tanh z, sech² z), both to full relative precision, wherever z lies.
    """
    one = like(z, 1.0)
    r, rest, s, t = decaying(like(z, -2.0) * abs(z))
    w = one + (r + rest)
    y, y_lost = _inverse_of_1_plus(s * w)
    large = fma(s, r, s - one)
    u = fma(s, rest, large)  # e − 1, of which no digit is cancelled
    value = fma(u, y, fma(u, y_lost, fma(s, rest, large - u) * y))
    slope = t * ((s * like(z, 4.0)) * (w * fma(y, y, (y + y) * y_lost)))
    return with_sign(value, z), slope


@scalar
def logistic(z: Number) -> tuple[Number, Number]:
    """Return the logistic function and its derivative.

    With e = e^(−|z|): σ(z) = (e if z < 0 else 1)/(1 + e), σ′(z) = e/(1 + e)².

    Returns:
        (σ(z), σ′(z)), both to full relative precision, wherever z lies.
    """
    r, rest, s, t = decaying(-abs(z))
    w = like(z, 1.0) + (r + rest)
    y, y_lost = _inverse_of_1_plus(s * w)
    right = y + y_lost
    left = t * (s * (w * right))
    return left if z < like(z, 0.0) else right, t * (s * (w * fma(y, y, (y + y) * y_lost)))


@scalar
def gate_of_gelu(z: Number) -> tuple[Number, Number]:
    """Return the gate of the GELU by tanh and its derivative: g = σ(x) with x = az + bz³, a = √(8/π), b = 0.044715 a.

    e^x has |x| times the relative error of x, so that what rounding takes from x is carried along: σ(x + d) = σ(x) + dσ′(x).
    """
    one = like(z, 1.0)
    top = either(z, 25.0, 12.0)  # beyond which g is 0 or 1, and its derivative 0
    inner = top if z > top else (-top if z < -top else z)
    square = inner * inner
    square_lost = fma(inner, inner, -square)
    a, b = either(z, c.GELU_LINEAR, c.GELU_LINEAR_32), either(z, c.GELU_CUBIC, c.GELU_CUBIC_32)
    cubic = b * square
    cubic_lost = fma(b, square, -cubic) + fma(b, square_lost, either(z, c.GELU_CUBIC_REST, c.GELU_CUBIC_REST_32) * square)
    p = a + cubic
    back = p - a
    p_lost = ((a - (p - back)) + (cubic - back)) + (either(z, c.GELU_LINEAR_REST, c.GELU_LINEAR_REST_32) + cubic_lost)
    x = inner * p
    x_lost = fma(inner, p, -x) + inner * p_lost
    gate, slope = logistic(x)
    rise = fma(slope, x_lost * fma(like(z, -2.0), gate, one), slope)
    return fma(slope, x_lost, gate), rise * fma(like(z, 3.0), cubic, a)


@scalar
def _log_of(k: Number, f: Number, more: Number) -> Number:
    """Return k ln 2 + log(1 + f) + more, for √½ ≤ 1 + f < √2 and a small term more."""
    s = f / (like(f, 2.0) + f)
    square = s * s
    half = (like(f, 0.5) * f) * f
    beyond = fma(s, fma(square, horner(square, c.LOG, c.LOG_32), half), fma(k, either(f, c.LN2_BEYOND, c.LN2_BEYOND_32), more))
    return k * either(f, c.LN2_SHORT, c.LN2_SHORT_32) - ((half - beyond) - f)


@scalar
def log(x: Number) -> Number:
    """Return the natural logarithm."""
    zero, top = like(x, 0.0), like(x, np.inf)
    small = x < either(x, 2.0**-1022, 2.0**-126)
    k, m = apart(x * either(x, 2.0**54, 2.0**25) if small else x)
    k = k - either(x, 54.0, 25.0) if small else k
    value = _log_of(k, m - like(x, 1.0), zero)
    value = value if x < top else x
    return value if x > zero else (-top if x == zero else like(x, np.nan))


@scalar
def log1p(x: Number) -> Number:
    """Return log(1 + x)."""
    zero, one, top = like(x, 0.0), like(x, 1.0), like(x, np.inf)
    y = one + x
    k, m = apart(y)
    lost = (one - (y - x)) if x > one else (x - (y - one))
    near = k == zero
    value = _log_of(k, x if near else m - one, zero if near else lost / y)
    value = value if x < top else x
    value = value if x > -one else (-top if x == -one else like(x, np.nan))
    return with_sign(value, x)


@scalar
def normal(z: Number) -> tuple[Number, Number]:
    """Return the standard normal distribution function and its density.

    Φ(−t) = e^(−t²/2) g((t − 4)/(t + 4))/(1 + t) for t ≥ 0, where g is a polynomial; Φ(t) = 1 − Φ(−t).

    Returns:
        (Φ(z), e^(−z²/2)/√(2π)), both to full relative precision, in the left tail too.
    """
    zero, one, four, half = like(z, 0.0), like(z, 1.0), like(z, 4.0), like(z, 0.5)
    top, size = either(z, 40.0, 15.0), abs(z)
    size = top if size > top else size
    square = size * size
    square_lost = fma(size, size, -square)
    r, rest, s, t = decaying(-half * square)
    w = one + (r + rest)
    w_lost = ((one - w) + r) + rest - half * square_lost * w
    v = (size - four) / (size + four)
    slope, start = horner(v, c.TAIL[:-1], c.TAIL_32[:-1]), either(z, c.TAIL[-1], c.TAIL_32[-1])
    g = fma(v, slope, start)
    d = one + size
    y = one / d
    d_lost = (one - (d - size)) if size > one else (size - (d - one))
    ratio = g * y
    ratio_lost = fma(fma(-ratio, d_lost, fma(-ratio, d, g)) + fma(v, slope, start - g), y, zero)
    left = t * (s * fma(w, ratio, fma(w, ratio_lost, w_lost * ratio)))
    return one - left if z > zero else left, t * (s * ((w + w_lost) * like(z, c.DENSITY_AT_0)))
