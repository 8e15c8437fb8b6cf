"""Ops that move arrays between the host and a device, and between devices."""

from __future__ import annotations

from typing import Any

import jax
import theano
from theano import Apply, Op, tensor
from theano.gof import local_optimizer
from theano.gradient import DisconnectedType
from theano.tensor.opt import register_canonicalize
from theano.tensor.type import TensorType

from theano_colab.xla import device
from theano_colab.xla.types import XlaType, fetch, put


class HostFromXla(Op):  # type: ignore[misc]  # Theano publishes no types
    """An array of a device as a NumPy array: waits for the device, and copies."""

    __props__ = ()

    def make_node(self, x: Any) -> Apply:
        """Take a variable on a device."""
        if not isinstance(x.type, XlaType):
            raise TypeError(x)
        return Apply(self, [x], [x.type.host()])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Copy."""
        outputs[0][0] = fetch(inputs[0])

    def L_op(self, inputs: list[Any], outputs: list[Any], grads: list[Any]) -> list[Any]:
        """Pass the gradient on as it is.

        It stays on the host, where it is a TensorType like every other gradient it is added to.
        """
        return [grads[0]]

    def R_op(self, inputs: list[Any], eval_points: list[Any]) -> list[Any]:
        """Move the direction as the value is moved."""
        (point,) = eval_points
        if point is None or isinstance(point.type, TensorType):
            return [point]
        return [self(point)]

    def infer_shape(self, *given: Any) -> list[Any]:
        """Keep the shape. Theano gives (node, shapes), Theano-PyMC the graph before them."""
        return given[-1]  # type: ignore[no-any-return]  # Theano publishes no types


class HostFromGpu(HostFromXla):
    """HostFromXla from a GPU."""


class XlaFromHost(Op):  # type: ignore[misc]  # Theano publishes no types
    """A NumPy array as an array on the device of a context."""

    __props__ = ("context_name",)

    def __init__(self, context_name: str | None) -> None:
        self.context_name = context_name

    def make_node(self, x: Any) -> Apply:
        """Take a tensor."""
        if not isinstance(x.type, TensorType):
            raise TypeError(x)
        out = XlaType(x.dtype, x.broadcastable, self.context_name)
        return Apply(self, [x], [out()])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Copy."""
        outputs[0][0] = put(inputs[0], device.get(self.context_name))

    def L_op(self, inputs: list[Any], outputs: list[Any], grads: list[Any]) -> list[Any]:
        """Bring the gradient back to the host."""
        (grad,) = grads
        if isinstance(grad.type, DisconnectedType | TensorType):
            return [grad]
        return [host_from(grad)]

    def R_op(self, inputs: list[Any], eval_points: list[Any]) -> list[Any]:
        """Move the direction as the value is moved."""
        (point,) = eval_points
        return [None if point is None else self(tensor.as_tensor_variable(point))]

    def infer_shape(self, *given: Any) -> list[Any]:
        """Keep the shape. Theano gives (node, shapes), Theano-PyMC the graph before them."""
        return given[-1]  # type: ignore[no-any-return]  # Theano publishes no types


class GpuFromHost(XlaFromHost):
    """XlaFromHost to a GPU."""


class XlaToXla(Op):  # type: ignore[misc]  # Theano publishes no types
    """An array of one device on the device of another context."""

    __props__ = ("context_name",)

    def __init__(self, context_name: str | None) -> None:
        self.context_name = context_name

    def make_node(self, x: Any) -> Apply:
        """Take a variable on a device."""
        if not isinstance(x.type, XlaType):
            raise TypeError(x)
        out = XlaType(x.type.dtype, x.type.broadcastable, self.context_name)
        return Apply(self, [x], [out()])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Copy, without the host where the devices can."""
        with device.x64():
            outputs[0][0] = jax.device_put(inputs[0], device.get(self.context_name).device)

    def L_op(self, inputs: list[Any], outputs: list[Any], grads: list[Any]) -> list[Any]:
        """Pass the gradient on, to the device that the input lies on."""
        (grad,) = grads
        if isinstance(grad.type, DisconnectedType):
            return [grad]
        return [to_device(grad, inputs[0].type.context_name)]

    def infer_shape(self, *given: Any) -> list[Any]:
        """Keep the shape. Theano gives (node, shapes), Theano-PyMC the graph before them."""
        return given[-1]  # type: ignore[no-any-return]  # Theano publishes no types


class GpuToGpu(XlaToXla):
    """XlaToXla between GPUs."""


def host_from(x: Any) -> Any:
    """Return the variable ``x`` of a device on the host; undo the transfer that put it there."""
    if x.owner is not None and isinstance(x.owner.op, XlaFromHost):
        return x.owner.inputs[0]
    return (HostFromGpu() if x.type.context.is_gpu else HostFromXla())(x)


def to_device(x: Any, name: str | None) -> Any:
    """Return the variable ``x`` on the device of this context, by the fewest transfers."""
    context = device.get(name)
    if isinstance(x.type, XlaType):
        if x.type.context_name == name:
            return x
        return (GpuToGpu(name) if context.is_gpu else XlaToXla(name))(x)
    x = tensor.as_tensor_variable(x)
    if x.owner is not None and isinstance(x.owner.op, HostFromXla):
        return to_device(x.owner.inputs[0], name)
    return (GpuFromHost(name) if context.is_gpu else XlaFromHost(name))(x)


def transfer(x: Any, target: str | None) -> Any:
    """Answer ``x.transfer(target)`` for contexts of this backend, None for other targets."""
    try:
        device.get(target)
    except device.ContextNotDefinedError:
        return None
    return to_device(x, target)


@register_canonicalize("fast_compile")  # type: ignore[untyped-decorator]  # Theano publishes no types
@local_optimizer([HostFromXla, HostFromGpu])  # type: ignore[untyped-decorator]  # likewise
def local_cut_round_trip(node: Apply) -> list[Any] | None:
    """Take out a transfer to a device and back.

    Scan puts both into a step that hands a shared variable on to a scan inside it. There they would
    keep the step from being lowered, and the host would carry them out in every step.
    """
    source = node.inputs[0].owner
    if source is None or not isinstance(source.op, XlaFromHost):
        return None
    return [source.inputs[0]] if source.inputs[0].type == node.outputs[0].type else None


def register_transfer() -> None:
    """Let ``.transfer()`` know this backend's contexts."""
    if transfer not in theano.tensor.basic.transfer._others:  # noqa: SLF001  # Theano has no other list
        theano.tensor.basic.register_transfer(transfer)
