"""Fourier transforms on XLA."""

import functools

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, compare
from theano.tensor import fft

# These ops have no C code, or the same in Python, which need not be compiled.
PYTHON = theano.Mode("py", "fast_run").excluding("xla")
same = functools.partial(compare, modes=(PYTHON, XLA))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 8), (3, 7), (2, 4, 6), (1, 3, 5)])
def test_there_and_back(dtype, shape):
    x = tt.TensorType(dtype, (False,) * len(shape))()
    y = fft.rfft(x, norm="ortho")
    back = fft.irfft(y, norm="ortho", is_odd=shape[-1] % 2 == 1)
    outputs = [y, back, tt.grad((y**2).sum(), x), tt.grad((back**3).sum(), x)]
    call = np.random.default_rng(0).normal(size=shape).astype(dtype)
    same([x], outputs, [call], rtol=1e-5 if dtype == "float32" else None)


def test_sizes_that_are_inputs():
    x, sizes = tt.dmatrix(), tt.lvector()
    call = np.random.default_rng(0).normal(size=(2, 6))
    calls = ([call, np.array([n])] for n in (4, 6, 9))
    same([x, sizes], fft.rfft_op(x, sizes), *calls)
