"""Elementary functions as scalar ops: exponentials, logarithms, angles; and nnet's sigmoids.

XLA's own are within 6 ulp of the exact values, but for those that stand here in other words. On a
CPU, XLA takes numbers below the least normal one for 0, and gives 0 for them.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jax import lax, nn
from theano import scalar
from theano.tensor.nnet import sigm
from theano.tensor.nnet.nnet import ScalarSoftsign
from theano.tensor.xlogx import XlogX, XlogY0

from theano_colab.xla.lower.scalars import computes, uniform

# Half of e: cosh and sinh are exp(x - 1) times this where exp(x) itself would be too large.
_HALF_E = 1.3591409142295226


def exp2(x: Any) -> Any:
    """Return 2 to the power of x; XLA's, which rounds x log(2), is off by 700 ulp."""
    if jnp.iscomplexobj(x):
        return jnp.exp2(x)
    whole = jnp.clip(jnp.round(x), -2000, 2000)
    # Twice half the exponent: the scale alone may be beyond what is representable.
    half = jnp.floor(whole / 2)
    scale = lax.pow(jnp.full_like(x, 2), half)
    return jnp.exp((x - whole) * math.log(2)) * scale * lax.pow(jnp.full_like(x, 2), whole - half)


def cosh(x: Any) -> Any:
    """Return the hyperbolic cosine; XLA's is off by 500 ulp where it is large."""
    if jnp.iscomplexobj(x):
        return jnp.cosh(x)
    size = jnp.abs(x)
    return _HALF_E * jnp.exp(size - 1) + 0.5 * jnp.exp(-size)


def sinh(x: Any) -> Any:
    """Return the hyperbolic sine; XLA's is off by 500 ulp where it is large."""
    if jnp.iscomplexobj(x):
        return jnp.sinh(x)
    size = jnp.abs(x)
    small = jnp.expm1(jnp.minimum(size, 1))
    large = _HALF_E * jnp.exp(size - 1) - 0.5 * jnp.exp(-size)
    return jnp.copysign(jnp.where(size < 1, 0.5 * (small + small / (small + 1)), large), x)


def log1p(x: Any) -> Any:
    """Return log(1 + x); XLA's is off by 130 ulp in float64 about -0.4."""
    if x.dtype != "float64":
        return jnp.log1p(x)
    return jnp.where(jnp.abs(x + 0.375) < 0.125, jnp.log(1 + x), jnp.log1p(x))  # noqa: PLR2004


def arctanh(x: Any) -> Any:
    """Return the inverse of the hyperbolic tangent, by log1p."""
    return jnp.arctanh(x) if x.dtype != "float64" else 0.5 * (log1p(x) - log1p(-x))


for _class, _function in {
    scalar.Exp: jnp.exp,
    scalar.Exp2: exp2,
    scalar.Expm1: jnp.expm1,
    scalar.Log: jnp.log,
    scalar.Log2: jnp.log2,
    scalar.Log10: jnp.log10,
    scalar.Log1p: log1p,
    scalar.Sqrt: jnp.sqrt,
    scalar.Cos: jnp.cos,
    scalar.ArcCos: jnp.arccos,
    scalar.Sin: jnp.sin,
    scalar.ArcSin: jnp.arcsin,
    scalar.Tan: jnp.tan,
    scalar.ArcTan: jnp.arctan,
    scalar.Cosh: cosh,
    scalar.ArcCosh: jnp.arccosh,
    scalar.Sinh: sinh,
    scalar.ArcSinh: jnp.arcsinh,
    scalar.Tanh: jnp.tanh,
    scalar.ArcTanh: arctanh,
}.items():
    computes(_class, complex_too=True)(uniform(_function))

# Theano's approximation of tanh: a rational function up to the first, a line up to the second.
_CURVED, _STRAIGHT, _FLAT = 1.7, 3.0, 0.99505475368673


def ultra_fast_sigmoid(x: Any) -> Any:
    """Return Theano's piecewise approximation of the sigmoid."""
    half = jnp.abs(0.5 * x)
    line = 0.935409070603099 + 0.0458812946797165 * (half - _CURVED)
    tail = jnp.where(half < _STRAIGHT, line, _FLAT)
    tanh = jnp.where(half < _CURVED, 1.5 * half / (1 + half), tail)
    return 0.5 * (jnp.where(x >= 0, tanh, -tanh) + 1)


def softplus(x: Any) -> Any:
    """Return log(1 + exp(x)) without overflow."""
    return jnp.maximum(x, 0) + log1p(jnp.exp(-jnp.abs(x)))


for _class, _function in {
    scalar.Deg2Rad: lambda x: x * (math.pi / 180),
    scalar.Rad2Deg: lambda x: x * (180 / math.pi),
    scalar.ArcTan2: jnp.arctan2,
    sigm.ScalarSigmoid: nn.sigmoid,
    sigm.UltraFastScalarSigmoid: ultra_fast_sigmoid,
    sigm.ScalarSoftplus: softplus,
    ScalarSoftsign: lambda x: x / (1 + jnp.abs(x)),
    XlogX: lambda x: jnp.where(x == 0, 0, x * jnp.log(x)),
    XlogY0: lambda x, y: jnp.where(x == 0, 0, x * jnp.log(y)),
}.items():
    computes(_class)(uniform(_function))
