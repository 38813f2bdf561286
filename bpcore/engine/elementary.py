"""Elementary functions for compiled loops: exp, log, tanh, the logistic and the normal distribution, with their derivatives.

A library's functions are calls, which keep a compiler from computing several entries at once. These are sums and products alone: no
branch, no table, no call. They take float32 or float64 and compute in that type. The error of each is below 2 units in the last place
over the whole range, subnormal arguments and results included; NaN and ±∞ are what the function is there. What is lost in rounding a
sum or product is carried along where it counts: `a_lost` is the exact a less a.

The polynomials are near-minimax, by Chebyshev interpolation (`tests/bpcore/engine/coefficients.py` computes them anew).

Source: Cody & Waite 1980, ch. 6 (the reduction by multiples of ln 2); Dekker 1971 (what a sum loses); Shepherd & Laframboise 1981
(the variable of the Gaussian tail); log as in FDLIBM (Sun Microsystems 1993).
"""

import numpy as np

from bpcore.engine.bits import apart, fma, horner, like, power_of_two, scalar, with_sign

EXP = (
    2.5100634461878497e-08,
    2.762041219449885e-07,
    2.7557267935231926e-06,
    2.4801520613566223e-05,
    0.00019841269863392214,
    0.0013888888917654016,
    0.008333333333329994,
    0.04166666666662324,
    0.16666666666666669,
    0.5000000000000001,
)
EXP_32 = (0.0013926376, 0.0083633335, 0.041666552, 0.16666576, 0.5)
"""(e^r − 1 − r)/r² on |r| ≤ 0.3475, a little more than ½ ln 2."""

LOG = (
    0.14617807153417325,
    0.15331611722055008,
    0.1818289243253687,
    0.22222211089379496,
    0.28571428626253836,
    0.3999999999989889,
    0.666666666666667,
)
LOG_32 = (0.29580986, 0.3998876, 0.66666687)
"""(2 artanh s − 2s)/s³ in s² ≤ (√2 − 1)²/(√2 + 1)², a little beyond."""

TAIL = (
    1.5513438905918424e-10,
    4.2378542227893796e-09,
    1.1400867865785583e-08,
    -1.8538542083563312e-08,
    -1.0104644569536361e-07,
    2.3513362577996063e-09,
    5.430039920605985e-07,
    4.0242748101432243e-07,
    -2.607839079804581e-06,
    -3.4306982771660744e-06,
    1.3625025193974047e-05,
    2.12494552279694e-05,
    -8.785274947955092e-05,
    -9.443011548018516e-05,
    0.0006948970401931862,
    -0.0002856231167159992,
    -0.005002378585404055,
    0.017936097481039324,
    -0.032197837428343264,
    0.028600364053505894,
    0.013999634724430079,
    -0.09670347732652537,
    0.47205320650984467,
)
TAIL_32 = (
    -7.437455e-05,
    -6.6737186e-05,
    0.00069084484,
    -0.00029991876,
    -0.005002141,
    0.01793945,
    -0.032197814,
    0.028600033,
    0.013999636,
    -0.09670347,
    0.4720532,
)
"""(1 + t) Φ(−t) e^(t²/2) in y = (t − 4)/(t + 4), for 0 ≤ t ≤ 40 (15 in float32), beyond which Φ(−t) is zero."""

SHIFT, SHIFT_32 = 1.5 * 2.0**52, 1.5 * 2.0**23
"""Added to a number, it rounds it to a whole one, which the last bits of the sum then spell."""

LOG2_E, LN2, LN2_REST = 1.4426950408889634, 0.6931471805599453, 2.3190468138462996e-17
LN2_32, LN2_REST_32 = 0.6931472, -1.9046542e-09
LN2_SHORT, LN2_BEYOND = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LN2_SHORT_32, LN2_BEYOND_32 = 6.9313812256e-01, 9.0580006145e-06
"""ln 2 in two parts: the nearest number and the rest; a number so short that whole multiples of it are exact, and what is beyond."""

DENSITY_AT_0 = 0.3989422804014327
"""1/√(2π)."""


@scalar
def power(x):
    """Split e^x into a sum and a power of two, for an x at which e^x neither overflows nor vanishes by far.

    e^x = s₁ s₂ (1 + r + rest) with |r| ≤ ½ ln 2 and |rest| < r²; two powers, since one of them alone may not be a normal number.

    Args:
        x: a number from −800 to 800 (−115 to 115 in float32), or NaN.

    Returns:
        (r, rest, s₁, s₂).
    """
    shift = like(x, SHIFT, SHIFT_32)
    k = fma(x, like(x, LOG2_E, LOG2_E), shift) - shift
    exact = fma(-k, like(x, LN2, LN2_32), x)
    r = fma(-k, like(x, LN2_REST, LN2_REST_32), exact)
    lost = fma(-k, like(x, LN2_REST, LN2_REST_32), exact - r)
    rest = fma(r * r, horner(r, EXP, EXP_32), lost)
    half = fma(k, like(x, 0.5, 0.5), shift)
    other = (k - (half - shift)) + shift
    return r, rest, power_of_two(half), power_of_two(other)


@scalar
def within(x):
    """Return x, moved to where e^x is 0 or ∞ if it lies beyond."""
    low, high = like(x, -746.0, -105.0), like(x, 710.0, 89.0)
    x = low if x < low else x
    return high if x > high else x


@scalar
def _whole(r, rest):
    """Return 1 + r + rest as a sum of two, the second of them small."""
    one = like(r, 1.0, 1.0)
    part = r + rest
    whole = one + part
    return whole, ((one - whole) + part) + ((r - part) + rest)


@scalar
def exp(x):
    """Return e^x."""
    r, rest, s, t = power(within(x))
    return t * (s * (like(x, 1.0, 1.0) + (r + rest)))


@scalar
def _expm1_of(r, rest, scale):
    """Return scale (1 + r + rest) − 1 as a sum of two, the second of them small, for a finite power of two."""
    one = like(r, 1.0, 1.0)
    large = fma(scale, r, scale - one)
    small = fma(scale, rest, fma(scale, r, (scale - one) - large))
    total = large + small
    return total, (large - total) + small


@scalar
def expm1(x):
    """Return e^x − 1."""
    r, rest, s, t = power(within(x))
    near, _ = _expm1_of(r, rest, s * t)
    far = t * (s * (like(x, 1.0, 1.0) + (r + rest)))  # s t itself may overflow where this does not
    return with_sign(far if x > like(x, 40.0, 40.0) else near, x)


@scalar
def sinh(x):
    """Return (e^x − e^(−x))/2."""
    one, half = like(x, 1.0, 1.0), like(x, 0.5, 0.5)
    size = abs(x)
    top = like(x, 711.0, 90.0)
    r, rest, s, t = power(top if size > top else size)
    u, u_lost = _expm1_of(r, rest, s * t)
    near = half * (u + (u / (u + one) + u_lost))
    far = t * ((half * s) * (one + (r + rest)))
    return with_sign(far if size > like(x, 40.0, 40.0) else near, x)


@scalar
def _inverse(d, d_lost):
    """Return 1/(d + d_lost) as a sum of two."""
    y = like(d, 1.0, 1.0) / d
    return y, y * fma(-y, d_lost, fma(-y, d, like(d, 1.0, 1.0)))


@scalar
def _square(y, y_lost):
    """Return (y + y_lost)² as a sum of two."""
    square = y * y
    return square, fma(y + y, y_lost, fma(y, y, -square))


@scalar
def _product(a, a_lost, b, b_lost):
    """Return (a + a_lost)(b + b_lost)."""
    product = a * b
    return product + fma(a, b_lost, fma(a_lost, b, fma(a, b, -product)))


@scalar
def tanh(z):
    """Return the hyperbolic tangent and its derivative.

    With u = e^(−2|z|) − 1: tanh |z| = −u/(2 + u), sech² z = 4e^(−2|z|)/(2 + u)².

    Returns:
        (tanh z, sech² z), both to full relative precision, wherever z lies.
    """
    two = like(z, 2.0, 2.0)
    r, rest, s, t = power(within(-two * abs(z)))
    u, u_lost = _expm1_of(r, rest, s * t)
    d = two + u
    y, y_lost = _inverse(d, ((two - d) + u) + u_lost)
    quotient = u * y
    lost = fma(u_lost, y, fma(u, y_lost, fma(u, y, -quotient)))
    w, w_lost = _whole(r, rest)
    square, square_lost = _square(y, y_lost)
    slope = t * ((s * like(z, 4.0, 4.0)) * _product(w, w_lost, square, square_lost))
    return with_sign(quotient + lost, z), slope


@scalar
def _decay(z):
    """Return what the logistic functions share, with e = e^(−|z|): 1/(1 + e), also as a sum of two; and e = s t w, w in two parts."""
    one = like(z, 1.0, 1.0)
    r, rest, s, t = power(within(-abs(z)))
    w, w_lost = _whole(r, rest)
    scale = s * t
    e = scale * w
    d = one + e
    y, y_lost = _inverse(d, fma(scale, w_lost, (one - d) + e))
    return y, y_lost, w, w_lost, s, t


@scalar
def logistic(z):
    """Return the logistic function and its derivative.

    With e = e^(−|z|): σ(z) = (e if z < 0 else 1)/(1 + e), σ′(z) = e/(1 + e)².

    Returns:
        (σ(z), σ′(z)), both to full relative precision, wherever z lies.
    """
    y, y_lost, w, w_lost, s, t = _decay(z)
    left = t * (s * _product(w, w_lost, y, y_lost))
    square, square_lost = _square(y, y_lost)
    slope = t * (s * _product(w, w_lost, square, square_lost))
    return left if z < like(z, 0.0, 0.0) else y + y_lost, slope


@scalar
def _log_of(k, f, more):
    """Return k ln 2 + log(1 + f) + more, for √½ ≤ 1 + f < √2 and a small term more."""
    s = f / (like(f, 2.0, 2.0) + f)
    square = s * s
    half = (like(f, 0.5, 0.5) * f) * f
    beyond = fma(s, fma(square, horner(square, LOG, LOG_32), half), fma(k, like(f, LN2_BEYOND, LN2_BEYOND_32), more))
    return k * like(f, LN2_SHORT, LN2_SHORT_32) - ((half - beyond) - f)


@scalar
def log(x):
    """Return the natural logarithm."""
    zero, top = like(x, 0.0, 0.0), like(x, np.inf, np.inf)
    small = x < like(x, 2.0**-1022, 2.0**-126)
    k, m = apart(x * like(x, 2.0**54, 2.0**25) if small else x)
    k = k - like(x, 54.0, 25.0) if small else k
    value = _log_of(k, m - like(x, 1.0, 1.0), zero)
    value = value if x < top else x
    return value if x > zero else (-top if x == zero else like(x, np.nan, np.nan))


@scalar
def log1p(x):
    """Return log(1 + x)."""
    zero, one, top = like(x, 0.0, 0.0), like(x, 1.0, 1.0), like(x, np.inf, np.inf)
    y = one + x
    k, m = apart(y)
    lost = (one - (y - x)) if x > one else (x - (y - one))
    near = k == zero
    value = _log_of(k, x if near else m - one, zero if near else lost / y)
    value = value if x < top else x
    value = value if x > -one else (-top if x == -one else like(x, np.nan, np.nan))
    return with_sign(value, x)


@scalar
def normal(z):
    """Return the standard normal distribution function and its density.

    Φ(−t) = e^(−t²/2) g(y)/(1 + t) for t ≥ 0, where g is a polynomial in y = (t − 4)/(t + 4); Φ(t) = 1 − Φ(−t).

    Returns:
        (Φ(z), e^(−z²/2)/√(2π)), both to full relative precision, in the left tail too.
    """
    zero, one, four = like(z, 0.0, 0.0), like(z, 1.0, 1.0), like(z, 4.0, 4.0)
    top = like(z, 40.0, 15.0)
    size = abs(z)
    size = top if size > top else size
    square = size * size
    square_lost = fma(size, size, -square)
    r, rest, s, t = power(like(z, -0.5, -0.5) * square)
    w, w_lost = _whole(r, rest)
    w_lost = fma(like(z, -0.5, -0.5) * square_lost, w, w_lost)
    v = (size - four) / (size + four)
    slope, start = horner(v, TAIL[:-1], TAIL_32[:-1]), like(z, TAIL[-1], TAIL_32[-1])
    g = fma(v, slope, start)
    g_lost = fma(v, slope, start - g)
    d = one + size
    y, y_lost = _inverse(d, (one - (d - size)) if size > one else (size - (d - one)))
    ratio = g * y
    ratio_lost = fma(g, y_lost, fma(g_lost, y, fma(g, y, -ratio)))
    left = t * (s * _product(w, w_lost, ratio, ratio_lost))
    return one - left if z > zero else left, t * (s * ((w + w_lost) * like(z, DENSITY_AT_0, DENSITY_AT_0)))
