"""Conv3D and its gradients, whose volumes had the channels last, by Theano's convolution of today.

Shapes: volumes (batch, rows, columns, time, channels), filters (filters, rows, columns, time,
channels), strides ``d`` three integers. Filters are not flipped. Source: the documentation of
theano.tensor.nnet.Conv3D in Theano 0.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano import tensor
from theano.tensor.nnet import abstract_conv

if TYPE_CHECKING:
    from collections.abc import Callable

_TO_FRONT, _TO_BACK = (0, 4, 1, 2, 3), (0, 2, 3, 4, 1)


def conv3D(V: Any, W: Any, b: Any, d: Any) -> Any:  # the names it always had
    """Correlate the volumes V with the filters W, and add the bias b, one number per filter."""
    op = abstract_conv.AbstractConv3d(subsample=_strides(d), filter_flip=False)
    result = op(_front(V), _front(W))
    return result.dimshuffle(*_TO_BACK) + tensor.as_tensor_variable(b)


def convGrad3D(V: Any, d: Any, WShape: Any, dCdH: Any) -> Any:
    """Return the gradient of ``conv3D`` for W, which has the shape WShape; dCdH is its output's."""
    op = abstract_conv.AbstractConv3d_gradWeights(subsample=_strides(d), filter_flip=False)
    shape = tensor.as_tensor_variable(WShape)
    return op(_front(V), _front(dCdH), shape[1:4]).dimshuffle(*_TO_BACK)


def convTransp3D(W: Any, b: Any, d: Any, H: Any, RShape: Any = None) -> Any:
    """Return the gradient of ``conv3D`` for V, plus a bias b, one number per channel.

    RShape is the size (rows, columns, time) of the result, the smallest possible where it is None
    or negative.
    """
    W, H = tensor.as_tensor_variable(W), tensor.as_tensor_variable(H)
    strides = _strides(d)
    smallest = (H.shape[1:4] - 1) * tensor.as_tensor_variable(strides) + W.shape[1:4]
    if RShape is None:
        shape = smallest
    else:
        asked = tensor.as_tensor_variable(RShape)
        shape = tensor.switch(asked < 0, smallest, asked)
    op = abstract_conv.AbstractConv3d_gradInputs(subsample=strides, filter_flip=False)
    result = op(_front(W), _front(H), tensor.cast(shape, "int64"))
    return result.dimshuffle(*_TO_BACK) + tensor.as_tensor_variable(b)


def Conv3D() -> Callable[..., Any]:
    """Return ``conv3D``, which was an instance of this op."""
    return conv3D


def ConvGrad3D() -> Callable[..., Any]:
    """Return ``convGrad3D``, which was an instance of this op."""
    return convGrad3D


def ConvTransp3D() -> Callable[..., Any]:
    """Return ``convTransp3D``, which was an instance of this op."""
    return convTransp3D


def _front(x: Any) -> Any:
    return tensor.as_tensor_variable(x).dimshuffle(*_TO_FRONT)


def _strides(d: Any) -> tuple[int, ...]:
    """Return the strides as integers; raises ValueError where they are not known yet."""
    vector = tensor.as_tensor_variable(d)
    try:
        return tuple(int(tensor.get_scalar_constant_value(vector[k])) for k in range(3))
    except tensor.NotScalarConstantError:
        raise ValueError(
            "the strides of conv3D must be integers, not variables; today's "
            "theano.tensor.nnet.conv3d fixes them when the graph is built"
        ) from None
