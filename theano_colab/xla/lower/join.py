"""Arrays put together, cut apart and repeated along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jax import lax
from theano import tensor

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(tensor.Join, static=(0,))
def join(trace: Trace, node: Apply, axis: Any, *parts: Any) -> Any:
    """Put arrays one after the other along an axis."""
    at = _axis(trace, axis, node.outputs[0].ndim)
    rests = {one.shape[:at] + one.shape[at + 1 :] for one in parts}
    if len(rests) > 1:
        trace.refuse(f"shapes {sorted(one.shape for one in parts)} along axis {at}")
    dtype = node.outputs[0].dtype
    return jnp.concatenate([jnp.asarray(one, dtype) for one in parts], at)


@lowers(tensor.Split, static=(1, 2))
def split(trace: Trace, node: Apply, x: Any, axis: Any, sizes: Any) -> Any:
    """Cut an array into parts of these sizes along an axis."""
    at = _axis(trace, axis, x.ndim)
    lengths = [int(one) for one in sizes]
    if len(lengths) != node.op.len_splits or min(lengths, default=0) < 0:
        trace.refuse(f"no {node.op.len_splits} sizes: {lengths}")
    if sum(lengths) != x.shape[at]:
        trace.refuse(f"{lengths} do not add up to {x.shape[at]}")
    ends = [sum(lengths[: number + 1]) for number in range(len(lengths))]
    return [
        lax.slice_in_dim(jnp.asarray(x), end - length, end, axis=at)
        for end, length in zip(ends, lengths, strict=True)
    ]


def _axis(trace: Trace, axis: Any, ndim: int) -> int:
    number = int(axis)
    if not -ndim <= number < ndim:
        trace.refuse(f"axis {number} of {ndim}")
    return number % ndim
