"""Reductions along axes: sums, products, extremes, all, any, argmax.

Theano on the CPU adds float32 up in float64. XLA adds by trees, whose error hardly grows with the
number of terms, and so do we: in float32, as Theano's old GPU backend did (``local_gpua_careduce``
in gpuarray/opt.py). On a GPU float64 takes up to 32 times as long. A sum that is asked for in
float64 is one, and products and what else can overflow half-way keep their accumulator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from theano import scalar, tensor
from theano.tensor import basic, elemwise

from theano_colab.xla.lower.scalars import apply_scalar, convert, lowerable
from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theano import Apply

    from theano_colab.xla.trace import Trace

_WHOLE = {
    scalar.Add: jnp.sum,
    scalar.Mul: jnp.prod,
    scalar.Maximum: jnp.max,
    scalar.Minimum: jnp.min,
}
# Classes of their own in Theano-PyMC alone.
_EXTREMES = [vars(basic)[name] for name in ("Max", "Min") if name in vars(basic)]


def _accepts(node: Apply) -> bool:
    dtypes = [node.inputs[0].dtype, _accumulator(node)]
    return lowerable(node.op.scalar_op, dtypes)


@lowers(
    elemwise.CAReduce,
    elemwise.CAReduceDtype,
    elemwise.Sum,
    elemwise.Prod,
    elemwise.ProdWithoutZeros,
    elemwise.All,
    elemwise.Any,
    *_EXTREMES,
    accepts=_accepts,
)
def careduce(trace: Trace, node: Apply, x: Any) -> Any:
    """Reduce by a scalar op along axes, in the accumulator's dtype."""
    op, dtype = node.op.scalar_op, _accumulator(node)
    axes = tuple(range(x.ndim)) if node.op.axis is None else tuple(node.op.axis)
    if not hasattr(op, "identity") and any(x.shape[axis] == 0 for axis in axes):
        trace.refuse("nothing to reduce")
    x = convert(x, dtype)
    if not axes:
        result = x
    elif type(op) in _WHOLE:
        result = _WHOLE[type(op)](x, axis=axes)
    elif type(op) in {scalar.AND, scalar.OR} and x.dtype == bool:
        result = (jnp.all if type(op) is scalar.AND else jnp.any)(x, axis=axes)
    elif type(op) is elemwise.MulWithoutZeros:
        product = jnp.prod(jnp.where(x == 0, 1, x), axis=axes)
        result = jnp.where(jnp.all(x == 0, axis=axes), 0, product)
    else:
        result = _fold(trace, op, x, axes)
    return convert(result, node.outputs[0].dtype)


def _accumulator(node: Apply) -> str:
    dtype = str(getattr(node.op, "acc_dtype", None) or node.outputs[0].dtype)
    ends = node.inputs[0].dtype, node.outputs[0].dtype
    is_sum = type(node.op.scalar_op) is scalar.Add
    return "float32" if is_sum and ends == ("float32", "float32") else dtype


def _fold(trace: Trace, op: Any, x: Any, axes: Sequence[int]) -> Any:
    """Reduce by any scalar op, one value after the other as Theano does."""
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    shape = [x.shape[axis] for axis in kept]
    rows = jnp.transpose(x, [*sorted(axes), *kept]).reshape([-1, *shape])

    def step(so_far: Any, row: Any) -> tuple[Any, None]:
        return apply_scalar(trace, op, [so_far, row], [str(x.dtype)])[0], None

    if not len(rows):
        return jnp.full(shape, op.identity, x.dtype)
    return lax.scan(step, rows[0], rows[1:])[0]


@lowers(tensor.Argmax, tensor.MaxAndArgmax)
def argmax(trace: Trace, node: Apply, x: Any) -> Any:
    """Give the place of the (first) maximum or NaN among axes, flattened; and the maximum."""
    axes = tuple(range(x.ndim)) if node.op.axis is None else tuple(map(int, node.op.axis))
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    flat = jnp.transpose(x, [*kept, *axes]).reshape(
        [*(x.shape[axis] for axis in kept), int(np.prod([x.shape[axis] for axis in axes]))]
    )
    if not flat.shape[-1]:
        trace.refuse("nothing to compare")
    place = jnp.argmax(flat, axis=-1).astype("int64")
    return place if isinstance(node.op, tensor.Argmax) else [jnp.max(x, axis=axes), place]
