"""Special functions as scalar ops, all computed in float64.

The values are SciPy's where Theano's C code gives a rougher approximation, or 0 outside of it (psi
and tri_gamma of what is not positive). Jv and Iv, of any real order, stay on the host.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy import special as jsp
from numpy.polynomial import chebyshev
from scipy import special  # type: ignore[import-untyped]  # publishes no types
from theano.scalar import basic_scipy

from theano_colab.xla.lower.functions import log1p
from theano_colab.xla.lower.scalars import computes, convert

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from theano_colab.xla.trace import Trace


def erfinv(x: Any) -> Any:
    """Return the inverse of erf: XLA's, which has 10 digits, and a step of Halley's method."""
    size = jnp.abs(x)
    first = lax.erf_inv(size)
    # Near 1 the complement is exact, and erf is not.
    off = jnp.where(size < 0.5, lax.erf(first) - size, (1 - size) - lax.erfc(first))  # noqa: PLR2004
    slope = 2 / math.sqrt(math.pi) * jnp.exp(-first * first)
    better = first - off / (slope + first * off)
    return jnp.copysign(jnp.where(jnp.isfinite(first) & (slope > 0), better, first), x)


def erfcinv(x: Any) -> Any:
    """Return the inverse of erfc, by the normal distribution's quantiles."""
    return jsp.ndtri(x / 2) * -math.sqrt(0.5)


# Shepherd and Laframboise, Mathematics of Computation 36 (1981): a half-line mapped onto [-1, 1].
_ERFCX_CENTRE = 3.75


@cache
def _erfcx_series() -> Any:
    def smooth(t: Any) -> Any:
        x = _ERFCX_CENTRE * (1 + t) / (1 - t)
        return (1 + 2 * x) * special.erfcx(x)

    return chebyshev.chebinterpolate(smooth, 40)


def erfcx(x: Any) -> Any:
    """Return exp(x**2) erfc(x)."""
    size = jnp.minimum(jnp.abs(x), 1e100)
    t = 1 - 2 * _ERFCX_CENTRE / (size + _ERFCX_CENTRE)
    right = _sum_chebyshev(_erfcx_series(), t) / (1 + 2 * size)
    outside = jnp.where(x < 0, 2 * jnp.exp(x * x) - right, jnp.where(jnp.isfinite(x), right, 1 / x))
    inner = jnp.clip(x, -1, 1)
    return jnp.where(size < 1, jnp.exp(inner * inner) * lax.erfc(inner), outside)


def gammaln(x: Any) -> Any:
    """Return the logarithm of the gamma function's absolute value; exact where it is nearly 0."""
    near = (x > 0.5) & (x < 2.5)  # noqa: PLR2004
    about_one = x < 1.5  # noqa: PLR2004
    z = jnp.where(near, jnp.where(about_one, x - 1, x - 2), 0)
    numbers = np.arange(2, 30)
    terms = special.zetac(numbers) * (-1.0) ** numbers / numbers
    of_two = _sum_powers([0, 1 - np.euler_gamma, *terms], z)
    return jnp.where(near, of_two - jnp.where(about_one, log1p(z), 0), lax.lgamma(x))


# Stirling's series of gammaln in 1 / z (Abramowitz and Stegun 6.1.41), good to 1e-17 from there on.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_LARGE = 16


@cache
def _gamma_series() -> Any:
    return chebyshev.chebinterpolate(lambda t: special.gamma(1.5 + t / 2), 24)


def gamma(x: Any) -> Any:
    """Return the gamma function: by Stirling's series, by its values from 1 to 2, or reflected."""
    low = x < 0.5  # noqa: PLR2004
    y = jnp.where(low, 1 - x, x)
    z = jnp.maximum(y, _LARGE)
    root = lax.pow(z, z / 2 - 0.25)  # twice: the whole power overflows too early
    series = jnp.exp(_sum_powers(_STIRLING, 1 / (z * z)) / z)
    large = root * (math.sqrt(2 * math.pi) * jnp.exp(-z)) * root * series
    whole = jnp.floor(jnp.minimum(y, _LARGE))
    rest = jnp.minimum(y, _LARGE) - whole
    small = _sum_chebyshev(_gamma_series(), 2 * rest - 1) / jnp.where(whole == 0, y, 1)
    for step in range(1, _LARGE - 1):
        small = jnp.where(step < whole, small * (rest + step), small)
    value = jnp.where(y < _LARGE, small, jnp.where(y < 180, large, jnp.inf))  # noqa: PLR2004
    value = jnp.where(jnp.isnan(x), x, value)
    sine = _sine_of_pi(x)
    reflected = jnp.where(sine == 0, jnp.nan, math.pi / (sine * value))
    result = jnp.where(low, reflected, value)
    return jnp.where(x == 0, jnp.copysign(jnp.inf, x), jnp.where(jnp.isneginf(x), jnp.nan, result))


def _sine_of_pi(x: Any) -> Any:
    """Return sin(pi x), exactly 0 at integers."""
    whole = jnp.round(x)
    return jnp.sin(math.pi * (x - whole)) * jnp.where(whole % 2 == 0, 1, -1)


def psi(x: Any) -> Any:
    """Return the derivative of gammaln; -inf at 0, NaN at the other poles."""
    low = x < 0
    right = lax.digamma(jnp.where(low, 1 - x, x))
    rest = x - jnp.round(x)
    reflected = right - math.pi / jnp.tan(math.pi * rest)
    result = jnp.where(low, jnp.where(rest == 0, jnp.nan, reflected), right)
    return jnp.where(x == 0, -jnp.copysign(jnp.inf, x), result)


def tri_gamma(x: Any) -> Any:
    """Return the derivative of psi; inf at its poles."""
    low = x < 0
    y = jnp.where(low, 1 - x, x)
    total = jnp.zeros_like(y)
    shifted = y < _LARGE
    for step in range(_LARGE):
        total += jnp.where(shifted, 1 / (y + step) ** 2, 0)
    z = jnp.where(shifted, y + _LARGE, y)
    # Abramowitz and Stegun 6.4.12: Bernoulli's numbers.
    series = _sum_powers([1, 1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66], 1 / (z * z))
    total += series / z + 0.5 / (z * z)
    return jnp.where(low, (math.pi / _sine_of_pi(x)) ** 2 - total, total)


@cache
def _bessel_series(order: int) -> tuple[Any, Any, Any]:
    """Return J's Chebyshev series: in x**2 up to 8, and its two amplitudes in (8 / x)**2 beyond."""
    j, y = (special.j0, special.y0) if order == 0 else (special.j1, special.y1)

    def near(t: Any) -> Any:
        x = np.sqrt(np.maximum(32 * (1 + t), 1e-30))
        return j(x) / x**order

    def waves(t: Any) -> tuple[Any, Any]:
        x = 8 / np.sqrt(np.maximum((1 + t) / 2, 1e-4))
        angle, size = x - (order / 2 + 0.25) * math.pi, np.sqrt(math.pi * x / 2)
        cosine, sine = np.cos(angle), np.sin(angle)
        even, odd = size * (j(x) * cosine + y(x) * sine), size * (y(x) * cosine - j(x) * sine)
        return even, odd * x

    return (
        chebyshev.chebinterpolate(near, 30),
        chebyshev.chebinterpolate(lambda t: waves(t)[0], 16),
        chebyshev.chebinterpolate(lambda t: waves(t)[1], 16),
    )


def _bessel(order: int) -> Callable[[Any], Any]:
    def compute(x: Any) -> Any:
        near, even, odd = _bessel_series(order)
        size = jnp.abs(x)
        inner, outer = jnp.minimum(size, 8), jnp.maximum(size, 8)
        small = _sum_chebyshev(near, inner * inner / 32 - 1) * inner**order
        t = 128 / (outer * outer) - 1
        # cos(x - pi/4) and sin(x - pi/4), or those of x - 3 pi/4, times the root of 2.
        sine, cosine = jnp.sin(outer), jnp.cos(outer)
        waves = (cosine + sine, sine - cosine) if order == 0 else (sine - cosine, -sine - cosine)
        large = _sum_chebyshev(even, t) * waves[0] - _sum_chebyshev(odd, t) / outer * waves[1]
        large = jnp.where(jnp.isinf(x), 0, large / jnp.sqrt(math.pi * outer))
        result = jnp.where(size < 8, small, large)  # noqa: PLR2004
        return jnp.where(x < 0, -result, result) if order else result

    return compute


def _sum_chebyshev(series: Any, t: Any) -> Any:
    """Return a Chebyshev series at ``t``, by Clenshaw's recurrence."""
    one, two = jnp.zeros_like(t), jnp.zeros_like(t)
    for coefficient in series[:0:-1]:
        one, two = 2 * t * one - two + coefficient, one
    return t * one - two + series[0]


def _sum_powers(series: Sequence[float], z: Any) -> Any:
    """Return a power series at ``z``, by Horner's rule."""
    total = jnp.zeros_like(z)
    for coefficient in reversed(series):
        total = total * z + coefficient
    return total


def _in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    def compute(trace: Trace, op: Any, dtype: str, *args: Any) -> Any:
        return function(*(convert(one, "float64") for one in args))

    return compute


for _class, _function in {
    basic_scipy.Erf: lax.erf,
    basic_scipy.Erfc: lax.erfc,
    basic_scipy.Erfcx: erfcx,
    basic_scipy.Erfinv: erfinv,
    basic_scipy.Erfcinv: erfcinv,
    basic_scipy.Gamma: gamma,
    basic_scipy.GammaLn: gammaln,
    basic_scipy.Psi: psi,
    basic_scipy.TriGamma: tri_gamma,
    basic_scipy.Chi2SF: lambda x, k: jsp.gammaincc(k / 2, x / 2),
    basic_scipy.GammaInc: jsp.gammainc,
    basic_scipy.GammaIncC: jsp.gammaincc,
    basic_scipy.GammaU: lambda k, x: jsp.gammaincc(k, x) * gamma(k),
    basic_scipy.GammaL: lambda k, x: jsp.gammainc(k, x) * gamma(k),
    basic_scipy.J0: _bessel(0),
    basic_scipy.J1: _bessel(1),
    basic_scipy.I0: jsp.i0,
    basic_scipy.I1: jsp.i1,
}.items():
    computes(_class)(_in_double(_function))
