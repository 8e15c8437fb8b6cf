"""Elemwise, and what only changes the order of axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from theano import tensor

from theano_colab.xla.lower.scalars import SCALARS, apply_scalar
from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


def _accepts(node: Apply) -> bool:
    return type(node.op.scalar_op) in SCALARS


@lowers(tensor.Elemwise, accepts=_accepts)
def elemwise(trace: Trace, node: Apply, *args: Any) -> Any:
    """Apply a scalar op; only axes that are declared to broadcast may."""
    arrays = [jnp.asarray(one) for one in args]
    for axis in range(node.outputs[0].ndim):
        sizes = {
            one.shape[axis]
            for one, variable in zip(arrays, node.inputs, strict=True)
            if not variable.broadcastable[axis]
        }
        if len(sizes) > 1:
            trace.refuse(f"sizes {sorted(sizes)} along axis {axis}")
    dtypes = [one.dtype for one in node.outputs]
    results = apply_scalar(node.op.scalar_op, arrays, dtypes)
    shape = jnp.broadcast_shapes(*(one.shape for one in arrays))
    return [jnp.broadcast_to(one, shape) for one in results]


@lowers(tensor.elemwise.DimShuffle)
def dim_shuffle(trace: Trace, node: Apply, x: Any) -> Any:
    """Reorder, drop and insert axes."""
    op = node.op
    if any(x.shape[axis] != 1 for axis in op.drop):
        trace.refuse("a dropped axis is not of size 1")
    kept = jnp.transpose(x, [*op.shuffle, *op.drop])
    sizes = iter(kept.shape)
    return kept.reshape([1 if axis == "x" else next(sizes) for axis in op.new_order])
