"""Indices held to the bounds of their axis; XLA itself reads past them silently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from theano_colab.xla.trace import is_known

if TYPE_CHECKING:
    from collections.abc import Callable

    from theano_colab.xla.trace import Trace


def wrap(trace: Trace, index: Any, size: int, *, trusted: bool = False) -> Any:
    """Return an index, or an array of them, in int64 and counted from the start of the axis.

    Negative ones count from the end. What lies beyond is refused, or found by a check when the
    compiled code runs, unless the caller vouches for it.
    """
    if is_known(index):
        index = np.asarray(index)
        if not trusted and not all_within(index, size):
            trace.refuse("an index is out of bounds")
        return from_start(index, size)
    if not trusted and index.size:
        trace.check(all_within(index, size))
    return from_start(index, size)


def all_within(index: Any, size: int) -> Any:
    """Tell whether each index is one of an axis of this size."""
    info = np.iinfo(index.dtype)
    if info.min < 0:
        low = index >= max(-size, int(info.min))
        return (low & (index < size)).all() if size <= info.max else low.all()
    return (index < size).all() if size <= info.max else np.True_


def from_start(index: Any, size: int) -> Any:
    """Return indices in int64, negative ones counted from the end."""
    if np.iinfo(index.dtype).min == 0:
        return index.astype("int64")
    index = index.astype("int64")
    where: Callable[..., Any] = np.where if is_known(index) else jnp.where
    return where(index < 0, index + size, index)


def broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Tell whether NumPy would broadcast an array of this shape to that one."""
    return len(shape) <= len(to) and all(
        one in (1, other) for one, other in zip(reversed(shape), reversed(to), strict=False)
    )


def fit(trace: Trace, y: Any, shape: tuple[int, ...], *, strip: bool = False) -> Any:
    """Return ``y`` broadcast to a shape by NumPy's rules; with ``strip`` leading ones are dropped.

    NumPy drops them when it assigns, and does not when it adds in place.
    """
    while strip and y.ndim > len(shape) and y.shape[0] == 1:
        y = y.reshape(y.shape[1:])
    if not broadcasts(y.shape, shape):
        trace.refuse(f"{y.shape} does not broadcast to {shape}")
    return jnp.broadcast_to(y, shape)
