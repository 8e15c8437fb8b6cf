"""What the port's programs check their results with: data of floatX, and its tolerance."""

from __future__ import annotations

import numpy as np
import theano
from numpy.testing import assert_allclose

X = theano.config.floatX
RTOL = 1e-4 if X == "float32" else 1e-9


def normal(*shape):
    return np.random.RandomState(0).normal(size=shape).astype(X)


def check(variables, expression, values, expected, **keywords):
    result = theano.function(variables, expression, **keywords)(*values)
    assert_allclose(result, expected, rtol=RTOL, atol=RTOL)
