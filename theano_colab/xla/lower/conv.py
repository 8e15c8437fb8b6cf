"""Convolutions in two and three dimensions, and their gradients.

The gradients are the transposes of the convolution, which is linear in the images and in the
filters: so they fit every stride, padding, dilation and grouping that it has. Images are (batch,
channels, rows, columns), filters (filters, channels of a group, rows, columns); filters of unshared
convolutions are (filters, output rows, output columns, channels of a group, rows, columns).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from theano.tensor.nnet import abstract_conv, conv, corr, corr3d

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theano import Apply

    from theano_colab.xla.trace import Trace

_FLOATS = frozenset(["float16", "float32", "float64"])


@dataclass(frozen=True, slots=True)
class _Conv:
    """A convolution: how the filters move over the images. ``mode`` is Theano's border_mode."""

    mode: Any
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    unshared: bool
    flip: bool

    @property
    def ndim(self) -> int:
        return len(self.strides)

    def pads(self, sizes: Sequence[int]) -> list[tuple[int, int]]:
        """Return the rows of zeros before and behind, by axis, for filters of these sizes."""
        wide = [(k - 1) * d + 1 for k, d in zip(sizes, self.dilation, strict=True)]
        return list(abstract_conv.border_mode_to_pad(self.mode, self.ndim, wide))

    def output_shape(
        self, trace: Trace, images: tuple[int, ...], filters: tuple[int, ...]
    ) -> tuple[int, ...]:
        """Return the shape of the output; shapes that do not fit are refused."""
        sizes = filters[-self.ndim :]
        channels = filters[-self.ndim - 1]
        if images[1] != channels * self.groups or filters[0] % self.groups:
            trace.refuse(f"{images} and {filters} do not fit in {self.groups} groups")
        shape = [
            (n + sum(pad) - (k - 1) * d - 1) // s + 1
            for n, k, d, s, pad in zip(
                images[2:], sizes, self.dilation, self.strides, self.pads(sizes), strict=True
            )
        ]
        if min(shape) < 0 or (self.unshared and filters[1 : 1 + self.ndim] != tuple(shape)):
            trace.refuse(f"filters of shape {filters} on images of shape {images}")
        return (images[0], filters[0], *shape)

    def apply(self, trace: Trace, images: Any, filters: Any) -> Any:
        """Convolve."""
        shape = self.output_shape(trace, images.shape, filters.shape)
        if 0 in (*shape, *filters.shape):
            return jnp.zeros(shape, images.dtype)
        if self.flip:
            filters = jnp.flip(filters, range(-self.ndim, 0))
        pads = self.pads(filters.shape[-self.ndim :])
        if self.unshared:
            return self._unshared(trace, jnp.pad(images, [(0, 0), (0, 0), *pads]), filters, shape)
        return lax.conv_general_dilated(
            images,
            filters,
            self.strides,
            pads,
            rhs_dilation=self.dilation,
            feature_group_count=self.groups,
            precision=trace.precision,
        )

    def _unshared(self, trace: Trace, images: Any, filters: Any, shape: tuple[int, ...]) -> Any:
        batch, count, *size = shape
        channels = filters.shape[-self.ndim - 1]
        filters = filters.reshape(self.groups, count // self.groups, *filters.shape[1:])
        total: Any = 0
        for place in itertools.product(*map(range, filters.shape[-self.ndim :])):
            start = [i * d for i, d in zip(place, self.dilation, strict=True)]
            stop = [i + (n - 1) * s + 1 for i, n, s in zip(start, size, self.strides, strict=True)]
            seen = lax.slice(
                images, (0, 0, *start), (*images.shape[:2], *stop), (1, 1, *self.strides)
            )
            total += jnp.einsum(
                "bgcyx,gfyxc->bgfyx",
                seen.reshape(batch, self.groups, channels, *size),
                filters[(..., *place)],
                precision=trace.precision,
            )
        return total.reshape(shape)

    def for_images(self, trace: Trace, filters: Any, grad: Any, shape: tuple[int, ...]) -> Any:
        """Return the gradient for images of this shape."""
        if not self.unshared and 0 not in grad.shape and self._ends_xla(filters.shape, grad.shape):
            return self._for_images_step_by_step(trace, filters, grad, shape)
        return self._transposed(
            trace, grad, shape, filters.shape, lambda images: self.apply(trace, images, filters)
        )

    def _ends_xla(self, filters: tuple[int, ...], grad: tuple[int, ...]) -> bool:
        """Tell whether XLA may end the process on the gradient for images.

        JAX 0.7.2's does (algebraic_simplifier.cc, "Window dimensions do not match RHS shape") where
        filters are as long as their stride along one axis and longer than the gradient along
        another; found by trying.
        """
        sizes = filters[-self.ndim :]
        wide = [(k - 1) * d + 1 for k, d in zip(sizes, self.dilation, strict=True)]
        return any(1 < k <= s for k, s in zip(wide, self.strides, strict=True)) and any(
            k > n for k, n in zip(wide, grad[2:], strict=True)
        )

    def _for_images_step_by_step(
        self, trace: Trace, filters: Any, grad: Any, shape: tuple[int, ...]
    ) -> Any:
        """Return the gradient for images, with the zeros between the windows put there before."""
        if self.output_shape(trace, shape, filters.shape) != grad.shape:
            trace.refuse(f"a gradient of shape {grad.shape} for images of shape {shape}")
        dense = replace(self, strides=(1,) * self.ndim)
        wanted = dense.output_shape(trace, shape, filters.shape)
        zeros = [
            (0, size - (n - 1) * s - 1, s - 1)
            for size, n, s in zip(wanted[2:], grad.shape[2:], self.strides, strict=True)
        ]
        spread = lax.pad(grad, jnp.asarray(0, grad.dtype), [(0, 0, 0), (0, 0, 0), *zeros])
        # XLA would put the zeros back into the convolution.
        spread = lax.optimization_barrier(spread)
        return dense.for_images(trace, filters, spread, shape)

    def for_filters(self, trace: Trace, images: Any, grad: Any, shape: tuple[int, ...]) -> Any:
        """Return the gradient for filters of this shape."""
        return self._transposed(
            trace, grad, shape, images.shape, lambda filters: self.apply(trace, images, filters)
        )

    def _transposed(
        self, trace: Trace, grad: Any, shape: tuple[int, ...], other: tuple[int, ...], linear: Any
    ) -> Any:
        wanted = jax.eval_shape(linear, jax.ShapeDtypeStruct(shape, grad.dtype)).shape
        if wanted != grad.shape:
            trace.refuse(f"a gradient of shape {grad.shape}, not {wanted}")
        if 0 in (*shape, *other, *grad.shape):
            return jnp.zeros(shape, grad.dtype)
        (result,) = jax.linear_transpose(linear, jax.ShapeDtypeStruct(shape, grad.dtype))(grad)
        return result


def _conv(op: Any) -> _Conv:
    """Return the convolution that an op, or an op's gradient, is."""
    if isinstance(op, conv.ConvOp):
        return _Conv(op.out_mode, (op.dx, op.dy), (1, 1), 1, False, True)
    return _Conv(
        op.border_mode,
        tuple(op.subsample),
        tuple(op.filter_dilation),
        op.num_groups,
        getattr(op, "unshared", False),
        # The Corr ops correlate: they do not turn the filters around.
        getattr(op, "filter_flip", False),
    )


def _is_float(node: Apply) -> bool:
    dtypes = {one.dtype for one in (*node.inputs[:2], *node.outputs)}
    return len(dtypes) == 1 and dtypes <= _FLOATS


def _is_float_with_shape(node: Apply) -> bool:
    """Tell whether a gradient says the shape that it is for, or does not need to."""
    return _is_float(node) and len(node.inputs) > 2  # noqa: PLR2004  # two arrays, and a shape


def _is_plain(node: Apply) -> bool:
    """Tell whether a ConvOp puts no zeros between rows: gradients of strided ones do."""
    op = node.op
    return _is_float(node) and op.imshp_logical == op.imshp and op.kshp_logical == op.kshp


def _inside(node: Apply, *arrays: Any) -> list[Any]:
    """Return the arrays in the dtype that is computed with: float32 for float16."""
    dtype = node.outputs[0].dtype
    return [jnp.asarray(one).astype("float32" if dtype == "float16" else dtype) for one in arrays]


def _shape_slots(node: Apply) -> range:
    return range(2, len(node.inputs))


@lowers(
    abstract_conv.AbstractConv2d,
    abstract_conv.AbstractConv3d,
    corr.CorrMM,
    corr3d.Corr3dMM,
    accepts=_is_float,
)
def convolve(trace: Trace, node: Apply, images: Any, filters: Any) -> Any:
    """Convolve."""
    images, filters = _inside(node, images, filters)
    return _conv(node.op).apply(trace, images, filters).astype(node.outputs[0].dtype)


@lowers(conv.ConvOp, accepts=_is_plain)
def conv_op(trace: Trace, node: Apply, images: Any, filters: Any) -> Any:
    """Convolve, if the shapes are those that were declared."""
    op = node.op
    declared = (op.bsize, *op.imshp, op.nkern, *op.kshp)
    found = (*images.shape, filters.shape[0], *filters.shape[2:])
    if any(one not in {None, other} for one, other in zip(declared, found, strict=True)):
        trace.refuse(f"shapes {found} were declared to be {declared}")
    return convolve(trace, node, images, filters)


@lowers(
    abstract_conv.AbstractConv2d_gradWeights,
    abstract_conv.AbstractConv3d_gradWeights,
    corr.CorrMM_gradWeights,
    corr3d.Corr3dMM_gradWeights,
    static=_shape_slots,
    accepts=_is_float_with_shape,
)
def for_filters(trace: Trace, node: Apply, images: Any, grad: Any, *sizes: Any) -> Any:
    """Return the gradient for the filters, whose sizes are given."""
    images, grad = _inside(node, images, grad)
    one = _conv(node.op)
    channels = images.shape[1] // one.groups
    here = grad.shape[2:] if one.unshared else ()
    shape = (grad.shape[1], *here, channels, *_numbers(sizes))
    return one.for_filters(trace, images, grad, shape).astype(node.outputs[0].dtype)


@lowers(
    abstract_conv.AbstractConv2d_gradInputs,
    abstract_conv.AbstractConv3d_gradInputs,
    corr.CorrMM_gradInputs,
    corr3d.Corr3dMM_gradInputs,
    static=_shape_slots,
    accepts=_is_float_with_shape,
)
def for_images(trace: Trace, node: Apply, filters: Any, grad: Any, *sizes: Any) -> Any:
    """Return the gradient for the images, whose sizes are given."""
    filters, grad = _inside(node, filters, grad)
    one = _conv(node.op)
    channels = filters.shape[-one.ndim - 1] * one.groups
    shape = (grad.shape[0], channels, *_numbers(sizes))
    return one.for_images(trace, filters, grad, shape).astype(node.outputs[0].dtype)


def _numbers(sizes: Sequence[Any]) -> list[int]:
    """Return a shape that is one vector, or numbers, as integers."""
    return [int(n) for one in sizes for n in np.atleast_1d(one)]
