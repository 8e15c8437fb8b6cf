"""Diagonals: taken out, laid out, filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from theano import tensor
from theano.tensor import nlinalg
from theano.tensor.extra_ops import FillDiagonal, FillDiagonalOffset

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(tensor.ExtractDiag)
def extract_diag(trace: Trace, node: Apply, x: Any) -> Any:
    """Take out the diagonal of two axes, which becomes the last axis."""
    op = node.op
    return jnp.diagonal(x, op.offset, op.axis1, op.axis2)


@lowers(nlinalg.AllocDiag)
def alloc_diag_of_vector(trace: Trace, node: Apply, x: Any) -> Any:
    """Make a square matrix with a diagonal."""
    return _on_diagonal(jnp.asarray(x), 0)


@lowers(tensor.AllocDiag)
def alloc_diag(trace: Trace, node: Apply, x: Any) -> Any:
    """Make square matrices of two new axes with the last axis on a diagonal."""
    first, second = sorted((node.op.axis1, node.op.axis2))
    made = _on_diagonal(jnp.asarray(x), node.op.offset)
    if x.ndim == 1:  # Theano leaves a matrix as it is, whatever its axes.
        return made
    if first < 0 or first == second:
        trace.refuse(f"axes {first} and {second}")
    return jnp.moveaxis(made, (-2, -1), (first, second))


def _on_diagonal(x: Any, offset: int) -> Any:
    count = x.shape[-1]
    size = count + abs(offset)
    at = np.arange(count)
    made = jnp.zeros((*x.shape[:-1], size, size), x.dtype)
    return made.at[..., at + max(0, -offset), at + max(0, offset)].set(x, unique_indices=True)


@lowers(FillDiagonal)
def fill_diagonal(trace: Trace, node: Apply, x: Any, value: Any) -> Any:
    """Set the main diagonal; beyond two dimensions all must be of one size."""
    if x.ndim > 2 and len(set(x.shape)) > 1:  # noqa: PLR2004  # Theano's rule
        trace.refuse(f"no diagonal in {x.shape}")
    at = np.arange(min(x.shape))
    return jnp.asarray(x).at[(at,) * x.ndim].set(value, unique_indices=True)


@lowers(FillDiagonalOffset)
def fill_diagonal_offset(trace: Trace, node: Apply, x: Any, value: Any, offset: Any) -> Any:
    """Set a diagonal whose offset need not be known."""
    rows, columns = x.shape
    offset = offset.astype("int64")
    trace.check((offset >= -rows) & (offset <= columns))
    at = jnp.arange(columns)[None, :] - jnp.arange(rows)[:, None]
    return jnp.where(at == offset, value, x)
