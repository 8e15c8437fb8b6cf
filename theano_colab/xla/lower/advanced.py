"""Indexing by arrays of integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from theano.tensor.subtensor import AdvancedIncSubtensor1, AdvancedSubtensor1

from theano_colab.xla.lower.bounds import fit, wrap
from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(AdvancedSubtensor1)
def advanced_subtensor1(trace: Trace, node: Apply, x: Any, index: Any) -> Any:
    """Read rows."""
    x = jnp.asarray(x)
    rows = wrap(trace, index, x.shape[0])
    if x.shape[0] == 0:
        return jnp.zeros((index.shape[0], *x.shape[1:]), x.dtype)
    return x.at[rows].get(mode="promise_in_bounds")


@lowers(AdvancedIncSubtensor1)
def advanced_inc_subtensor1(trace: Trace, node: Apply, x: Any, y: Any, index: Any) -> Any:
    """Set rows, the last of equal indices staying, or add to them as often as they are named."""
    x = jnp.asarray(x)
    rows = wrap(trace, index, x.shape[0])
    value = fit(trace, jnp.asarray(y), (index.shape[0], *x.shape[1:])).astype(x.dtype)
    if not value.size:
        return x
    if node.op.set_instead_of_inc:
        return x.at[last_only(rows, x.shape[0])].set(value, mode="drop", unique_indices=True)
    return x.at[rows].add(value, mode="promise_in_bounds")


def last_only(places: Any, size: int) -> Any:
    """Return places with all but the last of equal ones moved, each to another, beyond the end.

    XLA leaves open which of several values written to one place stays; NumPy says the last.
    """
    order = jnp.arange(places.shape[0])
    last = jnp.full(size, -1, order.dtype).at[places].max(order, mode="promise_in_bounds")
    return jnp.where(last[places] == order, places, size + order)
