"""Elemwise, what only changes the order of axes, and identities that change gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from theano import gradient, tensor

from theano_colab.xla.lower.scalars import apply_scalar, lowerable
from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


def _accepts(node: Apply) -> bool:
    return bool(node.inputs) and lowerable(node.op.scalar_op, [one.dtype for one in node.inputs])


@lowers(tensor.Elemwise, accepts=_accepts)
def elemwise(trace: Trace, node: Apply, *args: Any) -> Any:
    """Apply a scalar op; only axes that are declared to broadcast may."""
    for axis in range(node.outputs[0].ndim):
        sizes = {
            one.shape[axis]
            for one, variable in zip(args, node.inputs, strict=True)
            if not variable.broadcastable[axis]
        }
        if len(sizes) > 1:
            trace.refuse(f"sizes {sorted(sizes)} along axis {axis}")
    dtypes = [one.dtype for one in node.outputs]
    results = apply_scalar(trace, node.op.scalar_op, args, dtypes)
    shape = jnp.broadcast_shapes(*(one.shape for one in args))
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


@lowers(
    gradient.ConsiderConstant,
    gradient.ZeroGrad,
    gradient.UndefinedGrad,
    gradient.DisconnectedGrad,
    gradient.GradClip,
    gradient.GradScale,
)
def identity(trace: Trace, node: Apply, x: Any) -> Any:
    """Give the input: what these ops change is the gradient's graph."""
    return x
