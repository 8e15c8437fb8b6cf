"""Along an axis: cumulative sums and products, differences, repeated and permuted elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from theano import tensor
from theano.tensor.extra_ops import CumOp, DiffOp, RepeatOp

from theano_colab.xla.lower.bounds import wrap
from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(CumOp, accepts=lambda node: node.inputs[0].dtype != "bool")
def cumulate(trace: Trace, node: Apply, x: Any) -> Any:
    """Add or multiply up along an axis, or along all elements, in the array's own dtype."""
    function = jnp.cumsum if node.op.mode == "add" else jnp.cumprod
    dtype = "float32" if x.dtype == "float16" else x.dtype
    return function(jnp.asarray(x), axis=node.op.axis, dtype=dtype).astype(x.dtype)


@lowers(DiffOp)
def diff(trace: Trace, node: Apply, x: Any) -> Any:
    """Take differences of neighbours, n times."""
    return jnp.diff(jnp.asarray(x), n=node.op.n, axis=node.op.axis)


@lowers(RepeatOp, static=(1,))
def repeat(trace: Trace, node: Apply, x: Any, repeats: Any) -> Any:
    """Repeat the elements of an axis, or of the flattened array, each as often as is said."""
    counts = np.asarray(repeats).astype("int64")  # XLA adds them up in their own dtype
    size = x.size if node.op.axis is None else x.shape[node.op.axis]
    if (counts < 0).any() or counts.size not in {1, size}:
        trace.refuse(f"{counts.size} numbers of repetitions for {size}")
    times = np.broadcast_to(counts.ravel(), size)
    return jnp.repeat(
        jnp.asarray(x), times, axis=node.op.axis, total_repeat_length=int(times.sum())
    )


@lowers(tensor.Tile, static=(1,))
def tile(trace: Trace, node: Apply, x: Any, repeats: Any) -> Any:
    """Repeat an array along each axis."""
    if (np.asarray(repeats) < 0).any() or max(x.ndim, len(repeats)) != node.op.ndim:
        trace.refuse(f"repetitions {repeats} for {node.op.ndim} dimensions")
    return jnp.tile(x, [int(one) for one in repeats])


@lowers(tensor.PermuteRowElements, static=(2,))
def permute_row_elements(trace: Trace, node: Apply, x: Any, order: Any, inverse: Any) -> Any:
    """Permute the elements of each row, or put them back; what is declared to broadcasts."""
    x = jnp.asarray(x)
    for axis, (one, other) in enumerate(zip(x.shape, order.shape, strict=True)):
        pattern = (node.inputs[0].broadcastable[axis], node.inputs[1].broadcastable[axis])
        if one != other and not (one == 1 and pattern[0]) and not (other == 1 and pattern[1]):
            trace.refuse(f"{x.shape} and {order.shape}")
    shape = jnp.broadcast_shapes(x.shape, order.shape)
    if shape[-1:] != x.shape[-1:] or shape[-1:] != order.shape[-1:]:
        trace.refuse(f"rows of {x.shape} and {order.shape}")
    places = jnp.broadcast_to(wrap(trace, order, shape[-1]), shape)
    if int(inverse):
        # A row that is no permutation leaves elements unwritten in Theano: they have no value.
        places = jnp.argsort(places, axis=-1)
    return jnp.take_along_axis(jnp.broadcast_to(x, shape), places, axis=-1)
