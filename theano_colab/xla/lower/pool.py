"""Pooling over windows that may overlap, and its derivatives.

A window is taken apart into its *taps*: tap (i, j) of every window is one strided slice of the
padded images. What a window gives is folded over its taps in the order in which Theano's C code
goes through it: so NaN and ties come out alike, and XLA makes one loop of it. Windows that do not
overlap need no taps for the gradient: the images are cut into blocks.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from theano.tensor.signal import pool

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from theano import Apply

    from theano_colab.xla.trace import Trace

# Windows of more elements are left to the host: each of them is an operation in the compiled code.
_MOST_TAPS = 400


@dataclass(frozen=True, slots=True)
class _Windows:
    """Windows over the last axes of images; all tuples go by these axes."""

    images: tuple[int, ...]  # sizes of the axes that are pooled, without padding
    size: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    count: tuple[int, ...]  # how many windows there are

    @property
    def ndim(self) -> int:
        return len(self.size)

    def places(self) -> Iterator[tuple[int, ...]]:
        """Yield the taps' positions in a window, in C's order."""
        return itertools.product(*map(range, self.size))

    def inside(self, place: tuple[int, ...]) -> np.ndarray[Any, Any] | None:
        """Return which windows have this tap inside the images, None if all do."""
        axes = []
        for i, n, s, p, size in zip(
            place, self.count, self.stride, self.pad, self.images, strict=True
        ):
            where = np.arange(n) * s + i - p
            axes.append((where >= 0) & (where < size))
        if all(axis.all() for axis in axes):
            return None
        return functools.reduce(np.logical_and, np.meshgrid(*axes, indexing="ij", sparse=True))

    def lengths(self, *, padded: bool) -> np.ndarray[Any, Any]:
        """Return how many elements each window has, with the padding if ``padded``."""
        axes = []
        for n, s, k, p, size in zip(
            self.count, self.stride, self.size, self.pad, self.images, strict=True
        ):
            first = np.arange(n) * s - p
            low, high = (-p, size + p) if padded else (0, size)
            axes.append(np.minimum(first + k, high) - np.maximum(first, low))
        return functools.reduce(np.multiply, np.meshgrid(*axes, indexing="ij", sparse=True))

    def pick(self, x: Any, place: tuple[int, ...], fill: Any) -> Any:
        """Return one tap of all windows; ``fill`` stands where it is outside of the images."""
        config = [(0, 0, 0)] * (x.ndim - self.ndim)
        start, stop = [0] * (x.ndim - self.ndim), list(x.shape[: x.ndim - self.ndim])
        steps = [1] * (x.ndim - self.ndim)
        for i, n, s, p, size in zip(
            place, self.count, self.stride, self.pad, self.images, strict=True
        ):
            last = i + (n - 1) * s + 1
            config.append((p, max(0, last - p - size), 0))
            start.append(i)
            stop.append(last)
            steps.append(s)
        if any(low or high for low, high, _ in config):
            x = lax.pad(x, jnp.asarray(fill, x.dtype), config)
        return lax.slice(x, start, stop, steps)

    def put(self, values: Any, place: tuple[int, ...]) -> Any:
        """Return images of zeros with ``values`` where the windows have this tap."""
        config = [(0, 0, 0)] * (values.ndim - self.ndim)
        for i, n, s, p, size in zip(
            place, self.count, self.stride, self.pad, self.images, strict=True
        ):
            config.append((i - p, size - (i - p) - ((n - 1) * s + 1), s - 1))
        return lax.pad(values, jnp.asarray(0, values.dtype), config)

    @property
    def are_blocks(self) -> bool:
        """Whether the windows lie side by side, from the images' first element on."""
        return self.size == self.stride and not any(self.pad)

    def blocks(self, x: Any) -> Any:
        """Cut the images into blocks: the axes are then (..., windows, taps, windows, taps ...)."""
        config = [(0, 0, 0)] * (x.ndim - self.ndim)
        shape = list(x.shape[: x.ndim - self.ndim])
        for n, k, size in zip(self.count, self.size, self.images, strict=True):
            config.append((0, n * k - size, 0))
            shape += [n, k]
        if any(high for _, high, _ in config):
            x = lax.pad(x, jnp.asarray(0, x.dtype), config)
        return x.reshape(shape)

    def over_blocks(self, values: Any) -> Any:
        """Give the windows' values axes of size 1 for the taps."""
        batch = values.shape[: values.ndim - self.ndim]
        return values.reshape(*batch, *(size for n in self.count for size in (n, 1)))

    def from_blocks(self, blocks: Any) -> Any:
        """Put blocks together to images; what no window has is zero."""
        batch = blocks.shape[: blocks.ndim - 2 * self.ndim]
        whole = [n * k for n, k in zip(self.count, self.size, strict=True)]
        config = [(0, 0, 0)] * len(batch)
        config += [(0, size - n, 0) for n, size in zip(whole, self.images, strict=True)]
        images = blocks.reshape(*batch, *whole)
        return lax.pad(images, jnp.asarray(0, blocks.dtype), config)


def _windows(trace: Trace, node: Apply, x: Any, sizes: tuple[Any, Any, Any]) -> _Windows:
    """Return the windows of a node over ``x``, counted as Theano's C code does."""
    ndim, ignore_border = node.op.ndim, node.op.ignore_border
    size, stride, pad = (tuple(map(int, np.ravel(one))) for one in sizes)
    if not len(size) == len(stride) == len(pad) == ndim or (any(pad) and not ignore_border):
        trace.refuse(f"windows {size}, stride {stride}, padding {pad}")
    if min(stride) < 1 or min(size) < 1 or np.prod(size) > _MOST_TAPS:
        trace.refuse(f"windows of {size} with stride {stride}")
    images = x.shape[x.ndim - ndim :]
    count = []
    for n, k, s, p in zip(images, size, stride, pad, strict=True):
        whole = n + 2 * p
        if ignore_border:
            count.append((whole - k) // s + 1 if whole >= k else 0)
        else:
            count.append((whole - 1) // s + 1 if s >= k else max(0, (whole - 1 - k + s) // s) + 1)
    windows = _Windows(images, size, stride, pad, tuple(count))
    if 0 not in count and (windows.lengths(padded=False) < 1).any():
        trace.refuse("a window without elements")
    return windows


def _taps(windows: _Windows, x: Any, fill: Any) -> Iterator[tuple[tuple[int, ...], Any, Any]]:
    for place in windows.places():
        yield place, windows.inside(place), windows.pick(x, place, fill)


def _is_real(node: Apply) -> bool:
    return str(node.outputs[0].dtype) not in {"bool", "complex64", "complex128"}


def _wide(x: Any) -> Any:
    """Return float16 as float32, which sums are kept in."""
    x = jnp.asarray(x)
    return x.astype("float32") if x.dtype == "float16" else x


def _maximum(windows: _Windows, x: Any, payload: Any) -> tuple[Any, Any]:
    """Return the windows' maxima, and the payload's elements at their first places.

    As in C a NaN stays if it is a window's first element, and is passed over if it is another.
    """
    lowest = -np.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min
    best = at_best = started = None
    carried = itertools.repeat((None, None, None))
    if payload is not None:
        carried = _taps(windows, payload, 0)  # type: ignore[assignment]  # the same triples
    for (_, inside, tap), (_, _, other) in zip(_taps(windows, x, lowest), carried, strict=False):
        if best is None:
            best, at_best, started = tap, other, inside
            continue
        better = tap > best
        if started is not None:
            better |= ~started
            started = None if inside is None else started | inside
            started = None if started is None or started.all() else started
        best = jnp.where(better, tap, best)
        if payload is not None:
            at_best = jnp.where(better, other, at_best)
    return best, at_best


@lowers(pool.Pool, static=(1, 2, 3), accepts=_is_real)
def pool_(trace: Trace, node: Apply, x: Any, *sizes: Any) -> Any:
    """Return the maximum, sum or average of each window."""
    dtype, mode = node.outputs[0].dtype, node.op.mode
    x = jnp.asarray(x)
    windows = _windows(trace, node, x, sizes)
    if 0 in (*windows.count, *x.shape):
        return jnp.zeros((*x.shape[: x.ndim - windows.ndim], *windows.count), dtype)
    if mode == "max":
        return _maximum(windows, x, None)[0]
    total = _sums(windows, _wide(x))
    if mode == "sum":
        return total.astype(dtype)
    lengths = windows.lengths(padded=mode == "average_inc_pad")
    return _divide(total, lengths).astype(dtype)


def _sums(windows: _Windows, x: Any) -> Any:
    total = None
    for _, _, tap in _taps(windows, x, 0):
        total = tap if total is None else total + tap
    return total


def _divide(values: Any, lengths: np.ndarray[Any, Any]) -> Any:
    """Divide by numbers of elements; integers as C does, towards zero."""
    if jnp.issubdtype(values.dtype, jnp.floating):
        return values / jnp.asarray(lengths, values.dtype)
    return lax.div(values.astype("int64"), jnp.broadcast_to(jnp.asarray(lengths), values.shape))


@lowers(pool.MaxPoolRop, static=(2, 3, 4), accepts=_is_real)
def max_pool_rop(trace: Trace, node: Apply, x: Any, point: Any, *sizes: Any) -> Any:
    """Return the direction's elements where the windows' maxima are."""
    x, point = jnp.asarray(x), jnp.asarray(point)
    windows = _windows(trace, node, x, sizes)
    if point.shape != x.shape:
        trace.refuse("shapes")
    if 0 in (*windows.count, *x.shape):
        shape = (*x.shape[: x.ndim - windows.ndim], *windows.count)
        return jnp.zeros(shape, node.outputs[0].dtype)
    return _maximum(windows, x, point)[1]


@lowers(pool.MaxPoolGrad, static=(3, 4, 5), accepts=_is_real)
def max_pool_grad(trace: Trace, node: Apply, x: Any, best: Any, grad: Any, *sizes: Any) -> Any:
    """Give a window's gradient to every element that equals its maximum."""
    dtype = node.outputs[0].dtype
    x, best, grad = jnp.asarray(x), jnp.asarray(best), _wide(grad)
    windows = _windows(trace, node, x, sizes)
    _require_shape(trace, windows, x, best, grad)
    if 0 in (*windows.count, *x.shape):
        return jnp.zeros(x.shape, dtype)
    if windows.are_blocks:
        equal = windows.blocks(x) == windows.over_blocks(best)
        blocks = jnp.where(equal, windows.over_blocks(grad), 0)
        return windows.from_blocks(blocks).astype(dtype)
    total: Any = 0
    for place, inside, tap in _taps(windows, x, 0):
        equal = tap == best if inside is None else (tap == best) & inside
        total += windows.put(jnp.where(equal, grad, 0), place)
    return total.astype(dtype)


@lowers(pool.DownsampleFactorMaxGradGrad, static=(3, 4, 5), accepts=_is_real)
def max_pool_grad_grad(
    trace: Trace, node: Apply, x: Any, best: Any, point: Any, *sizes: Any
) -> Any:
    """Return, for each window, the sum of ``point`` over the elements that equal its maximum."""
    dtype = node.outputs[0].dtype
    x, best, point = jnp.asarray(x), jnp.asarray(best), _wide(point)
    windows = _windows(trace, node, x, sizes)
    _require_shape(trace, windows, x, best)
    if point.shape != x.shape:
        trace.refuse("shapes")
    if 0 in (*windows.count, *x.shape):
        return jnp.zeros(best.shape, dtype)
    total: Any = 0
    for place, inside, tap in _taps(windows, x, 0):
        equal = tap == best if inside is None else (tap == best) & inside
        total += jnp.where(equal, windows.pick(point, place, 0), 0)
    return total.astype(dtype)


@lowers(pool.AveragePoolGrad, static=(2, 3, 4), accepts=_is_real)
def average_pool_grad(trace: Trace, node: Apply, x: Any, grad: Any, *sizes: Any) -> Any:
    """Give a window's gradient to its elements, in equal parts unless they were only summed."""
    dtype, mode = node.outputs[0].dtype, node.op.mode
    x, grad = jnp.asarray(x), _wide(grad)
    windows = _windows(trace, node, x, sizes)
    _require_shape(trace, windows, x, grad)
    if mode == "average_exc_pad" and any(windows.pad):
        trace.refuse("padding must be zero for average_exc_pad")
    if 0 in (*windows.count, *x.shape):
        return jnp.zeros(x.shape, dtype)
    if mode != "sum":
        grad = _divide(grad, windows.lengths(padded=True)).astype(grad.dtype)
    if windows.are_blocks:
        shape = windows.blocks(x).shape
        return windows.from_blocks(jnp.broadcast_to(windows.over_blocks(grad), shape)).astype(dtype)
    total: Any = 0
    for place in windows.places():
        total += windows.put(grad, place)
    return total.astype(dtype)


def _require_shape(trace: Trace, windows: _Windows, x: Any, *pooled: Any) -> None:
    """Refuse what does not have the shape of the windows."""
    shape = (*x.shape[: x.ndim - windows.ndim], *windows.count)
    if any(one.shape != shape for one in pooled):
        trace.refuse(f"shapes {[one.shape for one in pooled]}, not {shape}")
