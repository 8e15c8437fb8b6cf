"""Batch normalization, as Theano documents it in nnet.bn; means are summed in float64."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from theano.tensor.nnet import bn

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


def _total(x: Any, axes: tuple[int, ...]) -> Any:
    return jnp.sum(x, axes, "float64", keepdims=True).astype(x.dtype)


def _mean(x: Any, axes: tuple[int, ...]) -> Any:
    count = math.prod(x.shape[axis] for axis in axes)
    return (jnp.sum(x, axes, "float64", keepdims=True) / count).astype(x.dtype)


def _arrays(trace: Trace, node: Apply, *args: Any) -> list[Any]:
    """Return arguments in the dtype of the first output; statistics need axes of size 1."""
    dtype, axes = node.outputs[0].dtype, node.op.axes
    if min(axes) < 0 or max(axes) >= node.outputs[0].ndim:
        trace.refuse(f"axes {axes}")
    return [jnp.asarray(one).astype(dtype) for one in args]


def _require_statistics(trace: Trace, x: Any, axes: tuple[int, ...], *arrays: Any) -> None:
    shape = tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))
    if any(one.shape != shape for one in arrays):
        trace.refuse(f"shapes {[one.shape for one in arrays]}, not {shape}")


def _is_float(node: Apply) -> bool:
    return node.outputs[0].dtype in {"float32", "float64"}


@lowers(bn.AbstractBatchNormTrain, accepts=_is_float)
def train(trace: Trace, node: Apply, *args: Any) -> list[Any]:
    """Normalize by the batch's own statistics, and move the running averages towards them."""
    x, scale, bias, epsilon, factor, *running = _arrays(trace, node, *args)
    axes = node.op.axes
    _require_statistics(trace, x, axes, scale, bias, *running)
    mean = _mean(x, axes)
    var = _mean((x - mean) ** 2, axes)
    invstd = 1 / jnp.sqrt(var + epsilon)
    results = [(x - mean) * (scale * invstd) + bias, mean, invstd]
    for old, new in zip(running, (mean, _unbiased(var, x.size / scale.size)), strict=False):
        results.append(old * (1 - factor) + new * factor)
    return results


def _unbiased(var: Any, count: float) -> Any:
    return var * (jnp.asarray(count, var.dtype) / jnp.asarray(count - 1, var.dtype))


@lowers(bn.AbstractBatchNormInference, accepts=_is_float)
def inference(trace: Trace, node: Apply, *args: Any) -> Any:
    """Normalize by given statistics."""
    x, scale, bias, mean, var, epsilon = _arrays(trace, node, *args)
    _require_statistics(trace, x, node.op.axes, scale, bias, mean, var)
    return (x - mean) * (scale / jnp.sqrt(var + epsilon)) + bias


@lowers(bn.AbstractBatchNormTrainGrad, accepts=_is_float)
def train_grad(trace: Trace, node: Apply, *args: Any) -> list[Any]:
    """Return the gradients for x, scale and bias."""
    x, dy, scale, mean, invstd, _ = _arrays(trace, node, *args)
    axes = node.op.axes
    _require_statistics(trace, x, axes, scale, mean, invstd)
    if dy.shape != x.shape:
        trace.refuse(f"shapes {dy.shape} and {x.shape}")
    difference = x - mean
    c = dy * invstd - difference * (_mean(dy * difference, axes) * invstd**3)
    return [
        scale * (c - _mean(c, axes)),
        _total(dy * invstd * difference, axes),
        _total(dy, axes),
    ]
