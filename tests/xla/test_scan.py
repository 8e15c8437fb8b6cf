"""Scan on XLA: values and gradients of every kind of recurrence."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import compare

RANDOM = np.random.RandomState(3)


def random(*shape, dtype="float32"):
    if dtype.startswith("int"):
        return RANDOM.randint(-3, 4, shape).astype(dtype)
    return RANDOM.uniform(-1, 1, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_rnn_and_its_gradient(dtype):
    x, h0, w = tt.TensorType(dtype, (False,) * 3)(), tt.matrix(dtype=dtype), tt.matrix(dtype=dtype)
    h, _ = theano.scan(
        lambda x_t, h: tt.tanh(x_t + tt.dot(h, w)), sequences=x, outputs_info=h0, non_sequences=[]
    )
    cost = (h**2).sum()
    calls = [
        (random(n, 3, 4, dtype=dtype), random(3, 4, dtype=dtype), random(4, 4, dtype=dtype))
        for n in (1, 2, 7)
    ]
    compare([x, h0, w], [h, h[-1], *tt.grad(cost, [x, h0, w])], *calls)
