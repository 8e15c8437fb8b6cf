"""Softmax and cross-entropy on XLA."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, compare
from theano.compile.mode import Mode
from theano.tensor import nnet

PY = Mode("py", "fast_run").excluding("xla")
ROWS = np.random.RandomState(0).randn(5, 7) * 4
ODD = np.array([[0, 1e4, -1e4], [-np.inf, 0, 1], [np.nan, 0, 1], [1, 1, 1]], "f")
LABELS = np.array([0, 6, 3, 3, 1])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_softmax_and_its_logarithm(dtype):
    x, b = tt.matrix("x", dtype), tt.vector("b", dtype)
    outputs = [nnet.softmax(x), nnet.softmax(x + b), nnet.logsoftmax(x)]
    calls = [(ROWS.astype(dtype), ROWS[0].astype(dtype)), (ODD.astype(dtype), ODD[3].astype(dtype))]
    calls.append((np.zeros((0, 3), dtype), np.zeros(3, dtype)))
    compare([x, b], outputs, *calls)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_softmax(dtype):
    x, b, weight = tt.matrix("x", dtype), tt.vector("b", dtype), tt.matrix("w", dtype)
    outputs = [
        theano.grad((y * weight).sum(), x)
        for y in (nnet.softmax(x), nnet.softmax(x + b), nnet.logsoftmax(x))
    ]
    values = ROWS.astype(dtype)
    compare([x, b, weight], outputs, (values, values[1], values[::-1]))


def cost(x, b, y):
    return nnet.categorical_crossentropy(nnet.softmax(x + b), y)


@pytest.mark.parametrize("labels", ["lvector", "ivector"])
def test_cross_entropy_of_labels(labels):
    x, b, y = tt.fmatrix(), tt.fvector(), getattr(tt, labels)()
    outputs = [cost(x, b, y), nnet.softmax(x + b).argmax(axis=1)]
    outputs += theano.grad(cost(x, b, y).mean(), [x, b])
    good = LABELS.astype(y.dtype)
    values = (ROWS.astype("f"), ROWS[1].astype("f"))
    calls = [(*values, good), (*values, good - 1), (*values, good + 1), (*values, good[:2])]
    compare([x, b, y], outputs, *calls, (*values, good), replays=3)


def test_cross_entropy_op_in_double_and_its_three_outputs():
    x, b, y = tt.dmatrix(), tt.dvector(), tt.lvector()
    outputs = nnet.crossentropy_softmax_argmax_1hot_with_bias(x, b, y)
    ties = np.array([[1, 1, 0], [0, 2, 2], [5, 5, 5.0]])
    compare([x, b, y], outputs, (ROWS, ROWS[2], LABELS), (ties, np.zeros(3), np.array([2, 1, 0])))


def test_gradient_op_with_one_weight_for_all_rows():
    dy, ys, sm, y = tt.dscalar(), tt.dvector(), tt.dmatrix(), tt.lvector()
    op = nnet.crossentropy_softmax_1hot_with_bias_dx
    outputs = [op(dy, sm, y), op(ys, sm, y)]
    compare(
        [dy, ys, sm, y],
        outputs,
        (2.5, np.array([3.0]), ROWS, LABELS),
        (2.5, ROWS[:, 0], ROWS, LABELS),
        (2.5, ROWS[:2, 0], ROWS, LABELS),
        replays=1,
    )


def test_cross_entropy_of_any_distribution():
    p, q = tt.dmatrix(), tt.dmatrix()
    weights = np.exp(ROWS) / np.exp(ROWS).sum(axis=1, keepdims=True)
    one = nnet.categorical_crossentropy(p, q)
    outputs = [one, nnet.binary_crossentropy(p, q), *theano.grad(one.sum(), [p, q])]
    compare([p, q], outputs, (weights, weights[::-1]))


def test_cross_entropy_of_labels_without_softmax():
    p, y = tt.dmatrix(), tt.lvector()
    weights = np.exp(ROWS) / np.exp(ROWS).sum(axis=1, keepdims=True)
    one = nnet.crossentropy_categorical_1hot(p, y)
    compare(
        [p, y],
        [one, theano.grad(one.mean(), p)],
        (weights, LABELS),
        (weights, LABELS + 1),
        replays=1,
    )


def test_hierarchical_softmax():
    x, w1, b1, w2, b2 = tt.dmatrix(), tt.dmatrix(), tt.dvector(), tt.dtensor3(), tt.dmatrix()
    y = tt.lvector()
    rng = np.random.RandomState(1)
    values = [rng.randn(*shape) for shape in [(4, 3), (3, 2), (2,), (2, 3, 5), (2, 5)]]
    one = nnet.h_softmax(x, 4, 10, 2, 5, w1, b1, w2, b2, y)
    compare(
        [x, w1, b1, w2, b2, y],
        [one, *theano.grad(tt.log(one).sum(), [x, w1, w2])],
        (*values, np.array([0, 9, 4, 5])),
    )


def test_labels_of_any_integer_type():
    x, b, small, unsigned = tt.dmatrix(), tt.dvector(), tt.bvector(), tt.vector("u", "uint8")
    op = nnet.crossentropy_softmax_argmax_1hot_with_bias
    good = (ROWS, ROWS[2], LABELS.astype("int8"), LABELS.astype("uint8"))
    wide = (np.ones((5, 300)), np.ones(300), LABELS.astype("int8"), LABELS.astype("uint8"))
    outputs = [op(x, b, small)[0], op(x, b, unsigned)[0]]
    compare([x, b, small, unsigned], outputs, good, wide, modes=(PY, XLA))


def test_a_column_before_a_matrix():
    x, value = tt.dmatrix(), tt.dscalar()
    outputs = [nnet.Prepend_scalar_constant_to_each_row(2.5)(x)]
    outputs.append(nnet.Prepend_scalar_to_each_row()(value, x))
    compare([x, value], outputs, (ROWS, 3.5), (ROWS[:0], 1.0), modes=(PY, XLA))
