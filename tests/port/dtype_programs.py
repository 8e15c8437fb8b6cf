"""Programs over dtypes, and in Python as in C, which test_behaviour.py runs with the port."""

# Written as a notebook's author would write it; each program's errors of any kind are its result.
# ruff: noqa: N812, B905, SIM905

from __future__ import annotations

import numpy as np
import theano
import theano.tensor as T
from checking import RTOL, X, check, normal
from numpy.testing import assert_allclose, assert_array_equal
from theano import config
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams
from theano.tensor.signal.pool import pool_2d

PYTHON = theano.Mode(linker="py", optimizer=None)


def constants_keep_their_digits():
    x = T.dvector()
    assert (x * 1.1).owner.inputs[1].owner.inputs[0].dtype in ("float64", "float32")
    check(
        [x],
        x * 1.1,
        [np.ones(2)],
        np.full(2, np.float64(np.float32(1.1)) if X == "float32" else 1.1),
    )
    assert T.constant(1.1).dtype == X
    assert T.constant(0.5).dtype == X or T.constant(0.5).dtype == "float32"
    assert [T.constant(n).dtype for n in (1, 127, 128, -129, 40000, 2**31, 2**63)] == [
        "int8",
        "int8",
        "int16",
        "int16",
        "int32",
        "int64",
        "uint64",
    ]


def types_of_mixed_expressions():
    names = ["int8", "uint8", "int32", "int64", "float32", "float64", "complex64"]
    for one in names:
        for other in names:
            result = T.vector(dtype=one) + T.vector(dtype=other)
            expected = np.promote_types(one, other)
            if "float64" in (one, other) or not (
                X == "float32" and expected == "float64" and config.cast_policy == "numpy+floatX"
            ):
                assert result.dtype == str(expected), (one, other, result.dtype)
    assert (T.fvector() * 2.0).dtype == "float32"
    assert (T.fvector() * np.float32(2)).dtype == "float32"
    assert (T.bvector() + 1).dtype == "int8"
    assert (T.bvector() + 300).dtype == "int16"
    assert (T.ivector() / 2).dtype == X


def integers_that_do_not_fit_are_refused():
    f = theano.function(
        [T.bscalar()], T.bscalar() * 0 if False else T.constant(1), on_unused_input="ignore"
    )
    assert f(100) == 1
    for wrong in (300, -129, 2**70):
        try:
            f(wrong)
        except (TypeError, OverflowError):
            continue
        raise AssertionError(wrong)


def random_numbers_in_python_as_in_c():
    for dtype in ("float32", "float64"):
        drawn = []
        for mode in (PYTHON, "FAST_RUN"):
            uniform = MRG_RandomStreams(123).uniform((7, 5), dtype=dtype)
            drawn.append(theano.function([], uniform, mode=mode)())
        assert_allclose(*drawn, rtol=1e-6)
        # What Theano 1.0.5 draws on Python 3.8 and NumPy 1.19.
        first = [0.23648804426193237, 0.5712325521744788, 0.5177341615781188]
        assert_allclose(drawn[0][0, :3], first, rtol=1e-6)


def every_dtype_goes_through_c():
    for dtype in theano.scalar.all_types:
        x = T.vector(dtype=str(dtype))
        a = np.array([0, 1, 1]).astype(str(dtype))
        assert_array_equal(theano.function([x], [x, T.stack([x, x]), x[::-1]])(a)[2], a[::-1])


def integers_wrap_in_python_as_in_c():
    x, y, z = T.bvector(), T.bvector(), T.bvector()
    a, b = np.array([100, -128, 5], "int8"), np.array([100, -1, -7], "int8")
    results = [T.add(x, y, z), T.mul(x, y, z), T.cast(x, "uint8"), T.cast(x, "uint64"), -x]
    expected = [a + b + a, a * b * a, a.astype("uint8"), a.astype("uint64"), -a]
    for mode in (PYTHON, theano.Mode("c", "fast_run")):
        for result, value in zip(theano.function([x, y, z], results, mode=mode)(a, b, a), expected):
            assert result.dtype == value.dtype
            assert_array_equal(result, value)
    u = T.vector(dtype="uint64")
    big = np.array([2**64 - 1, 2**63], "uint64")
    assert_array_equal(theano.function([u], T.mul(u, u, u), mode="FAST_RUN")(big), big**3)


def scalar_operations_have_the_type_of_the_graph():
    for name in "ceil floor trunc erf gamma j0 add sub mul true_div arctan2 angle".split():
        operation = getattr(theano.scalar, name)
        for dtype in ("int8", "uint8", "int64", "float32", "float64"):
            values = [np.dtype(dtype).type(2)] * max(operation.nin, 1)
            if operation.nin == -1:
                values = values * 2
            node = operation.make_node(*(theano.scalar.Scalar(dtype)() for _ in values))
            storage = [[None]]
            node.op.perform(node, values, storage)
            assert storage[0][0].dtype == node.outputs[0].dtype, (name, dtype)


def reductions_of_nothing_in_python():
    for dtype in ("bool", "uint8", "int8", "uint64"):
        x = T.TensorType(dtype, [False, False])()
        reduced = T.elemwise.CAReduce(theano.scalar.and_, axis=[0])(x)
        result = theano.function([x], reduced, mode=PYTHON)(np.empty((0, 3), dtype))
        assert_array_equal(result, np.full(3, -1).astype(dtype))


def pooling_in_python_as_in_c():
    x, v = T.tensor4(), T.tensor4()
    a, w = normal(2, 1, 7, 9), normal(2, 1, 7, 9) + 1
    for mode in ("max", "sum", "average_inc_pad", "average_exc_pad"):
        # The gradient of average_exc_pad has no padding in Python.
        pad = (0, 0) if mode == "average_exc_pad" else (1, 1)
        for keywords in ({"ignore_border": True, "pad": pad}, {"ignore_border": False}):
            pooled = pool_2d(x, (3, 2), stride=(2, 2), mode=mode, **keywords)
            gradient = T.grad((pooled**2).sum(), x)
            outputs = [pooled, gradient, T.Rop(pooled, x, v)]
            python, c = (
                theano.function([x, v], outputs, mode=m, on_unused_input="ignore")(a, w)
                for m in (PYTHON, "FAST_RUN")
            )
            for one, two in zip(python, c):
                assert_allclose(one, two, rtol=RTOL, atol=RTOL, err_msg=mode)


def increments_keep_their_type():
    i = T.lvector()
    for dtype in ("uint8", "int16", "uint64", "float32"):
        x = T.TensorType(dtype, [False, False])()
        a = np.arange(6).reshape(3, 2).astype(dtype)
        sums = [
            T.inc_subtensor(x[0], 1),
            T.inc_subtensor(x[i], 1),
            T.inc_subtensor(x[i, i], 1),
            T.inc_subtensor(x[0, 1], 1),
        ]
        for mode in (PYTHON, "FAST_RUN"):
            results = theano.function([x, i], sums, mode=mode)(a, [0, 0, 1])
            for result, index in zip(results, (0, [0, 0, 1], ([0, 0, 1],) * 2, (0, 1))):
                expected = a.copy()
                np.add.at(expected, index, np.ones((), dtype))
                assert result.dtype == dtype
                assert_array_equal(result, expected)


def small_integers_do_not_overflow():
    x = T.matrix()
    a = np.zeros((20, 30), X)
    for offset in (3, -3, 29, -19):
        filled = T.extra_ops.fill_diagonal_offset(x, 1, T.constant(offset, dtype="int8"))
        check([x], filled, [a], np.eye(20, 30, offset))
    for high in (1, 127):
        number = RandomStreams(1).random_integers(
            size=(50,),
            low=T.constant(high, dtype="int8"),
            high=T.constant([high] * 50, dtype="int8"),
        )
        assert_array_equal(theano.function([], number)(), high)
    steps, _ = theano.scan(
        lambda v, s: s + v, T.arange(300.0, dtype="float64"), T.constant(np.float64(0))
    )
    assert_allclose(theano.function([], steps[127])(), 127 * 64)


def unsigned_integers_are_negated():
    a = np.array([0, 1, 200])
    for dtype in ("uint8", "uint16", "uint32", "uint64"):
        x, value = T.TensorType(dtype, [False])(), a.astype(dtype)
        with theano.change_flags(on_opt_error="raise"):
            negate = theano.function([x], [-x, x * -x * x], mode="FAST_RUN")
        for result, expected in zip(negate(value), [-value, value * -value * value]):
            assert result.dtype == dtype
            assert_array_equal(result, expected)


def debug_mode_fills_small_integers():
    mode = theano.compile.DebugMode(check_preallocated_output=["c_contiguous", "f_contiguous"])
    x = T.bmatrix()
    a = np.ones((2, 2), "int8")
    check([x], x + x, [a], a + a, mode=mode)
    check([], T.set_subtensor(T.AllocEmpty("int8")(3)[:], 1), [], np.ones(3), mode=mode)


def largest_values_come_in_one_order():
    x = T.matrix()
    a = normal(3, 257)
    for axis, k in ((1, 100), (1, -100), (0, 2)):
        alone = theano.function([x], T.topk(x, k, axis, sorted=False))(a)
        values, indices = T.topk_and_argtopk(x, k, axis, sorted=False)
        values, indices = theano.function([x], [values, indices])(a)
        assert_array_equal(alone, values)
        assert_array_equal(np.take_along_axis(a, indices, axis), values)
        expected = np.sort(a, axis)
        expected = expected[:, -100:] if k == 100 else expected[:, :100] if k < 0 else expected[-2:]
        assert_array_equal(np.sort(values, axis), expected)


def gradients_of_angles():
    x = T.vector()
    check([x], T.grad(T.deg2rad(x).sum(), x), [normal(3)], np.full(3, np.pi / 180))
    check([x], T.grad(T.rad2deg(x).sum(), x), [normal(3)], np.full(3, 180 / np.pi))
