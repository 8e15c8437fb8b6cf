"""Shapes, and what gives an array another one without looking at its elements."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from theano import tensor
from theano.compile.ops import Rebroadcast, Shape, Shape_i, SpecifyShape

from theano_colab.xla.lower.bounds import fit
from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(Shape_i)
def shape_i(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the size of an axis, which is known."""
    return np.asarray(np.shape(x)[node.op.i], "int64")


@lowers(Shape)
def shape(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the shape, which is known."""
    return np.asarray(np.shape(x), "int64")


@lowers(tensor.Reshape, static=(1,))
def reshape(trace: Trace, node: Apply, x: Any, shape: Any) -> Any:
    """Give the elements another shape, of which one size may be -1: what is left."""
    wanted = [int(one) for one in shape]
    known = math.prod(one for one in wanted if one != -1)
    if len(wanted) != node.op.ndim or min(wanted, default=0) < -1 or wanted.count(-1) > 1:
        trace.refuse(f"no shape of {node.op.ndim} dimensions: {wanted}")
    if -1 in wanted:
        if known == 0 or x.size % known:
            trace.refuse(f"{x.size} elements in shape {wanted}")
        wanted[wanted.index(-1)] = x.size // known
    elif known != x.size:
        trace.refuse(f"{x.size} elements in shape {wanted}")
    return jnp.reshape(x, wanted)


@lowers(tensor.Flatten)
def flatten(trace: Trace, node: Apply, x: Any) -> Any:
    """Make one axis of all but the first ``outdim - 1``."""
    kept = x.shape[: node.op.outdim - 1]
    return jnp.reshape(x, (*kept, math.prod(x.shape[len(kept) :])))


@lowers(Rebroadcast)
def rebroadcast(trace: Trace, node: Apply, x: Any) -> Any:
    """Hold the axes that are now said to broadcast to size 1."""
    wrong = [axis for axis, broadcasts in node.op.axis.items() if broadcasts and x.shape[axis] != 1]
    if wrong:
        trace.refuse(f"axes {wrong} are not of size 1")
    return x


@lowers(SpecifyShape, static=(1,))
def specify_shape(trace: Trace, node: Apply, x: Any, shape: Any) -> Any:
    """Hold an array to a shape."""
    if x.shape != tuple(shape.tolist()):
        trace.refuse(f"the shape is {x.shape}, not {shape}")
    return x


@lowers(tensor.Alloc, static=lambda node: range(1, len(node.inputs)))
def alloc(trace: Trace, node: Apply, value: Any, *sizes: Any) -> Any:
    """Repeat a value to a shape, by NumPy's rules of broadcasting."""
    return fit(trace, jnp.asarray(value), _sizes(trace, sizes))


@lowers(tensor.AllocEmpty, static=lambda node: range(len(node.inputs)))
def alloc_empty(trace: Trace, node: Apply, *sizes: Any) -> Any:
    """Return zeros: XLA has no array without values."""
    return jnp.zeros(_sizes(trace, sizes), node.op.dtype)


def _sizes(trace: Trace, sizes: tuple[Any, ...]) -> tuple[int, ...]:
    shape = tuple(map(int, sizes))
    if min(shape, default=0) < 0:
        trace.refuse(f"negative sizes: {shape}")
    return shape


@lowers(tensor.opt.MakeVector)
def make_vector(trace: Trace, node: Apply, *items: Any) -> Any:
    """Make a vector of numbers."""
    dtype = node.outputs[0].dtype
    return jnp.stack([jnp.asarray(one, dtype) for one in items]) if items else jnp.zeros(0, dtype)


@lowers(tensor.TensorFromScalar)
def tensor_from_scalar(trace: Trace, node: Apply, x: Any) -> Any:
    """Return a number as an array without dimensions."""
    return jnp.asarray(x, node.outputs[0].dtype)


@lowers(tensor.ScalarFromTensor)
def scalar_from_tensor(trace: Trace, node: Apply, x: Any) -> Any:
    """Return an array without dimensions as a number: tracers are both."""
    return x
