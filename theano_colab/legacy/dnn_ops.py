"""cuDNN's convolution ops with their descriptors, as code that made its own layers called them.

The transpose of a convolution ("deconv") was written with them before Theano had one:
GpuDnnConvGradI with an empty array for its result. The calls are those of Theano 0.7 to 1.0;
``algo``, ``workmem``, ``precision`` and ``inplace`` chose among implementations and are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from . import dnn

if TYPE_CHECKING:
    from collections.abc import Callable


class _Descriptor(NamedTuple):
    border_mode: Any
    subsample: Any
    dilation: Any
    conv_mode: str
    num_groups: int


def GpuDnnConvDesc(
    border_mode: Any = "valid",
    subsample: Any = None,
    dilation: Any = None,
    conv_mode: str = "conv",
    precision: Any = None,
    num_groups: int = 1,
) -> Callable[..., _Descriptor]:  # the op's name
    """Return what gives a convolution's descriptor, whatever shapes it is called with."""
    # Before 1.0 conv_mode stood where dilation does now.
    if isinstance(dilation, str):
        conv_mode, dilation = dilation, None
    return lambda *shapes: _Descriptor(border_mode, subsample, dilation, conv_mode, num_groups)


def GpuDnnConv(*args: Any, **ignored: Any) -> Callable[..., Any]:  # the op's name
    """Return what convolves: ``(img, kerns, output, desc, alpha, beta)``.

    The result is ``alpha`` times the convolution and ``beta`` times ``output``. Theano 0.7 began
    without ``output``.
    """

    def apply(
        img: Any, kerns: Any, output: Any, desc: Any = None, alpha: Any = None, beta: Any = None
    ) -> Any:
        if isinstance(output, _Descriptor):
            return dnn.dnn_conv(img, kerns, **output._asdict())
        return _sum(dnn.dnn_conv(img, kerns, **desc._asdict()), output, alpha, beta)

    return apply


def GpuDnnConvGradW(*args: Any, **ignored: Any) -> Callable[..., Any]:  # the op's name
    """Return the gradient for the filters: ``(img, topgrad, output, desc, alpha, beta)``.

    ``output`` has the shape of the filters. Theano 0.7 began with ``(img, topgrad, desc, height,
    width)``.
    """
    return _gradient(dnn.dnn_gradweight)


def GpuDnnConvGradI(*args: Any, **ignored: Any) -> Callable[..., Any]:  # the op's name
    """Return the gradient for the images: ``(kerns, topgrad, output, desc, alpha, beta)``.

    ``output`` has the shape of the images. Theano 0.7 began with ``(kerns, topgrad, desc, height,
    width)``.
    """
    return _gradient(dnn.dnn_gradinput)


def _gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(
        one: Any, topgrad: Any, output: Any, desc: Any = None, alpha: Any = None, beta: Any = None
    ) -> Any:
        if isinstance(output, _Descriptor):
            size = desc, alpha
            return function(one, topgrad, (0, 0, *size), **output._asdict())  # zeros: not read
        return _sum(function(one, topgrad, output.shape, **desc._asdict()), output, alpha, beta)

    return apply


def _sum(result: Any, output: Any, alpha: Any, beta: Any) -> Any:
    """Return ``alpha * result + beta * output``; None stands for 1 and for 0.

    Where ``beta`` is 0, ``output`` is empty memory and may hold NaN, which 0 does not take away.
    """
    if alpha is not None:
        result = alpha * result
    return result if beta in (None, 0) else result + beta * output
