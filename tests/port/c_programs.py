"""Programs that test_c_api.py runs with the port.

Each makes Theano compile C that NumPy 2 or Python 3 changed the ground under.
"""

from __future__ import annotations

import pickle

import numpy as np
import theano
import theano.tensor as T  # noqa: N812 - as every notebook does
from numpy.testing import assert_allclose, assert_array_equal
from theano.gof import OpWiseCLinker

# Refuses an op whose C does not compile, where the default would quietly run Python instead.
C = theano.Mode(linker="c", optimizer="fast_run")
INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
FLOATS = ["float32", "float64"]
COMPLEX = ["complex64", "complex128"]


def _random(dtype, *shape):
    random = np.random.RandomState(1)
    values = random.normal(size=shape) * 4
    if dtype.startswith("complex"):
        values = values + 1j * random.normal(size=shape)
    return values.astype(dtype)


def _tolerance(dtype):
    return 1e-4 if dtype in ("float32", "complex64") else 1e-10


def _increment(dtype, index, rows, *, set_instead=False, shape=(5, 3), view=slice(None)):  # noqa: PLR0913
    """Increment (or set) rows of a matrix in C; return the result and what NumPy makes of it."""
    ndim = len(shape)
    x = T.TensorType(dtype, [False] * ndim)("x")
    y = T.TensorType(rows.dtype, [n == 1 for n in rows.shape])("y")
    i = T.TensorType(index.dtype, [False])("i")
    change = T.set_subtensor if set_instead else T.inc_subtensor
    function = theano.function([x, y, i], change(x[i], y), mode=C)
    value = _random(dtype, *shape)[view]
    expected = value.copy()
    if set_instead:
        expected[index] = rows
    else:
        np.add.at(expected, index, rows.astype(dtype))
    before = value.copy()
    result = function(value, rows, index)
    assert_array_equal(value, before)  # not inplace
    return result, expected


def increment_of_every_dtype_counts_duplicates():
    index = np.array([0, -1, 0, 2, 0])
    for dtype in ["bool", "int8", "uint64", *FLOATS, *COMPLEX]:
        result, expected = _increment(dtype, index, _random(dtype, 5, 3))
        assert result.dtype == expected.dtype
        assert_allclose(result, expected, rtol=_tolerance(dtype))


def increment_through_every_index_dtype():
    for dtype in INTEGERS:
        result, expected = _increment(
            "float64", np.array([1, 4, 1], dtype), _random("float64", 3, 3)
        )
        assert_allclose(result, expected)


def setting_keeps_the_last_duplicate():
    for dtype in ["int8", "complex128"]:
        rows = _random(dtype, 4, 3)
        result, expected = _increment(dtype, np.array([3, 1, 3, -2]), rows, set_instead=True)
        assert_array_equal(result, expected)


def increment_broadcasts_the_rows():
    index = np.array([0, 0, 3])
    for rows in [(1, 3), (3, 1), (3,), ()]:
        result, expected = _increment("float64", index, _random("float64", *rows))
        assert_allclose(result, expected)


def increment_of_one_and_of_four_axes():
    index = np.array([2, -3, 2])
    for tail in [(), (2, 3, 4)]:
        result, expected = _increment(
            "float64", index, _random("float64", 3, *tail), shape=(4, *tail)
        )
        assert_allclose(result, expected)


def increment_of_strided_arrays():
    rows = np.asfortranarray(_random("float64", 3, 6))[:, ::-2]
    view = (slice(None, None, -1), slice(None, None, 2))
    result, expected = _increment("float64", np.array([0, 1, 0]), rows, shape=(5, 6), view=view)
    assert_allclose(result, expected)


def increment_of_nothing():
    result, expected = _increment("float64", np.array([], "int64"), np.zeros((0, 3)))
    assert_array_equal(result, expected)


def increment_casts_the_rows():
    result, expected = _increment("float64", np.array([0, 0]), _random("int32", 2, 3))
    assert_array_equal(result, expected)


def _raised(error, function, *values):
    try:
        function(*values)
    except error as raised:
        return str(raised)
    raise AssertionError(f"{error.__name__} was not raised")


def increment_refuses_what_lies_outside():
    x, y, i = T.matrix(), T.matrix(), T.lvector()
    shared = theano.shared(np.zeros((4, 3)))
    function = theano.function([y, i], [], mode=C, updates={shared: T.inc_subtensor(shared[i], y)})
    rows = np.ones((2, 3))
    for index in ([1, 4], [1, -5]):
        message = _raised(IndexError, function, rows, np.array(index))
        assert f"index {index[1]} is out of bounds for axis 0 with size 4" in message
    assert_array_equal(shared.get_value(), np.zeros((4, 3)))
    _raised(ValueError, function, np.ones((3, 3)), np.array([0, 1]))
    _raised(ValueError, function, np.ones((2, 2)), np.array([0, 1]))
    take = theano.function([x, i], x[i], mode=C)
    _raised(IndexError, take, np.zeros((4, 3)), np.array([4]))


def taking_rows():
    x, i, m = T.matrix(), T.lvector(), T.lmatrix()
    value = _random("float64", 5, 3)
    index = np.array([[0, -1], [4, 0]])
    assert_array_equal(theano.function([x, i], x[i], mode=C)(value, index[0]), value[index[0]])
    assert_array_equal(theano.function([x, m], x[m])(value, index), value[index])
    u = T.TensorType("uint64", [False])()
    take = theano.function([x, u], x[u], mode=C)
    assert_array_equal(take(value, np.array([1, 2], "uint64")), value[[1, 2]])


def pairs_of_indices():
    x, i, j, y = T.matrix(), T.lvector(), T.lvector(), T.vector()
    value, rows, columns = _random("float64", 4, 3), np.array([0, 0, -1]), np.array([2, 2, 0])
    assert_array_equal(
        theano.function([x, i, j], x[i, j])(value, rows, columns), value[rows, columns]
    )
    expected = value.copy()
    np.add.at(expected, (rows, columns), [1.0, 2.0, 3.0])
    function = theano.function([x, i, j, y], T.inc_subtensor(x[i, j], y))
    assert_allclose(function(value, rows, columns, np.array([1.0, 2.0, 3.0])), expected)


def slices():
    x, y = T.tensor3(), T.matrix()
    value, rows = _random("float64", 4, 3, 2), _random("float64", 2, 2)
    expected = value.copy()
    expected[::-2, 1] += rows
    function = theano.function([x, y], T.inc_subtensor(x[::-2, 1], y), mode=C)
    assert_allclose(function(value, rows), expected)


def complex_elementwise():
    for dtype in COMPLEX:
        x, y = T.TensorType(dtype, [False])("x"), T.TensorType(dtype, [False])("y")
        a, b = _random(dtype, 7), _random(dtype, 7)[::-1]
        pairs = [
            (x + y, a + b),
            (x - y, a - b),
            (x * y, a * b),
            (x / y, a / b),
            (-x, -a),
            (x * 2 - 1, a * 2 - 1),
            (T.eq(x, x), [True] * 7),
            (T.eq(x, y), a == b),
            (T.switch(T.eq(x, y), x, y), b),
            (T.sum(x), a.sum()),
            (T.prod(x), a.prod()),
        ]
        results = theano.function([x, y], [e for e, _ in pairs], mode=C)(a, b)
        for result, (_, expected) in zip(results, pairs, strict=True):
            assert_allclose(result, expected, rtol=_tolerance(dtype), atol=_tolerance(dtype))


def complex_functions():
    x = T.zvector()
    a = _random("complex128", 6)
    assert_array_equal(theano.function([x], [x.real, x.imag])(a), [a.real, a.imag])
    names = ["abs_", "exp", "sqrt", "conj", "angle", "sin", "cosh"]
    results = theano.function([x], [getattr(T, name)(x) for name in names])(a)
    for name, result in zip(names, results, strict=True):
        assert_allclose(result, getattr(np, name.strip("_"))(a), rtol=1e-10)
    r, i = T.vectors("r", "i")
    assert_allclose(theano.function([r, i], T.complex(r, i))(a.real, a.imag), a)


def complex_scalars_go_in_and_out():
    z = theano.scalar.complex128("z")
    w = theano.scalar.complex64("w")
    function = theano.function([z, w], [z * z, w + 1], mode=C)
    square, more = function(np.complex128(1 + 2j), np.complex64(3j))
    assert (square, more) == ((1 + 2j) ** 2, 1 + 3j)
    assert more.dtype == "complex64"


def casts_between_all_dtypes():
    numbers = [0, 1, 5, 100]
    for source in ["bool", "int8", "uint16", "int64", "uint64", "float32", "float64"]:
        x = T.TensorType(source, [False])("x")
        targets = ["bool", *INTEGERS, *FLOATS, *COMPLEX]
        value = np.array(numbers).astype(source)
        results = theano.function([x], [T.cast(x, target) for target in targets], mode=C)(value)
        for result, target in zip(results, targets, strict=True):
            assert result.dtype == target, (source, target)
            assert_array_equal(result, value.astype(target))


def half_precision():
    x = T.TensorType("float16", [False, False])("x")
    value = _random("float16", 4, 3)
    results = theano.function([x], [x * 2 + 1, T.exp(x), x.sum(axis=0), x.max(), x[1:, ::-1], x.T])(
        value
    )
    wide = value.astype("float64")
    for result, expected in zip(
        results,
        [wide * 2 + 1, np.exp(wide), wide.sum(0), wide.max(), wide[1:, ::-1], wide.T],
        strict=True,
    ):
        assert result.dtype == "float16"
        assert_allclose(result, expected, rtol=5e-3, atol=5e-3)


def reductions_over_all_axes():
    x = T.tensor3()
    value = _random("float64", 4, 3, 2)
    for axis in (None, 0, 1, -1):
        pairs = [
            (T.cumsum(x, axis), np.cumsum(value, axis)),
            (T.cumprod(x, axis), np.cumprod(value, axis)),
            (T.max(x, axis), np.max(value, axis)),
            (T.min(x, axis), np.min(value, axis)),
        ]
        for expression, expected in pairs:
            result = theano.function([x], expression, mode=C)(value)
            assert_allclose(result, expected, rtol=1e-10)
        # Over several axes, argmax has no C.
        result = theano.function([x], T.argmax(x, axis))(value)
        assert_array_equal(result, np.argmax(value, axis))
    both = theano.function([x], T.max_and_argmax(x, axis=None), mode=C)(value)
    assert_allclose(both, [value.max(), value.argmax()])
    v = T.vector()
    assert_allclose(
        theano.function([v], T.cumsum(v), mode=C)(value[:, 0, 0]), value[:, 0, 0].cumsum()
    )


def sorting():
    x = T.matrix()
    value = _random("float64", 4, 6)
    for axis in (None, 0, -1):
        assert_array_equal(theano.function([x], T.sort(x, axis))(value), np.sort(value, axis))
        assert_array_equal(theano.function([x], T.argsort(x, axis))(value), np.argsort(value, axis))
    top = theano.function([x], T.topk(x, 2, sorted=False))(value)
    assert_array_equal(np.sort(top, -1), np.sort(value, -1)[:, -2:])


def integer_division_and_modulo():
    for dtype in ["int8", "int64", "float64"]:
        x, y = T.TensorType(dtype, [False])("x"), T.TensorType(dtype, [False])("y")
        a, b = np.array([7, -7, 7, -7], dtype), np.array([2, 2, -2, -2], dtype)
        quotient, rest = theano.function([x, y], [x // y, x % y], mode=C)(a, b)
        assert_array_equal(quotient, a // b)
        assert_array_equal(rest, a % b)


def dimshuffle_of_strided_arrays():
    x = T.tensor3()
    value = _random("float64", 4, 6, 5)[::2, :, ::-1]
    function = theano.function([x], x.dimshuffle(2, "x", 0, 1, "x"), mode=C)
    assert_array_equal(function(value), value.transpose(2, 0, 1)[:, None, :, :, None])


def strings_and_numbers_as_parameters():
    x, w = T.tensor4s("x", "w")
    image, kernel = _random("float64", 2, 3, 7, 7), _random("float64", 4, 3, 3, 3)
    for border, shape in (("valid", 5), ("full", 9), ("half", 7), ((1, 2), None)):
        result = theano.function([x, w], T.nnet.conv2d(x, w, border_mode=border))(image, kernel)
        assert shape is None or result.shape == (2, 4, shape, shape)
        flipped = kernel[:, :, ::-1, ::-1]
        pad = {"valid": (0, 0), "full": (2, 2), "half": (1, 1)}.get(border, border)
        padded = np.pad(image, [(0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2])
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        assert_allclose(result, np.einsum("bcijkl,ockl->boij", windows, flipped), rtol=1e-9)


def pooling():
    from theano.tensor.signal.pool import pool_2d

    x = T.tensor4()
    image = _random("float64", 2, 3, 6, 8)
    blocks = image.reshape(2, 3, 3, 2, 4, 2)
    for mode, reduce in (("max", np.max), ("sum", np.sum), ("average_exc_pad", np.mean)):
        expression = pool_2d(x, (2, 2), ignore_border=True, mode=mode)
        result, gradient = theano.function([x], [expression, T.grad(expression.sum(), x)])(image)
        assert_allclose(result, reduce(blocks, axis=(3, 5)))
        assert_allclose(gradient.sum(), {"max": 72, "sum": 288, "average_exc_pad": 72}[mode])


def many_axes():
    axes = 31
    x = T.TensorType("float64", [False] * axes)()
    value = np.arange(2.0).reshape((1,) * (axes - 1) + (2,))
    assert_array_equal(theano.function([x], x * 2 + 1)(value), value * 2 + 1)


def a_pickled_function_computes():
    x = T.zvector()
    state = theano.shared(np.zeros(3))
    y = T.vector()
    function = theano.function([x, y], [x * x, state.sum()], updates={state: state + y})
    copy = pickle.loads(pickle.dumps(function))
    value = _random("complex128", 3)
    copy(value, np.ones(3))
    result, total = copy(value, np.ones(3))
    assert_allclose(result, value * value)
    assert total == 3


def an_error_in_c_names_its_op():
    x, y = T.vectors("x", "y")
    function = theano.function([x, y], T.exp(x) + y)
    message = _raised(ValueError, function, np.zeros(3), np.zeros(4))
    assert "mis-match" in message
    assert "Apply node that caused the error: Elemwise" in message


def every_op_by_itself_in_c():
    x = T.matrix()
    function = theano.function(
        [x], T.nnet.softmax(x).sum(), mode=theano.Mode(linker=OpWiseCLinker())
    )
    assert_allclose(function(_random("float64", 4, 3)), 4)


def what_does_not_compile_says_so():
    class Broken(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return theano.Apply(self, [x], [x.type()])

        def perform(self, node, inputs, outputs):
            raise NotImplementedError

        def c_code(self, node, name, inputs, outputs, sub):
            return "this is not C;"

    x = T.vector()
    message = _raised(Exception, lambda: theano.function([x], Broken()(x), mode=C))
    assert "Compilation failed" in message
    assert "error:" in message
