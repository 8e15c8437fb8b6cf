"""Softmax and cross-entropy of classes, their gradients, and nnet's columns before a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from theano.tensor.nnet import nnet

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


def _wide(x: Any) -> Any:
    """Return x in the dtype that Theano computes in: float32 for float16."""
    return jnp.asarray(x).astype("float32") if x.dtype == "float16" else jnp.asarray(x)


def _exponentials(x: Any) -> tuple[Any, Any, Any]:
    """Return ``x`` less its rows' greatest, its exponential, and that one's sums."""
    if not x.shape[1]:
        return x, x, jnp.ones((x.shape[0], 1), x.dtype)
    below = x - jnp.max(x, axis=1, keepdims=True)
    exponential = jnp.exp(below)
    return below, exponential, jnp.sum(exponential, axis=1, keepdims=True)


@lowers(nnet.Softmax)
def softmax(trace: Trace, node: Apply, x: Any) -> Any:
    """Softmax of each row."""
    _, exponential, total = _exponentials(_wide(x))
    return (exponential / total).astype(node.outputs[0].dtype)


@lowers(nnet.SoftmaxWithBias)
def softmax_with_bias(trace: Trace, node: Apply, x: Any, b: Any) -> Any:
    """Softmax of each row of ``x + b``."""
    if b.shape[0] != x.shape[1]:
        trace.refuse("sizes")
    return softmax(trace, node, _with_bias(x, b))


def _with_bias(x: Any, b: Any) -> Any:
    x = _wide(x)
    return x + jnp.asarray(b).astype(x.dtype)


@lowers(nnet.LogSoftmax)
def log_softmax(trace: Trace, node: Apply, x: Any) -> Any:
    """Logarithm of each row's softmax."""
    below, _, total = _exponentials(_wide(x))
    return (below - jnp.log(total)).astype(node.outputs[0].dtype)


@lowers(nnet.SoftmaxGrad)
def softmax_grad(trace: Trace, node: Apply, dy: Any, sm: Any) -> Any:
    """Gradient of a softmax with the value ``sm``."""
    if dy.shape != sm.shape:
        trace.refuse("sizes")
    product = _wide(dy) * _wide(sm)
    return (product - product.sum(axis=1, keepdims=True) * sm).astype(node.outputs[0].dtype)


@lowers(nnet.CrossentropySoftmaxArgmax1HotWithBias)
def crossentropy(trace: Trace, node: Apply, x: Any, b: Any, labels: Any) -> Any:
    """Negative log-likelihood of the labels, softmax, and the likeliest class of each row."""
    if b.shape[0] != x.shape[1] or labels.shape[0] != x.shape[0]:
        trace.refuse("sizes")
    labels = _checked(trace, labels, x.shape[1])
    x = _with_bias(x, b)
    below, exponential, total = _exponentials(x)
    chosen = _pick(below, labels)
    values = [
        jnp.log(total)[:, 0] - chosen,
        exponential / total,
        jnp.argmax(x, axis=1),
    ]
    return [one.astype(out.dtype) for one, out in zip(values, node.outputs, strict=True)]


@lowers(nnet.CrossentropySoftmax1HotWithBiasDx)
def crossentropy_grad(trace: Trace, node: Apply, dy: Any, sm: Any, labels: Any) -> Any:
    """Gradient of the negative log-likelihood by ``x``; ``dy`` is for all rows, or each has one."""
    if labels.shape[0] != sm.shape[0] or (dy.ndim and dy.shape[0] not in {1, sm.shape[0]}):
        trace.refuse("sizes")
    labels = _checked(trace, labels, sm.shape[1])
    hot = labels[:, None] == np.arange(sm.shape[1], dtype=labels.dtype)
    dx = jnp.asarray(dy).reshape(-1, 1) * (_wide(sm) - hot)
    return dx.astype(node.outputs[0].dtype)


@lowers(nnet.CrossentropyCategorical1Hot)
def categorical(trace: Trace, node: Apply, coding: Any, labels: Any) -> Any:
    """Negative logarithm of each label's probability."""
    labels = _checked(trace, labels, coding.shape[1], from_end=True)
    return (-jnp.log(_pick(_wide(coding), labels))).astype(node.outputs[0].dtype)


@lowers(nnet.CrossentropyCategorical1HotGrad)
def categorical_grad(trace: Trace, node: Apply, dy: Any, coding: Any, labels: Any) -> Any:
    """Gradient of the negative logarithm of each label's probability by the probabilities."""
    labels = _checked(trace, labels, coding.shape[1], from_end=True)
    hot = labels[:, None] == np.arange(coding.shape[1], dtype=labels.dtype)
    return jnp.where(hot, -_wide(dy)[:, None] / coding, 0).astype(node.outputs[0].dtype)


def _pick(rows: Any, labels: Any) -> Any:
    """Return the value of each row at its label; labels were checked."""
    places = jnp.asarray(labels)[:, None]
    return jnp.take_along_axis(rows, places, axis=1, mode="promise_in_bounds")[:, 0]


def _checked(trace: Trace, labels: Any, classes: int, *, from_end: bool = False) -> Any:
    """Return labels in int32; negative ones are out of bounds, or count from the end."""
    if labels.dtype != "int32":
        labels = labels.astype("int64")
    within = (labels >= (-classes if from_end else 0)) & (labels < classes)
    trace.check(within.all())
    labels = labels.astype("int32")
    return jnp.where(labels < 0, labels + classes, labels) if from_end else labels


@lowers(nnet.Prepend_scalar_constant_to_each_row, accepts=lambda node: hasattr(node.op.val, "data"))
def prepend_constant(trace: Trace, node: Apply, x: Any) -> Any:
    """Put a column with one value before a matrix."""
    return jnp.pad(x, ((0, 0), (1, 0)), constant_values=node.op.val.data.astype(x.dtype))


@lowers(nnet.Prepend_scalar_to_each_row)
def prepend(trace: Trace, node: Apply, value: Any, x: Any) -> Any:
    """Put a column with one value before a matrix."""
    value = jnp.asarray(value).astype(x.dtype)
    return jnp.concatenate([jnp.broadcast_to(value, (x.shape[0], 1)), x], axis=1)
