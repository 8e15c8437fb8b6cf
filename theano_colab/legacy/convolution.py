"""Convolution ops of the GPU backends as Theano's own, which every device computes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from theano import tensor
from theano.tensor.nnet import abstract_conv, conv2d, conv3d

if TYPE_CHECKING:
    from collections.abc import Callable


def GpuConv(border_mode: Any = "valid", subsample: Any = (1, 1), **ignored: Any) -> Any:
    """Return the op that convolves (img, kern)."""
    return _op(abstract_conv.AbstractConv2d, border_mode, subsample, flip=True)


def conv2d_fft(
    input: Any,
    filters: Any,
    image_shape: Any = None,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    pad_last_dim: bool = False,
) -> Any:
    """Convolve images with filters; how it is computed is the backend's choice."""
    return conv2d(input, filters, image_shape, filter_shape, border_mode)


def conv3d_fft(
    input: Any,
    filters: Any,
    image_shape: Any = None,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    pad_last_dim: bool = False,
) -> Any:
    """Convolve volumes with filters; how it is computed is the backend's choice."""
    return conv3d(input, filters, image_shape, filter_shape, border_mode)


def _correlation(kind: Any, axes: int) -> Callable[..., Any]:
    """Return the constructor of one of the old ops; options are those of Theano's own, ``kind``."""
    ones, nothing = (1,) * axes, (0,) * axes

    def make(
        border_mode: Any = "valid",
        subsample: Any = ones,
        filter_dilation: Any = ones,
        num_groups: int = 1,
        unshared: bool = False,
        pad: Any = nothing,
    ) -> Any:
        """Return the op; ``pad`` is the oldest name of a ``border_mode`` in numbers."""
        options = {"unshared": True} if unshared else {}  # which convolutions of volumes lack
        mode = border_mode if pad in (0, nothing) else pad
        return _op(kind, mode, subsample, filter_dilation, num_groups=num_groups, **options)

    return make


def _op(
    kind: Any,
    border_mode: Any,
    subsample: Any,
    dilation: Any = None,
    flip: bool = False,
    **options: Any,
) -> Callable[..., Any]:
    """Return what applies the op to arrays, wherever they lie, in order or by their names."""
    op = kind(
        border_mode=border_mode,
        subsample=tuple(subsample),
        filter_flip=flip,
        filter_dilation=tuple(dilation or (1,) * len(subsample)),
        **options,
    )
    signature = inspect.signature(op.make_node)

    def apply(*arrays: Any, **named: Any) -> Any:
        given = signature.bind_partial(*arrays, **named).arguments
        known = {
            name: tensor.as_tensor_variable(one) for name, one in given.items() if one is not None
        }
        if "shape" in signature.parameters and "shape" not in known:
            known["shape"] = tensor.as_tensor_variable(_sizes(op, *known.values()))
        return op(**known)

    return apply


def _sizes(op: Any, one: Any, topgrad: Any) -> list[Any]:
    """Return the sizes of what a gradient is for, as far as those of its arguments tell.

    Raises ValueError where they do not: if the filters moved by more than 1, and for filters if
    ``border_mode`` was "half".
    """
    for_filters = isinstance(op, abstract_conv.AbstractConv_gradWeights)
    if set(op.subsample) != {1} or (for_filters and op.border_mode == "half"):
        raise ValueError('shape must be given if subsample is not 1 or border_mode is "half"')
    sizes = []
    for axis, step in enumerate(op.filter_dilation, -op.convdim):
        size, out = one.shape[axis], topgrad.shape[axis]
        if for_filters:
            span = out - size if op.border_mode == "full" else size + _padding(op, axis, 0) - out
            sizes.append(span // step + 1)
        else:
            span = (size - 1) * step
            sizes.append(out + span - _padding(op, axis, span))
    return sizes


def _padding(op: Any, axis: int, span: Any) -> Any:
    """Return how much is added around an image; ``span`` is the filters' size there, less 1."""
    if isinstance(op.border_mode, tuple):
        pad = op.border_mode[axis]
        return sum(pad) if isinstance(pad, tuple) else 2 * pad
    return {"valid": 0, "half": (span + 1) // 2 * 2, "full": 2 * span}[op.border_mode]


# They take (img, kern), (img, topgrad, shape=None) and (kern, topgrad, shape=None).
GpuCorrMM = _correlation(abstract_conv.AbstractConv2d, 2)
GpuCorrMM_gradWeights = _correlation(abstract_conv.AbstractConv2d_gradWeights, 2)
GpuCorrMM_gradInputs = _correlation(abstract_conv.AbstractConv2d_gradInputs, 2)
GpuCorr3dMM = _correlation(abstract_conv.AbstractConv3d, 3)
GpuCorr3dMM_gradWeights = _correlation(abstract_conv.AbstractConv3d_gradWeights, 3)
GpuCorr3dMM_gradInputs = _correlation(abstract_conv.AbstractConv3d_gradInputs, 3)
