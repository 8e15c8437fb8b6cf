"""Every scalar op on XLA: many at a time, as the outputs of one Composite."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, C, compare
from theano import scalar
from theano.compile.mode import Mode
from theano.tensor.elemwise import MulWithoutZeros

# Theano's own Python code: for what has no C code, or too many dtypes to compile each.
PY = Mode("py", "fast_run").excluding("xla")
DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "float32", "float64", "complex64", "complex128"]


def elementwise(ops, *dtypes):
    """Return inputs and outputs of an Elemwise that computes all of ``ops`` of its inputs."""
    inputs = [scalar.Scalar(dtype)() for dtype in dtypes]
    composite = scalar.Composite(inputs, [op(*inputs[: op.nin or 2]) for op in ops])
    vectors = [tt.vector(dtype=dtype) for dtype in dtypes]
    return vectors, tt.Elemwise(composite)(*vectors, return_list=True)


def pairs(values, dtype, other):
    """Return all pairs of values, as two vectors."""
    x, y = (np.array(values).astype(one) for one in (dtype, other))
    return np.repeat(x, len(y)), np.tile(y, len(x))


ARITHMETIC = [scalar.add, scalar.sub, scalar.mul, scalar.true_div, scalar.int_div, scalar.mod]
COMPARISONS = [scalar.eq, scalar.neq, scalar.lt, scalar.gt, scalar.le, scalar.ge]
CHOICES = [scalar.maximum, scalar.minimum, scalar.second]
BITS = [scalar.or_, scalar.xor, scalar.and_, scalar.invert]
INTEGERS = [-128, -127, -100, -7, -3, -2, -1, 1, 2, 3, 5, 64, 100, 127]


@pytest.mark.parametrize(
    ("dtype", "other"),
    [
        ("int8", "int8"),
        ("int64", "int64"),
        ("uint8", "uint8"),
        ("int8", "uint8"),
        ("int32", "int64"),
    ],
)
def test_integers(dtype, other):
    unary = [scalar.neg, scalar.sqr, scalar.abs_, scalar.identity, scalar.isnan, scalar.isinf]
    ops = [*ARITHMETIC, *COMPARISONS, *CHOICES, *BITS, *unary]
    inputs, outputs = elementwise(ops, dtype, other)
    compare(inputs, outputs, pairs(INTEGERS, dtype, other))


@pytest.mark.parametrize("op", [scalar.int_div, scalar.mod])
def test_division_of_integers_by_zero(op):
    inputs, outputs = elementwise([op], "int32", "int32")
    good, bad = np.array([7, -7], "int32"), np.array([2, 0], "int32")
    compare(
        inputs, outputs, (good, good), (good, bad), (good, good[::-1]), replays=1, modes=(PY, XLA)
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats(dtype):
    odd = [0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 7.25, -7.25, np.inf, -np.inf, np.nan, 1e30]
    odd += [1.5, 2.5, -1.5, 0.49999997, 8388609.0]
    rounding = [scalar.ceil, scalar.floor, scalar.trunc, scalar.sgn, scalar.abs_, scalar.inv]
    rounding += [scalar.round_half_to_even, scalar.round_half_away_from_zero, scalar.neg]
    ops = [*ARITHMETIC, *COMPARISONS, *CHOICES, *rounding, scalar.isnan, scalar.isinf, scalar.sqr]
    ops += [scalar.pow, scalar.arctan2, MulWithoutZeros(scalar.upcast_out, name="product")]
    inputs, outputs = elementwise(ops, dtype, dtype)
    compare(inputs, outputs, pairs(odd, dtype, dtype))


# The two are equal to Theano, which would merge them.
@pytest.mark.parametrize("inside", [scalar.inopenrange, scalar.inclosedrange])
def test_three_arguments(inside):
    odd = np.array([0.0, -1, 1, 2, np.inf, -np.inf, np.nan], "f")
    ops = [scalar.clip, scalar.switch, inside]
    inputs, outputs = elementwise(ops, "float32", "float32", "float32")
    compare(inputs, outputs, [one.ravel() for one in np.meshgrid(odd, odd, odd)])


@pytest.mark.parametrize("dtype", DTYPES)
def test_casts_between_all_dtypes(dtype):
    values = np.array([0, 1, 2, -1, -5, 100, 127, -128, 1.5, -1.5, 2.75])
    if np.dtype(dtype).kind == "u":
        values = np.abs(values)
    with np.errstate(all="ignore"):
        values = values.astype(dtype)
    targets = [one for one in DTYPES if "complex" not in dtype or "complex" in one]
    inputs, outputs = elementwise([scalar.Cast(scalar.Scalar(one)) for one in targets], dtype)
    modes = (PY, XLA) if dtype == "float16" or "complex" in dtype else (C, XLA)
    compare(inputs, outputs, (values,), modes=modes)


def test_casts_of_floats_that_do_not_fit():
    targets = ["int8", "uint8", "int16", "uint16", "uint32", "uint64", "bool", "float16"]
    inputs, outputs = elementwise([scalar.Cast(scalar.Scalar(one)) for one in targets], "float64")
    values = np.array([-1.0, -1.9, -300, 300, 40000, -40000, 1e5])
    wrapped = [values.astype("int64").astype(one) for one in targets[:-2]]
    found = theano.function(inputs, outputs, mode=XLA)(values)
    for got, expected in zip(found, [*wrapped, values != 0, values.astype("float16")], strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("dtype", "other"), [("int8", "int8"), ("int64", "int64"), ("uint16", "int32")]
)
def test_powers_of_integers(dtype, other):
    inputs, outputs = elementwise([scalar.pow], dtype, other)
    x, y = pairs([-3, -2, -1, 1, 2, 3], dtype, other)
    wide = x.astype("float64") ** y
    x, y = x[np.abs(wide) < 100], y[np.abs(wide) < 100]
    compare(inputs, outputs, (x, y))


def test_exact_powers_of_integers():
    x, y = tt.lvector(), tt.lvector()
    f = theano.function([x, y], [x**y, x ** tt.constant(39)], mode=XLA)
    got, constant = f(np.array([3, -3, 2]), np.array([39, 39, 62]))
    assert got.tolist() == [3**39, -(3**39), 2**62]
    assert constant.tolist() == [3**39, -(3**39), 2**39]


def test_half_precision_is_computed_in_single():
    x, y = tt.vector("x", "float16"), tt.vector("y", "float16")
    outputs = [
        tt.exp(x),
        tt.log1p(y),
        x * y,
        x / y,
        tt.tanh(x),
        tt.sqr(x),
        tt.maximum(x, y),
        x**2.5,
    ]
    rng = np.random.RandomState(0)
    values = tuple((rng.rand(50) * 3 + 0.1).astype("float16") for _ in range(2))
    compare([x, y], outputs, values, modes=(PY, XLA))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_numbers(dtype):
    x, y = tt.vector("x", dtype), tt.vector("y", dtype)
    binary = [x + y, x - y, x * y, x / y, tt.eq(x, y), tt.neq(x, y), x**y]
    unary = [tt.exp, tt.log, tt.sqrt, tt.sin, tt.cos, tt.tanh, tt.sinh, tt.cosh, tt.tan, tt.arctan]
    unary += [abs, tt.neg, tt.sqr, tt.real, tt.imag, tt.angle, tt.conj, tt.log1p, tt.exp2, tt.inv]
    outputs = binary + [f(x) for f in unary] + [tt.switch(tt.real(x) > 0, x, y)]
    rng = np.random.RandomState(0)
    values = tuple((rng.randn(20) + 1j * rng.randn(20)).astype(dtype) for _ in range(2))
    compare([x, y], outputs, values, rtol=3e-6 if dtype == "complex64" else 1e-12, modes=(PY, XLA))


def test_complex_numbers_of_their_parts():
    x, y = tt.dvector(), tt.fvector()
    outputs = [tt.complex(x, y), tt.complex_from_polar(x, y), tt.angle(y)]
    good = np.array([1.0, 0.0, 2.5])
    calls = [(good, np.array([0, -1, 9], "f")), (-good, np.array([0, -1, 9], "f"))]
    compare([x, y], outputs, *calls, replays=1, modes=(PY, XLA))


def test_a_composite_in_a_composite_with_constants():
    x, y = scalar.float32("x"), scalar.int32("y")
    inner = scalar.Composite([x, y], [x * y + 0.5, scalar.exp(x)])
    a, b = inner(x, y, return_list=True)
    outer = scalar.Composite([x, y], [a - b, scalar.cast(a, "int8")])
    v, w = tt.fmatrix(), tt.imatrix()
    outputs = tt.Elemwise(outer)(v, w, return_list=True)
    compare([v, w], outputs, (np.ones((2, 3), "f"), np.arange(6, dtype="int32").reshape(2, 3)))
