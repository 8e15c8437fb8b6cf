"""cuDNN's functions of theano.sandbox.cuda.dnn and theano.gpuarray.dnn, on any device.

They are written with Theano's own functions, which the backend in use compiles; on a GPU XLA calls
cuDNN where that is best. ``algo``, ``workmem``, ``precision`` and ``direction_hint`` chose among
implementations and are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano import Variable, tensor
from theano.tensor.nnet import abstract_conv, bn, conv2d, conv3d, logsoftmax, softmax
from theano.tensor.signal.pool import pool_2d, pool_3d

from . import device

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_POOLS = {"average": "average_inc_pad", "max_deterministic": "max"}


def dnn_available(context_name: str | None = None) -> bool:
    """Tell whether a GPU is in use; where none is, ``dnn_available.msg`` says so."""
    available = bool(device.in_use)
    dnn_available.msg = "" if available else "no GPU is in use"
    dnn_available.avail = available
    return available


dnn_available.msg = None
dnn_available.avail = None


def version(raises: bool = True) -> int:
    """Return the version of cuDNN that XLA brings (9100 for 9.1.0), or -1 without ``raises``.

    Raises RuntimeError where no GPU is in use.
    """
    if dnn_available():
        from importlib.metadata import distributions

        for one in distributions():
            if (one.name or "").startswith("nvidia-cudnn"):
                major, minor, patch = [*one.version.split("."), "0", "0"][:3]
                return int(major) * 1000 + int(minor) * 100 + int(patch)
    if raises:
        raise RuntimeError(
            "cuDNN's version is not known: no GPU is in use, or its wheel is missing"
        )
    return -1


def dnn_conv(
    img: Any,
    kerns: Any,
    border_mode: Any = "valid",
    subsample: Any = None,
    dilation: Any = None,
    conv_mode: str = "conv",
    direction_hint: Any = None,
    workmem: Any = None,
    algo: Any = None,
    precision: Any = None,
    num_groups: int = 1,
) -> Any:
    """Convolve (``conv_mode="conv"``) or correlate ("cross") images with filters, 4-D or 5-D.

    Shapes: (batch, channels, *size) and (filters, channels / num_groups, *size).
    """
    # Before 1.0 conv_mode stood where dilation does now.
    if isinstance(dilation, str):
        conv_mode, dilation = dilation, None
    ones = (1,) * (img.ndim - 2)
    function = conv2d if img.ndim == 4 else conv3d
    return function(
        img,
        kerns,
        border_mode=border_mode,
        subsample=subsample or ones,
        filter_flip=_flips(conv_mode),
        filter_dilation=dilation or ones,
        num_groups=num_groups,
    )


dnn_conv3d = dnn_conv


def dnn_gradweight(
    img: Any,
    topgrad: Any,
    kerns_shp: Sequence[Any],
    border_mode: Any = "valid",
    subsample: Any = None,
    dilation: Any = None,
    conv_mode: str = "conv",
    precision: Any = None,
    algo: Any = None,
    num_groups: int = 1,
    **ignored: Any,
) -> Any:
    """Return the gradient of ``dnn_conv`` for its filters, which have the shape ``kerns_shp``."""
    ops = abstract_conv.AbstractConv2d_gradWeights, abstract_conv.AbstractConv3d_gradWeights
    op = _gradient(ops, img.ndim, border_mode, subsample, dilation, conv_mode, num_groups)
    img, topgrad = map(tensor.as_tensor_variable, (img, topgrad))
    return op(img, topgrad, tensor.as_tensor_variable(kerns_shp)[2:])


def dnn_gradinput(
    kerns: Any,
    topgrad: Any,
    img_shp: Sequence[Any],
    border_mode: Any = "valid",
    subsample: Any = None,
    dilation: Any = None,
    conv_mode: str = "conv",
    precision: Any = None,
    algo: Any = None,
    num_groups: int = 1,
    **ignored: Any,
) -> Any:
    """Return the gradient of ``dnn_conv`` for its images, which have the shape ``img_shp``."""
    ops = abstract_conv.AbstractConv2d_gradInputs, abstract_conv.AbstractConv3d_gradInputs
    op = _gradient(ops, kerns.ndim, border_mode, subsample, dilation, conv_mode, num_groups)
    kerns, topgrad = map(tensor.as_tensor_variable, (kerns, topgrad))
    return op(kerns, topgrad, tensor.as_tensor_variable(img_shp)[2:])


def dnn_pool(img: Any, ws: Any, stride: Any = None, mode: str = "max", pad: Any = None) -> Any:
    """Pool over windows of the 2 or 3 sizes ``ws``, which move by ``stride`` (1 for None).

    ``ws``, ``stride`` and ``pad`` are integers, variables among them, or a variable: a vector.
    """
    axes = img.ndim - 2
    function = pool_2d if axes == 2 else pool_3d
    return function(
        img,
        _numbers(ws),
        ignore_border=True,
        stride=_numbers((1,) * axes if stride is None else stride),
        pad=_numbers((0,) * axes if pad is None else pad),
        mode=_POOLS.get(mode, mode),
    )


def _numbers(given: Any) -> Any:
    """Return a tuple, whose numbers Pool compares at once, or a variable, where one is among them.

    Pool cannot compare a number with a variable.
    """
    if isinstance(given, Variable) or any(isinstance(one, Variable) for one in given):
        return tensor.as_tensor_variable(given)
    return tuple(given)


def GpuDnnPool(mode: str = "max") -> Callable[..., Any]:  # the op's name
    """Return what pools as the op did: ``(img, ws, stride, pad)``."""
    return lambda img, ws, stride=None, pad=None: dnn_pool(img, ws, stride, mode, pad)


def GpuDnnSoftmax(*options: str) -> Callable[[Any], Any]:  # the op's name
    """Return a softmax of images: over channels ("channel") or over all of one ("instance").

    ``options`` are cuDNN's, among them "log" for its logarithm, in any order.
    """
    function = logsoftmax if "log" in options else softmax

    def apply(x: Any) -> Any:
        if "instance" in options:
            return function(x.flatten(2)).reshape(x.shape)
        if x.ndim == 2:
            return function(x)
        last = (0, *range(2, x.ndim), 1)
        moved = x.dimshuffle(last)
        # Counted, as -1 says nothing where there are no channels.
        rows = tensor.prod([moved.shape[axis] for axis in range(x.ndim - 1)])
        result = function(moved.reshape((rows, x.shape[1]))).reshape(moved.shape, ndim=x.ndim)
        return result.dimshuffle(0, x.ndim - 1, *range(1, x.ndim - 1))

    return apply


def dnn_batch_normalization_train(
    inputs: Any, gamma: Any, beta: Any, mode: str = "per-activation", *args: Any, **kwargs: Any
) -> Any:
    """Call theano.tensor.nnet.bn.batch_normalization_train, which has ``axes`` for ``mode``."""
    return bn.batch_normalization_train(inputs, gamma, beta, mode, *args, **kwargs)


def dnn_batch_normalization_test(
    inputs: Any,
    gamma: Any,
    beta: Any,
    mean: Any,
    var: Any,
    mode: str = "per-activation",
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Call theano.tensor.nnet.bn.batch_normalization_test, which has ``axes`` for ``mode``."""
    return bn.batch_normalization_test(inputs, gamma, beta, mean, var, mode, *args, **kwargs)


def _gradient(
    ops: tuple[Any, Any],
    ndim: int,
    border_mode: Any,
    subsample: Any,
    dilation: Any,
    mode: str,
    num_groups: int,
) -> Any:
    # Before 1.0 conv_mode stood where dilation does now.
    if isinstance(dilation, str):
        mode, dilation = dilation, None
    ones = (1,) * (ndim - 2)
    return ops[ndim - 4](
        border_mode=border_mode,
        subsample=subsample or ones,
        filter_flip=_flips(mode),
        filter_dilation=dilation or ones,
        num_groups=num_groups,
    )


def _flips(conv_mode: str) -> bool:
    if conv_mode not in {"conv", "cross"}:
        raise ValueError(f"conv_mode must be 'conv' or 'cross', not {conv_mode!r}")
    return conv_mode == "conv"
