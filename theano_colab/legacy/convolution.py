"""Convolution ops of the GPU backends as Theano's own, which every device computes."""

from __future__ import annotations

from typing import Any

from theano.tensor.nnet import abstract_conv, conv2d, conv3d


def GpuCorrMM(
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_dilation: Any = (1, 1),
    pad: Any = None,
    num_groups: int = 1,
    **ignored: Any,
) -> Any:
    """Return the op that correlates (img, kern); ``pad`` is the oldest name of ``border_mode``."""
    return abstract_conv.AbstractConv2d(
        **_options(border_mode, subsample, filter_dilation, pad), num_groups=num_groups
    )


def GpuCorrMM_gradWeights(
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_dilation: Any = (1, 1),
    pad: Any = None,
    **ignored: Any,
) -> Any:
    """Return the op of its gradient for the filters: (img, topgrad, shape)."""
    return abstract_conv.AbstractConv2d_gradWeights(
        **_options(border_mode, subsample, filter_dilation, pad)
    )


def GpuCorrMM_gradInputs(
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_dilation: Any = (1, 1),
    pad: Any = None,
    **ignored: Any,
) -> Any:
    """Return the op of its gradient for the images: (kern, topgrad, shape)."""
    return abstract_conv.AbstractConv2d_gradInputs(
        **_options(border_mode, subsample, filter_dilation, pad)
    )


def GpuCorr3dMM(
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_dilation: Any = (1, 1, 1),
    pad: Any = None,
    num_groups: int = 1,
) -> Any:
    """Return the op that correlates (img, kern) in three dimensions."""
    return abstract_conv.AbstractConv3d(
        **_options(border_mode, subsample, filter_dilation, pad), num_groups=num_groups
    )


def GpuCorr3dMM_gradWeights(
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_dilation: Any = (1, 1, 1),
    pad: Any = None,
    **ignored: Any,
) -> Any:
    """Return the op of its gradient for the filters: (img, topgrad, shape)."""
    return abstract_conv.AbstractConv3d_gradWeights(
        **_options(border_mode, subsample, filter_dilation, pad)
    )


def GpuCorr3dMM_gradInputs(
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_dilation: Any = (1, 1, 1),
    pad: Any = None,
    **ignored: Any,
) -> Any:
    """Return the op of its gradient for the images: (kern, topgrad, shape)."""
    return abstract_conv.AbstractConv3d_gradInputs(
        **_options(border_mode, subsample, filter_dilation, pad)
    )


def GpuConv(border_mode: Any = "valid", subsample: Any = (1, 1), **ignored: Any) -> Any:
    """Return the op that convolves (img, kern)."""
    return abstract_conv.AbstractConv2d(border_mode=border_mode, subsample=subsample)


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


def _options(border_mode: Any, subsample: Any, dilation: Any, pad: Any) -> dict[str, Any]:
    return {
        "border_mode": border_mode if pad is None else pad,
        "subsample": tuple(subsample),
        "filter_dilation": tuple(dilation),
        "filter_flip": False,
    }
