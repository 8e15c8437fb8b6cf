"""Places in an array as one number, and as one number for each axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from theano.tensor.extra_ops import RavelMultiIndex, UnravelIndex

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(UnravelIndex, static=(1,))
def unravel_index(trace: Trace, node: Apply, index: Any, sizes: Any) -> Any:
    """Return the place along each axis; whatever the op's order, as Theano counts in C's alone."""
    shape = _shape(trace, sizes, node.op.ndim)
    rest = jnp.asarray(index).astype("int64")
    trace.check(((rest >= 0) & (rest < math.prod(shape))).all())
    places: list[Any] = [None] * len(shape)
    for axis in reversed(range(len(shape))):
        places[axis] = rest % max(shape[axis], 1)
        rest //= max(shape[axis], 1)
    return places


@lowers(RavelMultiIndex, static=lambda node: (len(node.inputs) - 1,))
def ravel_multi_index(trace: Trace, node: Apply, *args: Any) -> Any:
    """Return the number of a place; what is out of bounds is wrapped or clipped on demand."""
    *places, sizes = args
    shape = _shape(trace, sizes, len(places))
    if not all(shape):
        trace.refuse("an empty array has no places")
    number: Any = 0
    for axis in reversed(range(len(shape))) if node.op.order == "F" else range(len(shape)):
        place = jnp.asarray(places[axis]).astype("int64")
        if node.op.mode == "raise":
            trace.check(((place >= 0) & (place < shape[axis])).all())
        elif node.op.mode == "wrap":
            place = place % shape[axis]
        else:
            place = jnp.clip(place, 0, shape[axis] - 1)
        number = number * shape[axis] + place
    return number


def _shape(trace: Trace, sizes: Any, ndim: int) -> tuple[int, ...]:
    shape = tuple(int(one) for one in sizes)
    if len(shape) != ndim or min(shape, default=0) < 0:
        trace.refuse(f"a shape of {ndim} dimensions: {shape}")
    return shape
