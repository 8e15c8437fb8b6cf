"""Programs such as a notebook has, which test_behaviour.py runs with the port."""

# Written as a notebook's author would write it; each program's errors of any kind are its result.
# ruff: noqa: N812, B905, PT017, PLW2901, PLW0108, SIM905, E501

from __future__ import annotations

import io
import pickle
import sys
import tempfile
import warnings

import numpy as np
import theano
import theano.compile.nanguardmode
import theano.sparse
import theano.tensor as T
import theano.tensor.nnet.conv
import theano.tensor.slinalg
from checking import X, check, normal
from numpy.testing import assert_allclose, assert_array_equal
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.nnet import conv2d
from theano.tensor.nnet.conv3d2d import DiagonalSubtensor
from theano.tensor.shared_randomstreams import RandomStreams
from theano.tensor.signal.pool import pool_2d


def elementwise():
    x, y = T.matrices("x", "y")
    a, b = normal(3, 4), normal(3, 4)
    check(
        [x, y],
        T.tanh(x) * T.exp(-y) + abs(x) ** 2.5,
        [a, b],
        np.tanh(a) * np.exp(-b) + abs(a) ** 2.5,
    )


def every_elementwise_function():
    x = T.vector()
    a = abs(normal(20)) / 10 + 0.2
    for name in (
        "exp exp2 expm1 log log2 log10 log1p sqrt sqr sin cos tan arcsin arccos arctan sinh cosh tanh "
        "arcsinh arctanh floor ceil trunc sgn"
    ).split():
        reference = {"sqr": "square", "sgn": "sign"}.get(name, name)
        check([x], getattr(T, name)(x), [a], getattr(np, reference)(a))


def special_functions():
    import scipy.special

    x = T.vector()
    a = abs(normal(9)) / 4 + 0.1
    for name in (
        "erf",
        "erfc",
        "erfinv",
        "erfcinv",
        "gamma",
        "gammaln",
        "psi",
        "j0",
        "j1",
        "i0",
        "i1",
    ):
        check([x], getattr(T, name)(x), [a], getattr(scipy.special, name)(a.astype("float64")))


def reductions():
    x = T.tensor3()
    a = normal(3, 4, 5)
    for name in ("sum", "prod", "mean", "max", "min", "var", "std", "argmax"):
        for axis in (None, 0, -1):
            check([x], getattr(T, name)(x, axis=axis), [a], getattr(np, name)(a, axis=axis))
    check([x], x.norm(2), [a], np.linalg.norm(a.ravel()))


def linear_algebra():
    x, v = T.matrix(), T.vector()
    a = normal(4, 4) + 4 * np.eye(4, dtype=X)
    b = normal(4)
    check([x, v], T.dot(x, v), [a, b], a @ b)
    check([x], T.dot(x, x.T), [a], a @ a.T)
    check([x], T.nlinalg.matrix_inverse(x), [a], np.linalg.inv(a))
    check([x], T.nlinalg.det(x), [a], np.linalg.det(a))
    check([x, v], T.slinalg.solve(x, v), [a, b], np.linalg.solve(a, b))
    check([x], T.slinalg.cholesky(T.dot(x, x.T)), [a], np.linalg.cholesky(a @ a.T))
    check([x], T.slinalg.expm(x / 10), [a], _expm(a / 10))
    check([x], T.nlinalg.svd(x, compute_uv=False), [a], np.linalg.svd(a, compute_uv=False))


def _expm(a):
    import scipy.linalg

    return scipy.linalg.expm(a.astype("float64"))


def logistic_regression_learns():
    rng = np.random.RandomState(1)
    data = rng.randn(200, 5).astype(X)
    target = (data[:, 0] > 0).astype("int32")
    x, y = T.matrix("x"), T.ivector("y")
    w = theano.shared(np.zeros((5, 2), X), name="w")
    b = theano.shared(np.zeros(2, X), name="b")
    p = T.nnet.softmax(T.dot(x, w) + b)
    cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y])
    updates = [(v, v - 0.5 * g) for v, g in zip([w, b], T.grad(cost, [w, b]))]
    train = theano.function([x, y], cost, updates=updates)
    costs = [train(data, target) for _ in range(30)]
    assert_allclose(costs[0], np.log(2), rtol=1e-4)
    assert costs[-1] < 0.3
    assert w.get_value().dtype == X


def shared_values_and_givens():
    data = normal(10, 3)
    s = theano.shared(data, borrow=True)
    i = T.lscalar()
    x = T.matrix()
    f = theano.function([i], x.sum(), givens={x: s[i * 2 : (i + 1) * 2]})
    assert_allclose([f(n) for n in range(5)], data.reshape(5, -1).sum(1), rtol=1e-4)
    s.set_value(data * 2)
    assert_allclose(f(0), 2 * data[:2].sum(), rtol=1e-4)
    counter = theano.shared(0)
    count = theano.function([], counter, updates=[(counter, counter + 1)])
    assert [int(count()) for _ in range(3)] == [0, 1, 2]


def gradients_match_finite_differences():
    rng = np.random.RandomState(3)
    for expression in (
        lambda v: T.nnet.sigmoid(v).sum(axis=0),
        lambda v: T.nnet.softmax(v),
        lambda v: T.dot(v, v.T),
        lambda v: v[1:, ::-1],
        lambda v: T.cumsum(v, axis=1),
        lambda v: T.sort(v, axis=1),
    ):
        theano.gradient.verify_grad(expression, [rng.rand(3, 4).astype(X)], rng=rng)
    x = T.vector()
    check([x], T.hessian((x**3).sum(), x), [normal(4)], np.diag(6 * normal(4)))
    check([x], T.jacobian(x**2, x), [normal(4)], np.diag(2 * normal(4)))


def scan_forms():
    n, x = T.iscalar(), T.vector()
    a = normal(5)
    result, updates = theano.scan(
        lambda p, v: p * v, outputs_info=T.ones_like(x), non_sequences=x, n_steps=n
    )
    check([x, n], result[-1], [a, 4], a**4, updates=updates)
    cumulative, _ = theano.scan(lambda v, s: s + v, sequences=x, outputs_info=T.zeros_like(x[0]))
    check([x], cumulative, [a], np.cumsum(a))
    check([x], T.grad(cumulative.sum(), x), [a], np.arange(5, 0, -1))
    fibonacci, _ = theano.scan(
        lambda one, two: one + two,
        outputs_info=[{"initial": T.as_tensor_variable(np.array([1, 1])), "taps": [-2, -1]}],
        n_steps=8,
    )
    assert_array_equal(theano.function([], fibonacci)(), [2, 3, 5, 8, 13, 21, 34, 55])
    doubled, _ = theano.scan(
        lambda v: (v * 2, theano.scan_module.until(v > 1e6)),
        outputs_info=T.constant(np.asarray(1.0, X)),
        n_steps=1024,
    )
    assert theano.function([], doubled)()[-1] > 1e6
    total, _ = theano.reduce(lambda v, s: s + v, x, T.zeros_like(x[0]))
    check([x], total, [a], a.sum())


def recurrent_network():
    x, h0 = T.matrix(), T.vector()
    w, u = normal(3, 4), normal(4, 4) / 4
    ws, us = theano.shared(w), theano.shared(u)
    h, _ = theano.scan(
        lambda v, s, w, u: T.tanh(T.dot(v, w) + T.dot(s, u)), x, h0, non_sequences=[ws, us]
    )
    data, state, expected = normal(6, 3), np.zeros(4, X), []
    for row in data:
        state = np.tanh(row @ w + state @ u)
        expected.append(state)
    check([x, h0], h, [data, np.zeros(4, X)], expected)
    gradient = theano.function([x, h0], T.grad(h[-1].sum(), us))(data, np.zeros(4, X))
    assert gradient.shape == (4, 4)
    assert np.isfinite(gradient).all()


def convolution_and_pooling():
    import scipy.signal

    x, k = T.tensor4(), T.tensor4()
    a, w = normal(2, 3, 8, 8), normal(4, 3, 3, 3)
    full = [
        [
            sum(scipy.signal.convolve(i, f, mode="valid") for i, f in zip(image, filters))
            for filters in w
        ]
        for image in a
    ]
    check([x, k], conv2d(x, k), [a, w], full)
    gradient = theano.function([x, k], T.grad(conv2d(x, k, border_mode="half").sum(), [x, k]))(a, w)
    assert [g.shape for g in gradient] == [a.shape, w.shape]
    check([x], pool_2d(x, (2, 2), ignore_border=True), [a], a.reshape(2, 3, 4, 2, 4, 2).max((3, 5)))
    check(
        [x],
        pool_2d(x, (2, 2), ignore_border=True, mode="average_exc_pad"),
        [a],
        a.reshape(2, 3, 4, 2, 4, 2).mean((3, 5)),
    )
    theano.function([x], T.grad(pool_2d(x, (2, 2), ignore_border=True).sum(), x))(a)


def diagonals_of_a_volume():
    x = T.tensor3("x")
    a = normal(4, 3, 2)
    diagonals = np.stack([[a[2 - k + j, k] for k in range(3)] for j in range(2)])
    check([x], DiagonalSubtensor()(x, 0, 1), [a], diagonals)
    check(
        [x],
        T.grad(DiagonalSubtensor()(x, 0, 1).sum(), x),
        [a],
        np.array([[[2 - k <= i < 4 - k] * 2 for k in range(3)] for i in range(4)], a.dtype),
    )


def random_streams():
    for streams in (RandomStreams(7), MRG_RandomStreams(7)):
        u, n = streams.uniform((1000,)), streams.normal((1000,))
        b = streams.binomial((1000,), n=1, p=0.3)
        f = theano.function([], [u, n, b])
        first, second = f(), f()
        assert not np.array_equal(first[0], second[0])
        assert 0 <= first[0].min() < 0.05
        assert 0.95 < first[0].max() < 1
        assert abs(first[1].mean()) < 0.15
        assert abs(first[1].std() - 1) < 0.1
        assert 0.2 < first[2].mean() < 0.4
    streams = MRG_RandomStreams(7)
    assert_array_equal(
        theano.function([], streams.multinomial(pvals=np.eye(3, dtype=X)))(), np.eye(3)
    )
    streams = RandomStreams(7)
    assert sorted(theano.function([], streams.permutation(n=5))()) == list(range(5))
    # RandomStreams' first draw is that of a RandomState with the stream's own seed.
    uniform = RandomStreams(42).uniform((3,))
    seed = int(np.random.RandomState(42).randint(2**30))
    assert_allclose(
        theano.function([], uniform)(), np.random.RandomState(seed).uniform(size=3), rtol=1e-6
    )


def indexing():
    x = T.matrix()
    a = normal(5, 6)
    i = np.array([0, 2, 2])
    check([x], x[1:4, ::2], [a], a[1:4, ::2])
    check([x], x[i], [a], a[i])
    check([x], x[i, i + 1], [a], a[i, i + 1])
    check([x], x[x > 0], [a], a[a > 0])
    check([x], x[:, None, i], [a], a[:, None, i])
    expected = a.copy()
    np.add.at(expected, i, 1)
    check([x], T.inc_subtensor(x[i], 1), [a], expected)
    expected = a.copy()
    expected[1:3] = 0
    check([x], T.set_subtensor(x[1:3], 0), [a], expected)
    check([x], T.grad(x[i, i].sum(), x), [a], _scatter(a, i))


def constant_slices_beside_rows():
    x = T.matrix("x")
    a, rows = normal(3, 4), np.array([2, 0])
    for columns in (slice(None, None, -1), slice(3, 0, -2), slice(None, 3, 2), slice(1, None)):
        check([x], x[rows, columns], [a], a[rows, columns])
        parts = (columns.start, columns.stop, columns.step)
        arrays = slice(*(None if part is None else np.array(part) for part in parts))
        assert (
            theano.tensor.type_other.SliceConstant(theano.tensor.type_other.slicetype, arrays).data
            == columns
        )


def _scatter(a, i):
    gradient = np.zeros_like(a)
    np.add.at(gradient, (i, i), 1)
    return gradient


def shapes_and_joins():
    x = T.tensor3()
    a = normal(2, 3, 4)
    check([x], x.reshape((6, 4)), [a], a.reshape(6, 4))
    check([x], x.dimshuffle(2, "x", 0, 1), [a], a.transpose(2, 0, 1)[:, None])
    check([x], T.concatenate([x, x], axis=1), [a], np.concatenate([a, a], 1))
    check([x], T.stack([x[0], x[1]], axis=2), [a], np.stack([a[0], a[1]], 2))
    check([x], T.tile(x, (1, 2, 1)), [a], np.tile(a, (1, 2, 1)))
    check([x], T.repeat(x, 2, axis=None), [a], np.repeat(a, 2))
    check([x], x.shape, [a], a.shape)
    check([x], T.cumprod(x), [a], np.cumprod(a))
    check([x], T.cumsum(x, axis=-1), [a], np.cumsum(a, -1))
    check([x], T.extra_ops.diff(x, axis=1), [a], np.diff(a, axis=1))


def sparse_matrices():
    import scipy.sparse

    x = theano.sparse.csr_matrix("x", dtype=X)
    y = T.matrix()
    a = scipy.sparse.csr_matrix(np.where(abs(normal(5, 4)) > 0.7, normal(5, 4), 0).astype(X))
    b = normal(4, 3)
    check([x, y], theano.sparse.dot(x, y), [a, b], a @ b)
    check([x], theano.sparse.dense_from_sparse(x * 2), [a], a.toarray() * 2)
    check([x], theano.sparse.sp_sum(x, axis=1), [a], np.asarray(a.sum(1)).ravel())
    with theano.change_flags(on_opt_error="raise"):
        check([x, y], theano.sparse.add(x, y), [a, normal(5, 4)], a.toarray() + normal(5, 4))
    transposed = theano.function([x], theano.sparse.transpose(x))(a)
    assert transposed.format == "csc"
    assert_allclose(transposed.toarray(), a.toarray().T)


def convolution_by_sparse_matrix():
    import scipy.signal
    from theano.sparse.sandbox import sp

    kernels, images = T.matrices("k", "i")
    k, i = normal(2, 6), normal(3, 30)
    for mode in ("full", "valid"):
        for step in (1, 2):
            with warnings.catch_warnings(action="ignore"):  # SciPy counsels another format
                output, _ = sp.convolve(kernels, (2, 3), 2, images, (5, 6), (step, step), mode=mode)
            expected = [
                [
                    scipy.signal.correlate2d(one, two, mode)[::step, ::step].ravel()
                    for two in k.reshape(2, 2, 3)
                ]
                for one in i.reshape(3, 5, 6)
            ]
            check([kernels, images], output, [k, i], np.reshape(expected, (3, -1)))


def conditionals():
    x, y = T.vectors("x", "y")
    a, b = normal(3), normal(3) + 1
    check([x, y], T.switch(x > y, x, y), [a, b], np.maximum(a, b))
    check([x, y], theano.ifelse.ifelse(T.lt(x.sum(), y.sum()), x, y), [a, b], a)
    check([x], T.clip(x, -0.5, 0.5), [a], a.clip(-0.5, 0.5))


def complex_numbers():
    z = T.zvector()
    a = np.array([1 + 2j, -3j, 0.5])
    check([z], z * z + 1, [a], a * a + 1)
    check([z], abs(z), [a], abs(a))
    check([z], T.real(z) + T.imag(z), [a], a.real + a.imag)
    check([z], T.conj(z), [a], a.conj())
    check([z], T.exp(z), [a], np.exp(a))


def pickling_outer_products():
    a, x, y = T.zmatrix("a"), T.zvector("x"), T.zvector("y")
    f = theano.function([a, x, y], a + T.outer(x, y))
    arguments = np.ones((3, 2)) * 1j, normal(3) * 1j, normal(2) + 0j
    g = pickle.loads(pickle.dumps(f))
    assert_allclose(g(*arguments), f(*arguments))
    assert_allclose(f(*arguments), arguments[0] + np.outer(*arguments[1:]))


def pickling():
    x = T.vector("x")
    s = theano.shared(normal(3), name="s")
    f = theano.function([x], (x * s).sum(), updates=[(s, s + 1)])
    g = pickle.loads(pickle.dumps(f, pickle.HIGHEST_PROTOCOL))
    assert_allclose(f(normal(3)), g(normal(3)))
    assert_allclose(pickle.loads(pickle.dumps(s)).get_value(), s.get_value())
    from theano.misc.pkl_utils import StripPickler, dump, load

    with tempfile.TemporaryFile() as stream:
        dump(s, stream)
        stream.seek(0)
        assert_allclose(load(stream).get_value(), s.get_value())
    stream = io.BytesIO()
    StripPickler(stream, protocol=2).dump(x * 2)
    assert isinstance(pickle.loads(stream.getvalue()), T.TensorVariable)


def printing():
    x, y = T.dscalar("x"), T.dscalar("y")
    z = T.tanh(x * 2 + y)
    assert theano.pp(z) == "tanh(((x * TensorConstant{2}) + y))"
    text = theano.printing.debugprint(z, file="str")
    assert "Elemwise{tanh,no_inplace} [id A] ''" in text
    assert "TensorConstant{2} [id" in text
    assert str(T.constant(1.5)) == "TensorConstant{1.5}"
    assert str(T.constant([1.0, 2.0])) in ("TensorConstant{[1. 2.]}", "TensorConstant{[ 1.  2.]}")
    f = theano.function([x, y], z)
    assert "Elemwise" in theano.printing.debugprint(f, file="str")
    old, sys.stdout = sys.stdout, io.StringIO()
    try:
        theano.function([x], theano.printing.Print("value")(x))(2.0)
        printed = sys.stdout.getvalue()
    finally:
        sys.stdout = old
    assert printed == "value __str__ = 2.0\n"


def modes_and_test_values():
    with theano.change_flags(compute_test_value="raise"):
        x = T.matrix("x")
        x.tag.test_value = normal(2, 3)
        assert_allclose((x * 2).tag.test_value, normal(2, 3) * 2)
    x = T.vector()
    for mode in ("FAST_RUN", "FAST_COMPILE", "DebugMode", "NanGuardMode"):
        if mode == "NanGuardMode":
            mode = theano.compile.nanguardmode.NanGuardMode()
        check([x], T.exp(x) + 1, [normal(4)], np.exp(normal(4)) + 1, mode=mode)
    with theano.change_flags(linker="py"):
        check(
            [x],
            T.nnet.sigmoid(x),
            [normal(4)],
            1 / (1 + np.exp(-normal(4))),
            mode=theano.Mode("py", "fast_run"),
        )


def old_convolution_interface():
    import scipy.signal

    x, k = T.tensor4(), T.tensor4()
    a, w = normal(2, 3, 8, 7), normal(4, 3, 3, 2)
    for border in ("valid", "full"):
        expected = [
            [sum(scipy.signal.convolve(i, f, mode=border) for i, f in zip(image, f)) for f in w]
            for image in a
        ]
        for shapes in ({}, {"image_shape": a.shape, "filter_shape": w.shape}):
            with warnings.catch_warnings(action="ignore"):  # it says that it is deprecated
                expression = theano.tensor.nnet.conv.conv2d(x, k, border_mode=border, **shapes)
            check([x, k], expression, [a, w], expected)


def bad_input_is_explained():
    f = theano.function([T.matrix()], T.constant(1), on_unused_input="ignore")
    for wrong in ([1.0, 2.0], "text", np.zeros((2, 2), complex)):
        try:
            f(wrong)
        except (TypeError, ValueError):
            continue
        raise AssertionError(wrong)
    x, y = T.vectors("x", "y")
    f = theano.function([x, y], x + y)
    try:
        f(normal(2), normal(3))
    except ValueError as error:
        assert "Input dimension mis-match" in str(error)
        assert "Apply node that caused the error" in str(error)
    else:
        raise AssertionError("no error")
