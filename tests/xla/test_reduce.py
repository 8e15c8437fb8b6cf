"""Reductions on XLA."""

import functools

import jax
import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import compare
from theano import scalar
from theano.compile.ops import DeepCopyOp
from theano.tensor.elemwise import CAReduce, CAReduceDtype

from theano_colab.xla import registry
from theano_colab.xla.device import x64

FLOATS = ["float32", "float64"]
AXES = [None, 0, 1, 2, (0, 2), (1, 2)]
CUBE = np.random.RandomState(0).randint(-3, 4, (3, 4, 5))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64", "uint32", "float16", *FLOATS])
def test_sums_products_and_extremes(dtype):
    x = tt.tensor3("x", dtype)
    outputs = [
        reduce(x, axis=axis)
        for axis in AXES
        for reduce in (tt.sum, tt.prod, tt.max, tt.min, tt.all, tt.any)
    ]
    value = CUBE.astype(dtype)
    compare([x], outputs, (value,), (value.transpose(1, 2, 0)[:, ::-1],))


@pytest.mark.parametrize("dtype", FLOATS)
def test_means_and_variances_and_gradients(dtype):
    x = tt.tensor3("x", dtype)
    value = np.random.RandomState(0).randn(3, 4, 5).astype(dtype)
    costs = [x.mean(axis=1), x.var(axis=(0, 2)), x.std(), x.norm(2), x.prod(axis=1), x.max(axis=2)]
    outputs = costs + [theano.grad((one**2).sum(), x) for one in costs]
    zeros = value.copy()
    zeros[0, 0], zeros[1, :2], zeros[2, 1, 1] = 0, 0, 0
    compare([x], outputs, (value,), (zeros,))


@pytest.mark.parametrize("dtype", FLOATS)
def test_not_a_number_and_infinities(dtype):
    x = tt.matrix("x", dtype)
    value = np.array([[1, np.nan, 2], [np.inf, 0, -np.inf], [3, 3, 2], [-0.0, 0, -1]], dtype)
    outputs = [f(x, axis=1) for f in (tt.sum, tt.prod, tt.max, tt.min, tt.any, tt.all, tt.argmax)]
    outputs += [f(x) for f in (tt.max, tt.argmax, tt.argmin)]
    compare([x], outputs, (value,), (value[2:],), (value[::-1, ::-1],))


def test_nothing_to_reduce():
    x = tt.dmatrix()
    sums = [f(x, axis=axis) for f in (tt.sum, tt.prod, tt.any, tt.all) for axis in (None, 0, 1)]
    compare([x], sums, (np.zeros((0, 3)),), (np.zeros((3, 0)),), (np.zeros((0, 0)),))


@pytest.mark.parametrize("reduce", [tt.max, tt.argmax])
def test_no_extreme_of_nothing(reduce):
    x = tt.dmatrix()
    empty = [(np.zeros((0, 3)),), (np.zeros((3, 0)),), (np.ones((2, 3)),)]
    compare([x], reduce(x, axis=0), *empty, replays=1)


def test_accumulators():
    x, n = tt.fvector(), tt.bvector()
    outputs = [
        tt.sum(x),
        tt.sum(x, dtype="float64"),
        tt.sum(n, dtype="int8"),
        tt.sum(n, dtype="float32"),
        tt.sum(n),
        tt.prod(n, dtype="int32"),
    ]
    large = np.full(20000, 0.1, "f")
    compare([x, n], outputs, (large, np.full(300, 77, "int8")))
    # In float32 the order of the terms shows; C adds them one by one.
    compare([x], tt.sum(x, acc_dtype="float32"), (np.full(20000, 0.125, "f"),))


def test_float32_is_added_in_float32_and_multiplied_in_float64():
    x = tt.fvector()

    def dtypes(node):
        lowered = functools.partial(registry.find(node).function, None, node)
        with x64():
            return str(jax.make_jaxpr(lowered)(np.ones(3, "f")))

    assert "f64" not in dtypes(tt.sum(x).owner)
    assert "f64" in dtypes(tt.sum(x, dtype="float64").owner)
    assert "f64" in dtypes(tt.prod(x).owner)


@pytest.mark.parametrize("op", ["and_", "or_", "xor", "add", "mul", "maximum", "minimum"])
def test_any_scalar_op(op):
    x = tt.itensor3()
    outputs = [CAReduce(getattr(scalar, op), axis)(x) for axis in (None, [0], [0, 2], [])]
    outputs.append(CAReduceDtype(getattr(scalar, op), [1], dtype="int64")(x))
    compare([x], outputs, (CUBE.astype("int32"),), host=(DeepCopyOp,))


def test_a_product_without_zeros():
    x = tt.dmatrix()
    op = theano.tensor.elemwise.ProdWithoutZeros
    value = np.array([[1.5, 0, 2], [0, 0, 0], [3, 4, 5]])
    compare([x], [op(axis=[1])(x), op(axis=[0])(x), op()(x)], (value,), (value[:0],))


@pytest.mark.parametrize("dtype", ["int8", "uint16", "bool", *FLOATS])
def test_places_of_extremes(dtype):
    x = tt.tensor3("x", dtype)
    outputs = [tt.argmax(x, axis=axis) for axis in (None, 0, 2)]
    outputs += tt.max_and_argmax(x, axis=1)
    outputs += tt.max_and_argmax(x, axis=(0, 2))
    outputs += [tt.max(x), *theano.tensor.MaxAndArgmax([2])(x)]
    calls = [(CUBE.astype(dtype),), (CUBE[::-1, ::-1].astype(dtype),)]
    compare([x], outputs, *calls, host=(DeepCopyOp,))  # two of the outputs are one


def test_complex_sums():
    x = tt.zmatrix()
    value = CUBE[0] + 1j * CUBE[1]
    compare([x], [x.sum(), x.sum(axis=0), x.prod(axis=1), x.mean()], (value,))
