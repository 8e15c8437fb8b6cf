"""Scalar ops on whole arrays: arithmetic, comparison, rounding, bits, casts, complex, Composite.

What an op computes is given in the dtype that Theano gives its output, as Theano's C code computes
it; float16 is computed in float32. Where C leaves a result to the machine, or mixes integers and
floats in float32, this is what NumPy gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from theano import Constant, scalar
from theano.tensor.elemwise import MulWithoutZeros
from theano.tensor.nnet.bn import BNComposite

from theano_colab.xla.registry import lowers
from theano_colab.xla.trace import is_known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from theano import Apply

    from theano_colab.xla.trace import Trace


@dataclass(frozen=True, slots=True)
class _Entry:
    function: Callable[..., Any]
    complex: bool


_entries: dict[type, _Entry] = {}


def computes(
    *classes: type, complex_too: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register what computes these classes of scalar Op, on whole arrays and on single values.

    It is a function ``(trace, op, dtype, *args)``: ``dtype`` is that of the (first) output, float32
    for float16; ``args`` are arrays that broadcast, none of float16. Its result is cast.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        for one in classes:
            _entries[one] = _Entry(function, complex_too)
            lowers(one, accepts=_accepts_node)(_single)
        return function

    return register


def uniform(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what computes ``function`` of the arguments cast to the output's dtype."""

    def compute(trace: Trace, op: Any, dtype: str, *args: Any) -> Any:
        return function(*(convert(one, dtype) for one in args))

    return compute


def lowerable(op: Any, dtypes: Iterable[str]) -> bool:
    """Return whether a scalar op can be computed for inputs of these dtypes."""
    if isinstance(op, scalar.Composite):
        nodes = op.fgraph.toposort()
        return type(op) in _entries and all(map(_accepts_node, nodes))
    entry = _entries.get(type(op))
    return entry is not None and (entry.complex or not any(map(_is_complex, dtypes)))


def apply_scalar(trace: Trace, op: Any, args: Sequence[Any], dtypes: Sequence[str]) -> list[Any]:
    """Return the outputs of a scalar op on arrays that broadcast, in these dtypes."""
    wide = [one.astype("float32") if one.dtype == "float16" else one for one in args]
    dtype = "float32" if dtypes[0] == "float16" else dtypes[0]
    result = _entries[type(op)].function(trace, op, dtype, *wide)
    results = result if isinstance(result, list) else [result]
    return [convert(one, dtype) for one, dtype in zip(results, dtypes, strict=True)]


def convert(x: Any, dtype: str) -> Any:
    """Cast as C does: integers wrap, floats lose what is behind the point.

    A float outside of a narrow or unsigned integer's range wraps too; C leaves that to the machine.
    """
    if x.dtype == dtype:
        return x
    x = jnp.asarray(x)
    if jnp.issubdtype(x.dtype, jnp.floating):
        if dtype in {"int8", "int16", "uint8", "uint16"}:
            return x.astype("int32").astype(dtype)
        if dtype == "uint32":
            return x.astype("int64").astype(dtype)
        if dtype == "uint64":
            return jnp.where(x < 0, x.astype("int64").astype(dtype), x.astype(dtype))
    return x.astype(dtype)


def _single(trace: Trace, node: Apply, *args: Any) -> list[Any]:
    arrays = [np.asarray(one) if is_known(one) else one for one in args]
    return apply_scalar(trace, node.op, arrays, [one.dtype for one in node.outputs])


def _accepts_node(node: Apply) -> bool:
    return lowerable(node.op, [one.dtype for one in node.inputs])


def _is_complex(dtype: Any) -> bool:
    return str(dtype).startswith("complex")


def _is_discrete(dtype: Any) -> bool:
    return np.dtype(dtype).kind in "biu"


def _common(*args: Any) -> list[Any]:
    """Return the arguments in a dtype that all can be compared in."""
    dtype = np.result_type(*(one.dtype for one in args))
    if dtype.kind == "f" and all(_is_discrete(one.dtype) for one in args):
        dtype = np.dtype("uint64")  # of int64 and uint64, as C has it
    return [convert(one, str(dtype)) for one in args]


def _comparison(compare: Callable[..., Any]) -> Callable[..., Any]:
    def compute(trace: Trace, op: Any, dtype: str, x: Any, y: Any) -> Any:
        return compare(*_common(x, y))

    return compute


for _class, _function in {
    scalar.Add: lambda *args: reduce(jnp.add, args),
    scalar.Sub: jnp.subtract,
    scalar.Mul: lambda *args: reduce(jnp.multiply, args),
    scalar.Neg: jnp.negative,
    scalar.Sqr: jnp.square,
    scalar.Inv: lambda x: 1 / x,
    scalar.Identity: lambda x: x,
    scalar.Conj: jnp.conj,
    MulWithoutZeros: lambda x, y: jnp.where(x == 0, y, jnp.where(y == 0, x, x * y)),
}.items():
    computes(_class, complex_too=True)(uniform(_function))

for _class, _function in {
    scalar.Maximum: jnp.maximum,
    scalar.Minimum: jnp.minimum,
    scalar.Clip: lambda x, low, high: jnp.where(x < low, low, jnp.where(x > high, high, x)),
    scalar.Sgn: jnp.sign,
    scalar.Ceil: jnp.ceil,
    scalar.Floor: jnp.floor,
    scalar.Trunc: jnp.trunc,
    scalar.RoundHalfToEven: lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
    scalar.RoundHalfAwayFromZero: lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO),
    scalar.OR: jnp.bitwise_or,
    scalar.XOR: jnp.bitwise_xor,
    scalar.AND: jnp.bitwise_and,
    scalar.Invert: jnp.bitwise_not,
}.items():
    computes(_class)(uniform(_function))

for _class, _function in {
    scalar.EQ: jnp.equal,
    scalar.NEQ: jnp.not_equal,
    scalar.LT: jnp.less,
    scalar.GT: jnp.greater,
    scalar.LE: jnp.less_equal,
    scalar.GE: jnp.greater_equal,
}.items():
    computes(_class, complex_too=_class in {scalar.EQ, scalar.NEQ})(_comparison(_function))


@computes(scalar.IsNan, scalar.IsInf, complex_too=True)
def is_special(trace: Trace, op: Any, dtype: str, x: Any) -> Any:
    """Tell NaN, or infinity; integers are neither."""
    return (jnp.isnan if isinstance(op, scalar.IsNan) else jnp.isinf)(x)


@computes(scalar.InRange)
def in_range(trace: Trace, op: Any, dtype: str, x: Any, low: Any, high: Any) -> Any:
    """Tell what lies between two bounds."""
    above = (jnp.greater if op.openlow else jnp.greater_equal)(*_common(x, low))
    below = (jnp.less if op.openhi else jnp.less_equal)(*_common(x, high))
    return above & below


@computes(scalar.Switch, complex_too=True)
def switch(trace: Trace, op: Any, dtype: str, condition: Any, x: Any, y: Any) -> Any:
    """Choose between two; NaN is true."""
    return jnp.where(condition.astype(bool), convert(x, dtype), convert(y, dtype))


@computes(scalar.Second, complex_too=True)
def second(trace: Trace, op: Any, dtype: str, x: Any, y: Any) -> Any:
    """Give the second, in the shape of both."""
    return y


@computes(scalar.Cast, complex_too=True)
def cast(trace: Trace, op: Any, dtype: str, x: Any) -> Any:
    """Cast straight to the output's dtype: float64 to float16 is rounded once."""
    if _is_complex(x.dtype) and not _is_complex(op.o_type.dtype):
        trace.refuse("a complex number as a real one")
    return convert(x, op.o_type.dtype)


@computes(scalar.Abs, complex_too=True)
def absolute(trace: Trace, op: Any, dtype: str, x: Any) -> Any:
    """Give the absolute value; that of the least integer is itself."""
    return x if x.dtype == bool else jnp.abs(x)


@computes(scalar.TrueDiv, complex_too=True)
def true_div(trace: Trace, op: Any, dtype: str, x: Any, y: Any) -> Any:
    """Divide; two integers in float64."""
    if _is_discrete(x.dtype) and _is_discrete(y.dtype):
        dtype = "float64"
    return convert(x, dtype) / convert(y, dtype)


@computes(scalar.IntDiv)
def int_div(trace: Trace, op: Any, dtype: str, x: Any, y: Any) -> Any:
    """Divide and round down; integers must not be divided by 0."""
    if _is_discrete(dtype):
        _check_divisor(trace, y)
        return jnp.floor_divide(convert(x, dtype), convert(y, dtype))
    x, y = convert(x, dtype), convert(y, dtype)
    opposite = jnp.where(y < 0, x >= 0, x < 0)
    size, by = jnp.where(x < 0, -x, x), jnp.where(y < 0, -y, y)
    # The quotient may have been rounded to the integer above: the remainder tells.
    outwards = -jnp.floor(size / by) - jnp.where(lax.rem(size, by) == 0, 0, 1).astype(dtype)
    return jnp.where(y == 0, jnp.floor(x / y), jnp.where(opposite, outwards, jnp.floor(size / by)))


@computes(scalar.Mod)
def mod(trace: Trace, op: Any, dtype: str, x: Any, y: Any) -> Any:
    """Give the remainder, with the divisor's sign; integers must not be divided by 0."""
    if _is_discrete(dtype):
        _check_divisor(trace, y)
        return jnp.remainder(convert(x, dtype), convert(y, dtype))
    x, y = convert(x, dtype), convert(y, dtype)
    left = lax.rem(jnp.where(x < 0, -x, x), jnp.where(y < 0, -y, y))
    other = left != 0
    below = jnp.where(x < 0, -left, left + jnp.where(other, y, 0))
    above = jnp.where(x < 0, -left + jnp.where(other, y, 0), left)
    return jnp.where(y == 0, jnp.nan, jnp.where(y < 0, below, above)).astype(dtype)


def _check_divisor(trace: Trace, y: Any) -> None:
    trace.check(np.all(y != 0) if is_known(y) else jnp.all(y != 0))


@computes(scalar.Pow, complex_too=True)
def power(trace: Trace, op: Any, dtype: str, x: Any, y: Any) -> Any:
    """Raise to a power; integers to a negative one give what is before the point, 0 or ±1.

    Integers wrap; C rounds them to 53 bits instead.
    """
    if not _is_discrete(dtype):
        return jnp.power(convert(x, dtype), convert(y, dtype))
    highest = int(np.max(y, initial=0)) if is_known(y) else np.iinfo(y.dtype).max
    positive = y >= 0
    x, y = convert(x, dtype), convert(y, dtype)
    odd = (y & 1) == 1
    inverse = jnp.where(x == 1, 1, jnp.where(x == -1, jnp.where(odd, -1, 1), 0)).astype(dtype)
    result = jnp.ones(jnp.broadcast_shapes(x.shape, y.shape), dtype)
    for bit in range(min(highest.bit_length(), np.iinfo(dtype).bits)):
        result = jnp.where((y >> bit) & 1 == 1, result * x, result)
        x = x * x
    return jnp.where(positive, result, inverse)


@computes(scalar.Real, scalar.Imag, complex_too=True)
def part(trace: Trace, op: Any, dtype: str, x: Any) -> Any:
    """Give the real or the imaginary part."""
    return (jnp.real if isinstance(op, scalar.Real) else jnp.imag)(x)


@computes(scalar.Angle, complex_too=True)
def angle(trace: Trace, op: Any, dtype: str, x: Any) -> Any:
    """Give the angle in the plane, in radians."""
    return jnp.angle(x)


@computes(scalar.Complex)
def complex_(trace: Trace, op: Any, dtype: str, x: Any, y: Any) -> Any:
    """Make a complex number of its parts."""
    kind = "float32" if dtype == "complex64" else "float64"
    return lax.complex(*jnp.broadcast_arrays(convert(x, kind), convert(y, kind)))


@computes(scalar.ComplexFromPolar)
def complex_from_polar(trace: Trace, op: Any, dtype: str, radius: Any, angle: Any) -> Any:
    """Make a complex number of radius, not negative, and angle."""
    trace.check(jnp.all(~(radius < 0)))
    kind = "float32" if dtype == "complex64" else "float64"
    radius, angle = convert(radius, kind), convert(angle, kind)
    return lax.complex(*jnp.broadcast_arrays(radius * jnp.cos(angle), radius * jnp.sin(angle)))


@computes(scalar.Composite, BNComposite, complex_too=True)
def composite(trace: Trace, op: Any, dtype: str, *args: Any) -> list[Any]:
    """Run a graph of scalar ops."""
    outer = [one.dtype for one in op.fgraph.inputs]
    values = {v: convert(a, t) for v, a, t in zip(op.fgraph.inputs, args, outer, strict=True)}

    def value(variable: Any) -> Any:
        if isinstance(variable, Constant):
            return np.asarray(variable.data, variable.dtype)
        return values[variable]

    for node in op.fgraph.toposort():
        dtypes = [one.dtype for one in node.outputs]
        results = apply_scalar(trace, node.op, [value(one) for one in node.inputs], dtypes)
        values.update(zip(node.outputs, results, strict=True))
    return [value(one) for one in op.fgraph.outputs]
