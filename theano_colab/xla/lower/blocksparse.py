"""Products of chosen blocks of vectors and matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from theano.tensor.nnet import blocksparse

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


def _within(trace: Trace, index: Any, size: int) -> Any:
    """Return indices counted from the front; those out of bounds are for the host to object to."""
    index = jnp.asarray(index).astype("int64")
    trace.check(((index >= -size) & (index < size)).all())
    return jnp.where(index < 0, index + size, index)


@lowers(blocksparse.SparseBlockGemv)
def gemv(trace: Trace, node: Apply, o: Any, w: Any, h: Any, rows: Any, columns: Any) -> Any:
    """Return ``o[b, j] + sum_i dot(h[b, i], w[rows[b, i], columns[b, j]])``."""
    o, w, h = map(jnp.asarray, (o, w, h))
    batch, count, size = o.shape
    if (
        rows.shape != h.shape[:2]
        or columns.shape != (batch, count)
        or (h.shape[0], h.shape[2], size) != (batch, *w.shape[2:])
    ):
        trace.refuse("shapes")
    rows, columns = _within(trace, rows, w.shape[0]), _within(trace, columns, w.shape[1])
    blocks = w[rows[:, :, None], columns[:, None, :]]
    total = jnp.einsum("bis,bijst->bjt", h, blocks, precision=trace.precision)
    return (o + total).astype(o.dtype)


@lowers(blocksparse.SparseBlockOuter)
def outer(
    trace: Trace, node: Apply, o: Any, x: Any, y: Any, rows: Any, columns: Any, alpha: Any
) -> Any:
    """Add ``alpha * outer(x[b, i], y[b, j])`` to block (rows[b, i], columns[b, j]) of ``o``."""
    o, x, y = map(jnp.asarray, (o, x, y))
    if (
        (*rows.shape, x.shape[2]) != x.shape
        or (*columns.shape, y.shape[2]) != y.shape
        or x.shape[0] != y.shape[0]
        or o.shape[2:] != (x.shape[2], y.shape[2])
    ):
        trace.refuse("shapes")
    rows, columns = _within(trace, rows, o.shape[0]), _within(trace, columns, o.shape[1])
    blocks = alpha * x[:, :, None, :, None] * y[:, None, :, None, :]
    return o.at[rows[:, :, None], columns[:, None, :]].add(blocks.astype(o.dtype))
