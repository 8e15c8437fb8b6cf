"""Products of sparse and dense matrices: SciPy's on the host, ours on the device."""

import numpy as np
import pytest
import scipy.sparse
import theano
from differ import XLA, clusters, compare
from theano import sparse, tensor
from theano.sparse.basic import CSMProperties, Transpose

from theano_colab.xla.sparse import Entries

HOST = (Entries, Transpose, CSMProperties)


def _matrix(layout, rows, columns, dtype="float64", density=0.3):
    random = np.random.RandomState(rows + columns)
    dense = np.where(random.rand(rows, columns) < density, random.randn(rows, columns) * 8, 0)
    return getattr(scipy.sparse, f"{layout}_matrix")(dense.astype(dtype))


def _dense(*shape, dtype="float64"):
    return (np.random.RandomState(sum(shape)).randn(*shape) * 8).astype(dtype)


@pytest.mark.parametrize("layout", ["csr", "csc"])
@pytest.mark.parametrize(
    ("of_x", "of_y"), [("float64", "float64"), ("float32", "float32"), ("float32", "float64"),
                       ("int32", "float64"), ("int64", "int8"), ("complex128", "float64")]
)  # fmt: skip
def test_products_on_both_sides(layout, of_x, of_y):
    x, y = sparse.matrix(layout, dtype=of_x), tensor.matrix(dtype=of_y)
    v = tensor.vector(dtype=of_y)
    outputs = [
        sparse.dot(x, y),
        sparse.dot(y.T, x.T),
        sparse.dot(x, v),
        sparse.structured_dot(x, y),
    ]
    calls = [
        (_matrix(layout, m, n, of_x, density), _dense(n, k, dtype=of_y), _dense(n, dtype=of_y))
        for m, n, k, density in [(5, 7, 3, 0.3), (40, 30, 2, 0.5), (6, 7, 3, 0.0), (0, 4, 2, 1.0),
                                 (4, 0, 2, 1.0), (1, 1, 1, 1.0), (3, 4, 0, 0.5)]
    ]  # fmt: skip
    compare([x, y, v], outputs, *calls, host=HOST)


def test_sizes_that_do_not_fit_are_scipys_error():
    x, y = sparse.csr_matrix(dtype="float64"), tensor.matrix(dtype="float64")
    call = _matrix("csr", 5, 7), _dense(6, 3)
    compare([x, y], sparse.dot(x, y), call, (call[0], _dense(7, 3)), host=HOST, replays=1)


def test_entries_given_twice_and_not_finite():
    x, y = sparse.csr_matrix(dtype="float64"), tensor.matrix(dtype="float64")
    twice = scipy.sparse.csr_matrix(
        (np.array([1.0, 2.0, np.inf]), np.array([1, 1, 0]), np.array([0, 2, 2, 3])), (3, 2)
    )
    y_value = np.array([[np.nan, 1.0], [3.0, -np.inf]])
    compare([x, y], sparse.dot(x, y), (twice, y_value), host=HOST)


@pytest.mark.parametrize("layout", ["csr", "csc"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_theano_makes_of_a_scaled_product(layout, dtype):
    """Usmm, and UsmmCscDense."""
    x = sparse.matrix(layout, dtype=dtype)
    y, z = tensor.matrix(dtype=dtype), tensor.matrix(dtype=dtype)
    a = tensor.scalar(dtype=dtype)
    call = _matrix(layout, 5, 7, dtype), _dense(7, 3, dtype=dtype), _dense(5, 3, dtype=dtype)
    compare([x, y, z, a], z - a * sparse.dot(x, y), (*call, call[1][0, 0]), host=HOST)


def test_regression_on_sparse_batches_learns_what_the_c_linker_learns():
    """A bag of words: batches of other numbers of entries, updates, few compilations."""
    learned, compiled = {}, 0
    for mode in (None, XLA):
        x, y = sparse.csr_matrix(dtype="float64"), tensor.ivector()
        w = theano.shared(np.zeros((50, 4)))
        b = theano.shared(np.zeros(4))
        p = tensor.nnet.softmax(sparse.structured_dot(x, w) + b)
        cost = tensor.nnet.categorical_crossentropy(p, y).mean()
        p_of_dot = tensor.nnet.softmax(sparse.dot(x, w) + b)
        cost = cost + tensor.nnet.categorical_crossentropy(p_of_dot, y).mean()
        updates = [(one, one - 0.1 * theano.grad(cost, one)) for one in (w, b)]
        step = theano.function([x, y], cost, updates=updates, mode=mode)
        costs = [
            float(step(_matrix("csr", 8, 50, density=0.03 * k), np.arange(8, dtype="int32") % 4))
            for k in range(12)
        ]
        learned[mode is XLA] = [np.array(costs), w.get_value(), b.get_value()]
        compiled = sum(op.program.counts.compiled for op in clusters(step))
    for one, other in zip(learned[True], learned[False], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
    assert compiled <= 6
