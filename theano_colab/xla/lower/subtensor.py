"""Subtensor and IncSubtensor: indexing by integers and slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from theano.gof import Type
from theano.tensor.subtensor import IncSubtensor, Subtensor
from theano.tensor.type_other import MakeSlice

from theano_colab.xla.index import bound_positions
from theano_colab.xla.lower.bounds import fit, wrap
from theano_colab.xla.registry import lowers
from theano_colab.xla.trace import is_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from theano import Apply

    from theano_colab.xla.trace import Trace


@dataclass(frozen=True, slots=True)
class _Place:
    """Which part of an array is meant.

    A window that XLA moves over the array when it runs, by a start along each axis, and an index of
    integers and slices into the window. Without ``starts`` the window is the whole array.
    """

    starts: tuple[Any, ...] | None
    sizes: tuple[int, ...]
    index: tuple[int | slice, ...]

    def window(self, x: Any) -> Any:
        return x if self.starts is None else lax.dynamic_slice(x, self.starts, self.sizes)

    def read(self, x: Any) -> Any:
        return self.window(x)[self.index]

    def write(self, x: Any, value: Any) -> Any:
        if self.starts is None:
            return _assign(x, self.index, value)
        window = _assign(self.window(x), self.index, value)
        return lax.dynamic_update_slice(x, window, self.starts)


def _static_bounds(node: Apply) -> list[int]:
    """Return the inputs that a slice's length depends on."""
    return [
        position
        for entry, positions in bound_positions(node).items()
        if isinstance(node.op.idx_list[entry], slice)
        for position in positions
    ]


@lowers(MakeSlice, static=(0, 1, 2))
def make_slice(trace: Trace, node: Apply, *parts: Any) -> Any:
    """Make a slice."""
    return slice(*parts)


@lowers(Subtensor, static=_static_bounds)
def subtensor(trace: Trace, node: Apply, x: Any, *bounds: Any) -> Any:
    """Read a part of an array."""
    x = jnp.asarray(x)
    return _place(trace, node, x.shape, bounds).read(x)


@lowers(IncSubtensor, static=_static_bounds)
def inc_subtensor(trace: Trace, node: Apply, x: Any, y: Any, *bounds: Any) -> Any:
    """Set a part of an array, or add to it, by the rules of NumPy's assignment and ``+=``."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    place = _place(trace, node, x.shape, bounds)
    part = place.read(x)
    if node.op.set_instead_of_inc:
        return place.write(x, fit(trace, y, part.shape, strip=True).astype(x.dtype))
    if not np.can_cast(np.result_type(x.dtype, y.dtype), x.dtype, "same_kind"):
        trace.refuse(f"{y.dtype} cannot be added to {x.dtype} in place")
    return place.write(x, add(part, fit(trace, y, part.shape)))


def add(x: Any, y: Any) -> Any:
    """Return ``x + y`` in x's dtype, computed in the dtype that NumPy computes it in."""
    dtype = np.result_type(x.dtype, y.dtype)
    return (x.astype(dtype) + y.astype(dtype)).astype(x.dtype)


def _place(trace: Trace, node: Apply, shape: tuple[int, ...], bounds: tuple[Any, ...]) -> _Place:
    starts: list[Any] = [0] * len(shape)
    sizes, moves = list(shape), False
    index: list[int | slice] = []
    for axis, entry in enumerate(_indices(node.op.idx_list, iter(bounds))):
        if (node, axis) in trace.slices:
            starts[axis], sizes[axis] = trace.slices[node, axis]
            index.append(slice(None))
        elif isinstance(entry, slice):
            index.append(_known_slice(trace, entry))
            continue
        elif is_known(entry):
            index.append(int(wrap(trace, entry, shape[axis])))
            continue
        else:
            trusted = (node, axis) in trace.trusted
            starts[axis] = wrap(trace, entry, shape[axis], trusted=trusted)
            sizes[axis] = 1
            index.append(0)
            if shape[axis] == 0:
                trace.refuse("an index into an empty axis")
        moves = True
    if not moves:
        return _Place(None, tuple(sizes), tuple(index))
    return _Place(tuple(jnp.asarray(one, "int64") for one in starts), tuple(sizes), tuple(index))


def _indices(idx_list: Any, bounds: Iterator[Any]) -> Iterator[Any]:
    """Put the values of the bounds into the index list of an op."""

    def fill(part: Any) -> Any:
        return next(bounds) if isinstance(part, Type) else part

    for entry in idx_list:
        if isinstance(entry, slice):
            yield slice(fill(entry.start), fill(entry.stop), fill(entry.step))
        else:
            yield fill(entry)


def _known_slice(trace: Trace, entry: slice) -> slice:
    parts = [None if one is None else int(one) for one in (entry.start, entry.stop, entry.step)]
    if parts[2] == 0:
        trace.refuse("the step of a slice is zero")
    return slice(*parts)


def _assign(x: Any, index: tuple[int | slice, ...], value: Any) -> Any:
    """Return x with the part at a known index replaced by a value of that part's shape."""
    starts, sizes, flip = [], [], []
    entries = (*index, *[slice(None)] * (x.ndim - len(index)))
    for axis, (entry, size) in enumerate(zip(entries, x.shape, strict=True)):
        if not isinstance(entry, slice):
            starts.append(entry)
            sizes.append(1)
            continue
        numbers = range(*entry.indices(size))
        if abs(numbers.step) != 1 and len(numbers) > 1:
            return x.at[index].set(value, unique_indices=True)
        if numbers.step < 0:
            numbers = numbers[::-1]
            flip.append(axis)
        starts.append(numbers.start)
        sizes.append(len(numbers))
    if tuple(sizes) == x.shape and not flip:
        return value.reshape(x.shape)
    return lax.dynamic_update_slice(x, lax.rev(value.reshape(sizes), flip), starts)
