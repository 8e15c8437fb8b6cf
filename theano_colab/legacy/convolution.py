"""Convolution ops of the GPU backends as Theano's own, which every device computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano import tensor
from theano.tensor.nnet import abstract_conv, conv2d, conv3d

if TYPE_CHECKING:
    from collections.abc import Callable


def GpuCorrMM(
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_dilation: Any = (1, 1),
    pad: Any = None,
    num_groups: int = 1,
    **ignored: Any,
) -> Any:
    """Return the op that correlates (img, kern); ``pad`` is the oldest name of ``border_mode``."""
    return _op(
        abstract_conv.AbstractConv2d,
        border_mode,
        subsample,
        filter_dilation,
        pad,
        num_groups=num_groups,
    )


def GpuCorrMM_gradWeights(
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_dilation: Any = (1, 1),
    pad: Any = None,
    **ignored: Any,
) -> Any:
    """Return the op of its gradient for the filters: (img, topgrad, shape)."""
    return _op(
        abstract_conv.AbstractConv2d_gradWeights, border_mode, subsample, filter_dilation, pad
    )


def GpuCorrMM_gradInputs(
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_dilation: Any = (1, 1),
    pad: Any = None,
    **ignored: Any,
) -> Any:
    """Return the op of its gradient for the images: (kern, topgrad, shape)."""
    return _op(
        abstract_conv.AbstractConv2d_gradInputs, border_mode, subsample, filter_dilation, pad
    )


def GpuCorr3dMM(
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_dilation: Any = (1, 1, 1),
    pad: Any = None,
    num_groups: int = 1,
) -> Any:
    """Return the op that correlates (img, kern) in three dimensions."""
    return _op(
        abstract_conv.AbstractConv3d,
        border_mode,
        subsample,
        filter_dilation,
        pad,
        num_groups=num_groups,
    )


def GpuCorr3dMM_gradWeights(
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_dilation: Any = (1, 1, 1),
    pad: Any = None,
    **ignored: Any,
) -> Any:
    """Return the op of its gradient for the filters: (img, topgrad, shape)."""
    return _op(
        abstract_conv.AbstractConv3d_gradWeights, border_mode, subsample, filter_dilation, pad
    )


def GpuCorr3dMM_gradInputs(
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_dilation: Any = (1, 1, 1),
    pad: Any = None,
    **ignored: Any,
) -> Any:
    """Return the op of its gradient for the images: (kern, topgrad, shape)."""
    return _op(
        abstract_conv.AbstractConv3d_gradInputs, border_mode, subsample, filter_dilation, pad
    )


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


def _op(
    kind: Any,
    border_mode: Any,
    subsample: Any,
    dilation: Any = None,
    pad: Any = None,
    flip: bool = False,
    **options: Any,
) -> Callable[..., Any]:
    """Return what applies the op to arrays, wherever they lie."""
    op = kind(
        border_mode=border_mode if pad is None else pad,
        subsample=tuple(subsample),
        filter_flip=flip,
        filter_dilation=tuple(dilation or (1,) * len(subsample)),
        **options,
    )
    return lambda *arrays: op(*map(tensor.as_tensor_variable, arrays))
