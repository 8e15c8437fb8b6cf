"""Sorting, and searching in what is sorted. NaN comes last, as in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from theano.tensor.extra_ops import SearchsortedOp
from theano.tensor.sort import ArgSortOp, SortOp, TopKOp

from theano_colab.xla.lower.bounds import wrap
from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(SortOp, static=(1,), accepts=lambda node: node.op.order is None)
def sort(trace: Trace, node: Apply, x: Any, axis: Any) -> Any:
    """Sort along an axis."""
    return jnp.sort(jnp.asarray(x), axis=_axis(trace, x, axis))


@lowers(ArgSortOp, static=(1,), accepts=lambda node: node.op.order is None)
def argsort(trace: Trace, node: Apply, x: Any, axis: Any) -> Any:
    """Return the order that sorts along an axis; equal elements keep theirs."""
    return jnp.argsort(jnp.asarray(x), axis=_axis(trace, x, axis), stable=True).astype("int64")


def _axis(trace: Trace, x: Any, axis: Any) -> int:
    number = float(np.asarray(axis))
    if number != int(number) or not -x.ndim <= number < x.ndim:
        trace.refuse(f"axis {number} of {x.ndim}")
    return int(number)


@lowers(TopKOp, static=(1,), accepts=lambda node: not node.inputs[0].dtype.startswith("complex"))
def topk(trace: Trace, node: Apply, x: Any, k: Any) -> Any:
    """Return the k largest elements along an axis, or the -k smallest; Theano promises no order."""
    op, count = node.op, int(k)
    size = x.shape[op.axis]
    if count == 0 or abs(count) > size:
        trace.refuse(f"{count} of {size}")
    last = jnp.moveaxis(_ordered(jnp.asarray(x), count), op.axis, -1)
    places = jnp.moveaxis(lax.top_k(last, abs(count))[1], -1, op.axis)
    found = []
    if op.return_values:
        found.append(jnp.take_along_axis(x, places, axis=op.axis))
    if op.return_indices:
        found.append(places.astype(op.idx_dtype))
    return found


def _ordered(x: Any, count: int) -> Any:
    """Return an array that is largest where x is, or for a negative count where x is smallest."""
    if x.dtype.kind == "f":
        # XLA sorts NaN by its sign.
        x = jnp.where(jnp.isnan(x), jnp.nan, x)
        return x if count > 0 else -x
    return x if count > 0 else ~x


@lowers(SearchsortedOp)
def searchsorted(trace: Trace, node: Apply, x: Any, values: Any, *sorter: Any) -> Any:
    """Return where values would be inserted into a sorted vector."""
    x = jnp.asarray(x)
    if sorter:
        if sorter[0].shape != x.shape:
            trace.refuse("the sorter has another size")
        x = x[wrap(trace, sorter[0], x.shape[0])]
    # What NumPy finds in a vector that is not sorted is its own; its NaN come last.
    trace.check(((x[:-1] <= x[1:]) | jnp.isnan(x[1:])).all())
    dtype = np.result_type(x.dtype, values.dtype)
    found = jnp.searchsorted(x.astype(dtype), values.astype(dtype), side=node.op.side)
    return found.astype("int64")
