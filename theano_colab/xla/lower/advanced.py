"""Indexing by arrays of integers and by masks, alone or mixed with integers, slices and new axes.

Of several values that are written to one place NumPy keeps the last, and XLA leaves open which: all
others are written beyond the end, where XLA drops them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from theano import Constant
from theano.tensor.subtensor import (
    AdvancedBooleanIncSubtensor,
    AdvancedBooleanSubtensor,
    AdvancedIncSubtensor,
    AdvancedIncSubtensor1,
    AdvancedSubtensor,
    AdvancedSubtensor1,
)
from theano.tensor.type_other import SliceType

from theano_colab.xla.lower.bounds import fit, wrap
from theano_colab.xla.lower.subtensor import add
from theano_colab.xla.registry import lowers
from theano_colab.xla.trace import is_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(AdvancedSubtensor1)
def advanced_subtensor1(trace: Trace, node: Apply, x: Any, index: Any) -> Any:
    """Read rows."""
    x = jnp.asarray(x)
    rows = _wrap(trace, node, 0, index, x.shape[0])
    if x.shape[0] == 0:
        return jnp.zeros((index.shape[0], *x.shape[1:]), x.dtype)
    return x.at[rows].get(mode="promise_in_bounds")


@lowers(AdvancedIncSubtensor1)
def advanced_inc_subtensor1(trace: Trace, node: Apply, x: Any, y: Any, index: Any) -> Any:
    """Set rows, the last of equal indices staying, or add to them as often as they are named."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    rows = _wrap(trace, node, 0, index, x.shape[0])
    value = fit(trace, y, (index.shape[0], *x.shape[1:])).astype(x.dtype)
    return _write(x, [rows], value, node.op.set_instead_of_inc, y.size == 1)


def _slices(node: Apply) -> list[int]:
    """Return the inputs that are slices: a result's shape depends on them."""
    return [k for k, one in enumerate(node.inputs) if isinstance(one.type, SliceType)]


def _has_known_masks(node: Apply) -> bool:
    return all(isinstance(one, Constant) for one in node.inputs[1:] if _is_mask(one))


def _has_known_masks_or_one(node: Apply) -> bool:
    indices = node.inputs[2:]
    return _has_known_masks(node) or (len(indices) == 1 and indices[0].ndim > 0)


def _is_mask(variable: Any) -> bool:
    return getattr(variable.type, "dtype", None) == "bool"


@lowers(AdvancedSubtensor, AdvancedBooleanSubtensor, static=_slices, accepts=_has_known_masks)
def advanced_subtensor(trace: Trace, node: Apply, x: Any, *indices: Any) -> Any:
    """Read what NumPy's rules for mixed indices select."""
    x = jnp.asarray(x)
    return x.at[tuple(_within(trace, node, x.shape, indices))].get(mode="promise_in_bounds")


@lowers(
    AdvancedIncSubtensor,
    AdvancedBooleanIncSubtensor,
    static=_slices,
    accepts=_has_known_masks_or_one,
)
def advanced_inc_subtensor(trace: Trace, node: Apply, x: Any, y: Any, *indices: Any) -> Any:
    """Set what NumPy's rules for mixed indices select, or add to it as often as it is selected."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    setting = node.op.set_instead_of_inc
    if not setting and not np.can_cast(np.result_type(x.dtype, y.dtype), x.dtype, "same_kind"):
        trace.refuse(f"{y.dtype} cannot be added to {x.dtype} in place")
    if len(indices) == 1 and indices[0].dtype == bool and not is_known(indices[0]):
        return _write_masked(trace, x, y, indices[0], setting)
    inside = _within(trace, node, x.shape, indices)
    shape = jax.eval_shape(x.at[tuple(inside)].get).shape
    value = fit(trace, y, shape, strip=setting).astype(x.dtype)
    return _write(x, inside, value, setting, y.size == 1)


def _write_masked(trace: Trace, x: Any, y: Any, mask: Any, setting: bool) -> Any:
    """Set the elements of x that a mask selects to those of y, in their order, or add these."""
    if mask.shape != x.shape[: mask.ndim]:
        trace.refuse(f"a mask of shape {mask.shape} for {x.shape}")
    rest = x.shape[mask.ndim :]
    if y.ndim > len(rest) and y.shape[0] != 1:
        value = fit(trace, y, (y.shape[0], *rest), strip=setting)
        order = jnp.cumsum(mask.ravel()) - 1
        trace.check(order[-1] + 1 == y.shape[0] if mask.size else y.shape[0] == 0)
        value = value[order].reshape(x.shape) if y.shape[0] else jnp.zeros(x.shape, y.dtype)
    else:
        value = fit(trace, y, (1, *rest), strip=setting)
        value = jnp.broadcast_to(value.reshape((1,) * mask.ndim + rest), x.shape)
    chosen = mask.reshape(mask.shape + (1,) * len(rest))
    return jnp.where(chosen, value.astype(x.dtype) if setting else add(x, value), x)


def _within(trace: Trace, node: Apply, shape: Sequence[int], indices: Sequence[Any]) -> list[Any]:
    """Return indices without masks, none negative; refuse or check what is out of bounds."""
    found: list[Any] = []
    axis = 0
    for entry, index in enumerate(indices):
        if index is None:
            found.append(None)
            continue
        if isinstance(index, slice):
            found.append(slice(*(_integer(part) for part in (index.start, index.stop, index.step))))
        elif index.dtype == bool:
            if not index.ndim or index.shape != tuple(shape[axis : axis + index.ndim]):
                trace.refuse(f"a mask of shape {index.shape} for {shape}")
            found += np.nonzero(index)
            axis += index.ndim
            continue
        else:
            found.append(_wrap(trace, node, entry, index, shape[axis]))
        axis += 1
    return found


def _integer(bound: Any) -> int | None:
    return None if bound is None else int(bound)


def _wrap(trace: Trace, node: Apply, entry: int, index: Any, size: int) -> Any:
    return wrap(trace, index, size, trusted=(node, entry) in trace.trusted)


def _write(x: Any, indices: list[Any], value: Any, setting: bool, alike: bool) -> Any:
    """Write a value of the shape that the indices select; ``alike`` says that it is one number."""
    if not value.size:
        return x
    if not setting:
        return x.at[tuple(indices)].add(value, mode="promise_in_bounds")
    if alike:
        return x.at[tuple(indices)].set(value, mode="promise_in_bounds")
    return x.at[tuple(_last_only(x.shape, indices))].set(value, mode="drop", unique_indices=True)


def _last_only(shape: Sequence[int], indices: list[Any]) -> list[Any]:
    """Return indices with all but the last of equal places moved beyond the end."""
    axes, places, axis = [], [], 0
    for position, index in enumerate(indices):
        if index is not None and not isinstance(index, slice):
            axes.append(axis)
            places.append(position)
        axis += index is not None
    arrays = jnp.broadcast_arrays(*(indices[k] for k in places))
    flat = arrays[0]
    for array, number in zip(arrays[1:], axes[1:], strict=True):
        flat = flat * shape[number] + array
    order = jnp.arange(flat.size).reshape(flat.shape)
    size = int(np.prod([shape[number] for number in axes]))
    last = jnp.full(size, -1, order.dtype).at[flat].max(order, mode="promise_in_bounds")
    found = list(indices)
    for k, array in zip(places, arrays, strict=True):
        found[k] = array
    found[places[0]] = jnp.where(last[flat] == order, arrays[0], shape[axes[0]] + order)
    return found
