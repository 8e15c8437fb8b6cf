"""Elementary functions as scalar ops: exponentials, logarithms, angles; and nnet's sigmoids."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import nn
from theano import scalar
from theano.tensor.nnet import sigm
from theano.tensor.nnet.nnet import ScalarSoftsign
from theano.tensor.xlogx import XlogX, XlogY0

from theano_colab.xla.lower.scalars import computes, uniform

for _class, _function in {
    scalar.Exp: jnp.exp,
    scalar.Exp2: jnp.exp2,
    scalar.Expm1: jnp.expm1,
    scalar.Log: jnp.log,
    scalar.Log2: jnp.log2,
    scalar.Log10: jnp.log10,
    scalar.Log1p: jnp.log1p,
    scalar.Sqrt: jnp.sqrt,
    scalar.Cos: jnp.cos,
    scalar.ArcCos: jnp.arccos,
    scalar.Sin: jnp.sin,
    scalar.ArcSin: jnp.arcsin,
    scalar.Tan: jnp.tan,
    scalar.ArcTan: jnp.arctan,
    scalar.Cosh: jnp.cosh,
    scalar.ArcCosh: jnp.arccosh,
    scalar.Sinh: jnp.sinh,
    scalar.ArcSinh: jnp.arcsinh,
    scalar.Tanh: jnp.tanh,
    scalar.ArcTanh: jnp.arctanh,
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
    return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


for _class, _function in {
    scalar.Deg2Rad: lambda x: x * (np.pi / 180),
    scalar.Rad2Deg: lambda x: x * (180 / np.pi),
    scalar.ArcTan2: jnp.arctan2,
    sigm.ScalarSigmoid: nn.sigmoid,
    sigm.UltraFastScalarSigmoid: ultra_fast_sigmoid,
    sigm.ScalarSoftplus: softplus,
    ScalarSoftsign: lambda x: x / (1 + jnp.abs(x)),
    XlogX: lambda x: jnp.where(x == 0, 0, x * jnp.log(x)),
    XlogY0: lambda x, y: jnp.where(x == 0, 0, x * jnp.log(y)),
}.items():
    computes(_class)(uniform(_function))
