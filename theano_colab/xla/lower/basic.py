"""Shapes, slices, sums and products of matrices: a first set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from theano import tensor
from theano.compile.ops import Shape, Shape_i

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(Shape_i)
def shape_i(trace: Trace, node: Apply, x: Any) -> Any:
    return np.asarray(x.shape[node.op.i], "int64")


@lowers(Shape)
def shape(trace: Trace, node: Apply, x: Any) -> Any:
    return np.asarray(x.shape, "int64")


@lowers(tensor.TensorFromScalar)
def tensor_from_scalar(trace: Trace, node: Apply, x: Any) -> Any:
    return jnp.asarray(x, node.outputs[0].dtype)


@lowers(tensor.ScalarFromTensor)
def scalar_from_tensor(trace: Trace, node: Apply, x: Any) -> Any:
    return x


@lowers(tensor.Dot)
def dot(trace: Trace, node: Apply, x: Any, y: Any) -> Any:
    if x.shape[-1] != y.shape[0]:
        trace.refuse("shapes")
    return jnp.dot(x, y, precision=trace.precision)


@lowers(tensor.elemwise.Sum)
def sum_(trace: Trace, node: Apply, x: Any) -> Any:
    return jnp.sum(x.astype(node.op.acc_dtype), axis=node.op.axis).astype(node.outputs[0].dtype)
