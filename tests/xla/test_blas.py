"""Dot, what the BLAS optimizer makes of it, and BatchedDot on XLA."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, C, clusters, compare
from theano.tensor import blas, blas_scipy

DTYPES = ["float32", "float64", "float16", "complex64", "int8", "uint16", "int64", "bool"]


def random(shape, dtype, seed=0):
    values = np.asarray(np.random.default_rng(seed).normal(size=shape) * 3)
    if dtype.startswith("complex"):
        return (values + 1j * values.T.reshape(shape)).astype(dtype)
    return values.astype("int8" if dtype.startswith("uint") else dtype).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_every_rank(dtype):
    a, b = tt.matrix("a", dtype), tt.matrix("b", dtype)
    u, v = tt.vector("u", dtype), tt.vector("v", dtype)
    outputs = [a.dot(b), a.dot(v), u.dot(b), u.dot(u), tt.dot(u[0], b), a.T.dot(a)]
    calls = [
        [random(one, dtype, n) for n, one in enumerate(shapes)]
        for shapes in [
            [(3, 4), (4, 5), (4,), (4,)],
            [(1, 1), (1, 1), (1,), (1,)],
            [(3, 2), (2, 0), (2,), (2,)],
        ]
    ]
    compare([a, b, u, v], outputs, *calls)


@pytest.mark.parametrize("dtypes", [("int8", "float32"), ("float32", "float64"), ("uint8", "int8")])
def test_products_of_two_dtypes(dtypes):
    a, b = tt.matrix("a", dtypes[0]), tt.matrix("b", dtypes[1])
    compare([a, b], a.dot(b), [random((3, 4), dtypes[0]), random((4, 2), dtypes[1])])


def test_nothing_to_sum():
    a, b, v = tt.fmatrix(), tt.fmatrix(), tt.fvector()
    calls = [np.ones(shape, "f") for shape in [(3, 0), (0, 2), (0,)]]
    compare([a, b, v], [a.dot(b), a.dot(v), v.dot(v)], calls)


def test_nan_and_infinity_go_through():
    a, b = tt.fmatrix(), tt.fmatrix()
    x = np.array([[1, np.inf], [0, np.nan]], "f")
    compare([a, b], [a.dot(b), b.dot(a)], [x, np.ones((2, 2), "f")])


def test_shapes_that_do_not_fit():
    a, b, v = tt.fmatrix(), tt.fmatrix(), tt.fvector()
    ones = [np.ones(shape, "f") for shape in [(2, 3), (4, 2), (5,)]]
    compare([a, b], a.dot(b), ones[:2], replays=1)
    compare([a, v], a.dot(v), [ones[0], ones[2]], replays=1)
    compare([a, b, v], v + a.dot(b.dot(v)), ones, replays=1)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_sums_of_products(dtype):
    z, x, y = (tt.matrix(name, dtype) for name in "zxy")
    u, v = tt.vector("u", dtype), tt.vector("v", dtype)
    s = tt.scalar("s", dtype)
    outputs = [
        z - 2 * x.dot(y),
        s * z + x.dot(2 * y),
        s * x.dot(y + 1),
        u + x.dot(v),
        u - s * v.dot(x.T),
        z + 3 * tt.outer(u, v[:2]),
    ]
    call = [random(one, dtype, n) for n, one in enumerate([(3, 2), (3, 4), (4, 2), (3,), (4,), ()])]
    function = compare([z, x, y, u, v, s], outputs, call)
    ops = {type(node.op) for cluster in clusters(function) for node in cluster.nodes}
    assert {blas.Gemm, blas.Gemv, blas.Dot22Scalar} <= ops, ops
    # Theano makes no rank-one updates of complex matrices.
    assert dtype == "complex64" or ops & {blas.Ger, blas_scipy.ScipyGer}, ops


def test_what_a_beta_of_zero_multiplies_is_not_read():
    z, x, y = tt.fmatrix(), tt.fmatrix(), tt.fmatrix()
    u, v, beta = tt.fvector(), tt.fvector(), tt.fscalar()
    one = np.float32(1)
    outputs = [
        blas.gemm_no_inplace(z, one, x, y, beta),
        blas.gemv_no_inplace(u, one, x, v, beta),
    ]
    nan = np.full((2, 2), np.nan, "f")
    ones = np.ones((2, 2), "f")
    for value in (0, 2):
        calls = [nan, ones, ones, nan[0], ones[0], np.float32(value)]
        compare([z, x, y, u, v, beta], outputs, calls)


def test_what_is_declared_in_place_changes_nothing():
    z = theano.shared(np.ones((2, 2), "f"), target="cpu")
    x = tt.fmatrix()
    function = theano.function([x], z - 0.5 * x.dot(x), mode=XLA)
    np.testing.assert_array_equal(function(np.eye(2, dtype="f")), [[0.5, 1], [1, 0.5]])
    np.testing.assert_array_equal(z.get_value(), np.ones((2, 2)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batches(dtype):
    a, b = tt.tensor3("a", dtype), tt.tensor3("b", dtype)
    u = tt.matrix("u", dtype)
    pairs = [(a, b), (a, u), (u, b), (u, u)]
    outputs = [blas.batched_dot(*pair) for pair in pairs]
    calls = [
        [random(one, dtype, n) for n, one in enumerate(shapes)]
        for shapes in [[(2, 3, 4), (2, 4, 5), (2, 4)], [(0, 3, 4), (0, 4, 5), (0, 4)]]
    ]
    compare([a, b, u], outputs, *calls)
    wrong = [random(shape, dtype) for shape in [(2, 3, 4), (3, 4, 5)]]
    modes = (C, XLA)
    compare([a, b], outputs[0], wrong, replays=1, modes=modes)


def test_tensordot_and_gradients():
    a, b = tt.ftensor3(), tt.ftensor4()
    cost = (tt.tensordot(a, b, [[0, 2], [3, 1]]) ** 2).sum()
    x, y = random((2, 3, 4), "float32"), random((5, 4, 6, 2), "float32")
    compare([a, b], [cost, *tt.grad(cost, [a, b])], [x, y])
    c, d = tt.ftensor3(), tt.ftensor3()
    cost = (tt.batched_tensordot(c, d, [[2], [1]]) ** 2).sum()
    call = [random((2, 3, 4), "float32"), random((2, 4, 5), "float32", 1)]
    compare([c, d], [cost, *tt.grad(cost, [c, d])], call)
