"""Programs that test_blas.py runs with the port, once for each BLAS: products against NumPy."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import theano
import theano.tensor as T  # noqa: N812 - as every notebook does
from numpy.testing import assert_allclose
from theano.tensor import blas

DTYPES = ["float32", "float64", "complex64", "complex128"]
# How an array can lie in memory: each takes one that is large enough and of C order, and gives one
# of the wanted shape.
LAYOUTS = {
    "C": lambda a: np.ascontiguousarray(a[::2, ::2]),
    "Fortran": lambda a: np.asfortranarray(a[::2, ::2]),
    "rows apart": lambda a: a[::2, : (a.shape[1] + 1) // 2],
    "columns apart": lambda a: a[: (a.shape[0] + 1) // 2, ::2],
    "both apart": lambda a: a[::2, ::2],
    "rows backwards": lambda a: np.ascontiguousarray(a[::2, ::2])[::-1],
    "columns backwards": lambda a: np.ascontiguousarray(a[::2, ::2])[:, ::-1],
    "transposed, apart": lambda a: np.asfortranarray(a)[::2, ::2],
}


def _random(dtype, *shape):
    random = np.random.RandomState(sum(shape))
    values = random.normal(size=shape)
    if dtype.startswith("complex"):
        values = values + 1j * random.normal(size=shape)
    return values.astype(dtype)


def _matrix(dtype, layout, rows, columns):
    value = LAYOUTS[layout](_random(dtype, 2 * rows - 1 or 1, 2 * columns - 1 or 1))
    assert value.shape == (rows, columns), (layout, value.shape)
    return value


def _vector(dtype, step, length):
    return _random(dtype, length * abs(step))[::step]


def _close(result, expected, dtype, *context):
    tolerance = 1e-4 if dtype in ("float32", "complex64") else 1e-11
    assert result.dtype == dtype
    assert_allclose(result, expected, rtol=tolerance, atol=tolerance, err_msg=str(context))


def _types(dtype):
    return (
        T.TensorType(dtype, [False, False]),
        T.TensorType(dtype, [False]),
        T.TensorType(dtype, []),
    )


def matrix_by_matrix():
    for dtype in DTYPES:
        matrix, _, scalar = _types(dtype)
        z, a, x, y, b = matrix(), scalar(), matrix(), matrix(), scalar()
        gemm = theano.function([z, a, x, y, b], blas.gemm_no_inplace(z, a, x, y, b))
        dot = theano.function([x, y], T.dot(x, y))
        for one, two in itertools.product(LAYOUTS, LAYOUTS):
            p, q = _matrix(dtype, one, 3, 5), _matrix(dtype, two, 5, 4)
            _close(dot(p, q), p @ q, dtype, one, two)
            r = _matrix(dtype, two, 3, 4)
            kept = r.copy()
            for factors in [(1, 1), (-2, 0), (0.5, 3), (0, 1), (0, 0)]:
                alpha, beta = (np.asarray(factor, dtype) for factor in factors)
                _close(gemm(r, alpha, p, q, beta), beta * r + alpha * (p @ q), dtype, one, two)
            _close(r, kept, dtype)


def matrix_by_matrix_in_place():
    for dtype in DTYPES:
        matrix, _, scalar = _types(dtype)
        x, y, a = matrix(), matrix(), scalar()
        for layout in LAYOUTS:
            start = _matrix(dtype, layout, 3, 4)
            state = theano.shared(start, borrow=False)
            step = theano.function([x, y, a], [], updates={state: state - a * T.dot(x, y)})
            p, q = _matrix(dtype, "C", 3, 5), _matrix(dtype, "Fortran", 5, 4)
            step(p, q, np.asarray(0.5, dtype))
            _close(state.get_value(), start - 0.5 * (p @ q), dtype, layout)


def matrix_by_vector():
    for dtype in DTYPES:
        matrix, vector, scalar = _types(dtype)
        y, a, x, v, b = vector(), scalar(), matrix(), vector(), scalar()
        gemv = theano.function([y, a, x, v, b], blas.gemv_no_inplace(y, a, x, v, b))
        left = theano.function([x, v], T.dot(x, v))
        right = theano.function([x, v], T.dot(v, x))
        for layout, step in itertools.product(LAYOUTS, [1, 2, -1, -3]):
            m, w = _matrix(dtype, layout, 3, 5), _vector(dtype, step, 5)
            u, before = _vector(dtype, step, 3), _vector(dtype, step, 3)
            _close(left(m, w), m @ w, dtype, layout, step)
            _close(right(m, u), u @ m, dtype, layout, step)
            for factors in [(1, 1), (-2, 0), (0.5, 3)]:
                alpha, beta = (np.asarray(factor, dtype) for factor in factors)
                _close(gemv(before, alpha, m, w, beta), beta * before + alpha * (m @ w), dtype)


def what_was_in_memory_does_not_matter():
    for dtype in ["float32", "float64"]:
        matrix, vector, _ = _types(dtype)
        x, y, v = matrix(), matrix(), vector()
        function = theano.function([x, y, v], [T.dot(x, y), T.dot(x, v), T.dot(v, x)])
        square, line = np.ones((64, 64), dtype), np.ones(64, dtype)
        for _ in range(20):
            dirt = [np.full(n, np.nan, dtype) for n in (64, 64, 64 * 64)]
            del dirt
            for result in function(square, square, line):
                _close(result, np.full(result.shape, 64), dtype)


def vector_by_vector():
    for dtype in DTYPES:
        _, vector, _ = _types(dtype)
        v, w = vector(), vector()
        dot = theano.function([v, w], T.dot(v, w))
        outer = theano.function([v, w], T.outer(v, w))
        for one, two in itertools.product([1, 2, -1, -3], repeat=2):
            p, q, r = _vector(dtype, one, 5), _vector(dtype, two, 5), _vector(dtype, two, 3)
            _close(dot(p, q), p @ q, dtype, one, two)
            _close(outer(p, r), np.outer(p, r), dtype, one, two)


def rank_one_update():
    for dtype in DTYPES:
        matrix, vector, scalar = _types(dtype)
        x, a, v, w = matrix(), scalar(), vector(), vector()
        ger = theano.function([x, a, v, w], blas.ger(x, a, v, w))
        for layout, step in itertools.product(LAYOUTS, [1, 2, -1]):
            m, p, q = _matrix(dtype, layout, 3, 5), _vector(dtype, step, 3), _vector(dtype, step, 5)
            result = ger(m, np.asarray(0.5, dtype), p, q)
            _close(result, m + 0.5 * np.outer(p, q), dtype, layout, step)


def products_of_nothing():
    for dtype in ["float32", "float64"]:
        matrix, vector, _ = _types(dtype)
        x, y, v = matrix(), matrix(), vector()
        dot, gemv = theano.function([x, y], T.dot(x, y)), theano.function([x, v], T.dot(x, v))
        for rows, inner, columns in itertools.product([0, 2], repeat=3):
            p, q = np.ones((rows, inner), dtype), np.ones((inner, columns), dtype)
            _close(dot(p, q), p @ q, dtype)
            _close(
                gemv(p, q[:, :1].ravel()[:inner] if columns else np.ones(inner, dtype)),
                p @ np.ones(inner, dtype),
                dtype,
            )


def batches_of_products():
    for dtype in ["float32", "float64"]:
        kind = T.TensorType(dtype, [False] * 3)
        x, y = kind(), kind()
        function = theano.function([x, y], T.batched_dot(x, y))
        p, q = _random(dtype, 6, 3, 5), _random(dtype, 6, 5, 4)
        _close(function(p, q), p @ q, dtype)
        _close(function(p[::-2], q[::2]), p[::-2] @ q[::2], dtype)


def shapes_that_do_not_fit_are_refused():
    x, y = T.matrices("x", "y")
    function = theano.function([x, y], T.dot(x, y))
    value = np.ones((2, 3), theano.config.floatX)
    # NumPy says it in its own words where there is no BLAS.
    with pytest.raises(ValueError, match=r"Shape mismatch|not aligned"):
        function(value, value)


def convolution():
    x, w = T.ftensor4s("x", "w")
    image, kernel = _random("float32", 2, 3, 8, 8), _random("float32", 4, 3, 3, 3)
    expression = T.nnet.conv2d(x, w)
    names = {
        type(node.op).__name__
        for node in theano.function([x, w], expression).maker.fgraph.toposort()
    }
    result = theano.function([x, w], expression)(image, kernel)
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3), axis=(2, 3))
    expected = np.einsum("bcijkl,ockl->boij", windows, kernel[:, :, ::-1, ::-1])
    _close(result, expected, "float32")
    assert "CorrMM" in names or not theano.config.blas.ldflags


def the_library_is_linked():
    x, v = T.matrix(), T.vector()
    graph = theano.function([x, v], T.dot(x, v)).maker.fgraph
    names = [type(node.op).__name__ for node in graph.toposort()]
    flags = theano.config.blas.ldflags
    assert ("CGemv" in names) == bool(flags), names
    if flags:
        mapped = Path("/proc/self/maps").read_text("utf-8")
        folder = [flag[2:] for flag in flags.split() if flag.startswith("-L")]
        assert all(path in mapped for path in folder)
