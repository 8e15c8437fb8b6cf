"""The stripe along a diagonal that conv3d2d takes from a tensor, and its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from theano.tensor.nnet import conv3d2d

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


def _stripe(trace: Trace, x: Any, i0: Any, i1: Any) -> tuple[Any, tuple[int, int], Any, Any]:
    """Return x with the two axes first, these axes, and the stripe's rows and columns in it."""
    axes = int(i0) % x.ndim, int(i1) % x.ndim
    x = jnp.moveaxis(x, axes, (0, 1))
    rows, columns = x.shape[:2]
    if rows < columns or axes[0] == axes[1]:
        trace.refuse(f"a stripe of {rows} rows and {columns} columns")
    column = np.arange(columns)
    row = np.arange(columns - 1, rows)[:, None] - column
    return x, axes, row, np.broadcast_to(column, row.shape)


@lowers(conv3d2d.DiagonalSubtensor, static=(1, 2))
def diagonal_subtensor(trace: Trace, node: Apply, x: Any, i0: Any, i1: Any) -> Any:
    """Return the stripe: its element (r, c) is ``x[columns - 1 + r - c, c]`` along the two axes."""
    x, axes, row, column = _stripe(trace, jnp.asarray(x), i0, i1)
    return jnp.moveaxis(x[row, column], (0, 1), axes)


@lowers(conv3d2d.IncDiagonalSubtensor, static=(1, 2))
def inc_diagonal_subtensor(trace: Trace, node: Apply, x: Any, i0: Any, i1: Any, amount: Any) -> Any:
    """Return x with ``amount`` added to the stripe."""
    x, axes, row, column = _stripe(trace, jnp.asarray(x), i0, i1)
    amount = jnp.moveaxis(jnp.asarray(amount).astype(x.dtype), axes, (0, 1))
    if amount.shape != (*row.shape, *x.shape[2:]):
        trace.refuse(f"an amount of shape {amount.shape}")
    return jnp.moveaxis(x.at[row, column].add(amount), (0, 1), axes)
