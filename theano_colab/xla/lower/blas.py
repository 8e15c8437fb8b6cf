"""Products of matrices: Dot, what Theano's BLAS optimizer makes of it, and batches of them.

A sum is kept in float32 for float16, as NumPy keeps it. Where BLAS multiplies by a beta of 0 it
does not read what it would multiply: Theano passes memory there that nothing was written to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from theano import tensor
from theano.tensor import blas, blas_c, blas_scipy

from theano_colab.xla.registry import lowers
from theano_colab.xla.trace import is_known

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace

# The axes that are summed and those that are paired, of both arguments.
_Axes = tuple[tuple[tuple[int, ...], tuple[int, ...]], tuple[tuple[int, ...], tuple[int, ...]]]


def product(trace: Trace, x: Any, y: Any, dtype: str, axes: _Axes | None = None) -> Any:
    """Return the product of two arrays in ``dtype``: ``numpy.dot``'s, or along given axes."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    if axes is None:
        axes = ((x.ndim - 1,), (0,)), ((), ())
    (of_x, of_y), (batch_x, batch_y) = axes
    pairs = [*zip(of_x, of_y, strict=True), *zip(batch_x, batch_y, strict=True)]
    if any(x.shape[i] != y.shape[j] for i, j in pairs):
        trace.refuse(f"shapes {x.shape} and {y.shape} do not fit")
    inside = {"float16": "float32", "bool": "int32"}.get(dtype, dtype)
    result = lax.dot_general(
        x.astype(inside), y.astype(inside), axes, trace.precision, preferred_element_type=inside
    )
    return (result != 0) if dtype == "bool" else result.astype(dtype)


@lowers(tensor.Dot, blas.Dot22)
def dot(trace: Trace, node: Apply, x: Any, y: Any) -> Any:
    """Multiply vectors or matrices."""
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return jnp.multiply(x, y).astype(node.outputs[0].dtype)
    return product(trace, x, y, node.outputs[0].dtype)


@lowers(blas.Dot22Scalar)
def dot22_scalar(trace: Trace, node: Apply, x: Any, y: Any, a: Any) -> Any:
    """Return ``a * dot(x, y)``."""
    return product(trace, x, y, node.outputs[0].dtype) * a


@lowers(blas.Gemm)
def gemm(trace: Trace, node: Apply, z: Any, a: Any, x: Any, y: Any, b: Any) -> Any:
    """Return ``b * z + a * dot(x, y)``."""
    return _scaled_sum(trace, z, b, product(trace, x, y, node.outputs[0].dtype), a)


@lowers(blas.Gemv, blas_c.CGemv)
def gemv(trace: Trace, node: Apply, y: Any, alpha: Any, a: Any, x: Any, beta: Any) -> Any:
    """Return ``beta * y + alpha * dot(a, x)``."""
    return _scaled_sum(trace, y, beta, product(trace, a, x, node.outputs[0].dtype), alpha)


@lowers(blas.Ger, blas_c.CGer, blas_scipy.ScipyGer)
def ger(trace: Trace, node: Apply, a: Any, alpha: Any, x: Any, y: Any) -> Any:
    """Return ``a + alpha * outer(x, y)``."""
    return _scaled_sum(trace, a, np.asarray(1, a.dtype), jnp.outer(x, y), alpha)


@lowers(blas.BatchedDot)
def batched_dot(trace: Trace, node: Apply, x: Any, y: Any) -> Any:
    """Multiply the matrices (or vectors) of two batches, pair by pair."""
    axes = ((np.ndim(x) - 1,), (1,)), ((0,), (0,))
    return product(trace, x, y, node.outputs[0].dtype, axes)


def _scaled_sum(trace: Trace, z: Any, beta: Any, x: Any, alpha: Any) -> Any:
    """Return ``beta * z + alpha * x`` in the dtype of ``x``, without reading z where beta is 0."""
    if np.shape(z) != x.shape:
        trace.refuse(f"shapes {np.shape(z)} and {x.shape} do not fit")
    if not (is_known(alpha) and alpha == 1):
        x = x * jnp.asarray(alpha).astype(x.dtype)
    if is_known(beta):
        return x if beta == 0 else z + x if beta == 1 else jnp.asarray(beta, x.dtype) * z + x
    beta = beta.astype(x.dtype)
    return jnp.where(beta == 0, 0, beta * z).astype(x.dtype) + x
