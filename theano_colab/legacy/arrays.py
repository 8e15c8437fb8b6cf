"""Types, variables, transfers and values of the GPU backends, on the device that is in use.

On the CPU the same names give tensors: a type is a TensorType, and a transfer is its argument.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from theano import tensor
from theano.tensor.sharedvar import TensorSharedVariable, tensor_constructor

from . import device

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class _StandIn(type):
    """A class that is called to make what stands in for its instances today.

    isinstance tells whether something lies on a device: nothing does on the CPU.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.make(*args, **kwargs)

    def __instancecheck__(cls, one: object) -> bool:
        module, _, name = cls.present.rpartition(".")
        present = sys.modules.get(f"theano_colab.xla.{module}") if module else None
        if cls.present == "jax.Array":
            present, name = sys.modules.get("jax"), "Array"
        return present is not None and isinstance(one, getattr(present, name))


class GpuArrayType(metaclass=_StandIn):
    """The type of arrays on a device: XlaType, or TensorType on the CPU."""

    present = "types.XlaType"

    @staticmethod
    def make(
        dtype: str,
        broadcastable: Sequence[bool],
        context_name: str | None = None,
        name: str | None = None,
    ) -> Any:
        """Take what theano.gpuarray.GpuArrayType takes."""
        if context_name is None and device.context() is None:
            return tensor.TensorType(dtype, broadcastable, name)
        device.get_context(context_name)
        from theano_colab.xla.types import XlaType

        return XlaType(dtype, tuple(broadcastable), context_name, name)


class CudaNdarrayType(GpuArrayType):
    """The same for float32, the only dtype of the backend before."""

    @staticmethod
    def make(broadcastable: Sequence[bool], name: str | None = None, dtype: Any = None) -> Any:
        """Take what theano.sandbox.cuda.CudaNdarrayType took; raises TypeError as it did."""
        if dtype not in {None, "float32"}:
            raise TypeError(f"CudaNdarrayType has float32 only, not {dtype} (variable {name})")
        return GpuArrayType("float32", broadcastable, name=name)


class GpuArrayVariable(metaclass=_StandIn):
    """A variable on a device."""

    present = "types.XlaVariable"

    @staticmethod
    def make(type: Any, *args: Any, **kwargs: Any) -> Any:
        """Return a variable of the type."""
        return type.Variable(type, *args, **kwargs)


class GpuArrayConstant(metaclass=_StandIn):
    """A constant on a device."""

    present = "types.XlaConstant"

    @staticmethod
    def make(type: Any, *args: Any, **kwargs: Any) -> Any:
        """Return a constant of the type."""
        return type.Constant(type, *args, **kwargs)


class GpuArraySharedVariable(metaclass=_StandIn):
    """A shared variable on a device."""

    present = "types.XlaSharedVariable"

    @staticmethod
    def make(*args: Any, **kwargs: Any) -> Any:
        """Return a shared variable of the type that is named ``type``."""
        kind = kwargs["type"] if "type" in kwargs else args[1]
        return getattr(kind, "SharedVariable", TensorSharedVariable)(*args, **kwargs)


class CudaNdarray(metaclass=_StandIn):
    """A value on a device: a jax.Array of float32, or a NumPy array on the CPU."""

    present = "jax.Array"

    @staticmethod
    def make(value: Any) -> Any:
        """Copy ``value`` to the device."""
        array = np.array(value, dtype="float32")
        found = device.context()
        if found is None:
            return array
        from theano_colab.xla.types import put

        return put(array, found)

    @staticmethod
    def zeros(shape: Sequence[int]) -> Any:
        """Return zeros."""
        return CudaNdarray(np.zeros(shape))


class GpuFromHost(metaclass=_StandIn):
    """The op that moves an array to a device."""

    present = "transfer.XlaFromHost"

    @staticmethod
    def make(context_name: str | None = None) -> Callable[[Any], Any]:
        """Return what moves a variable to the device of the context."""
        return lambda x: as_gpuarray_variable(x, context_name)


class HostFromGpu(metaclass=_StandIn):
    """The op that moves an array to the computer's own memory."""

    present = "transfer.HostFromXla"

    @staticmethod
    def make() -> Callable[[Any], Any]:
        """Return what moves a variable to the host."""
        return host_from_gpu


class GpuContiguous(metaclass=_StandIn):
    """The op that made an array contiguous: arrays on a device always are."""

    present = ""

    @staticmethod
    def make() -> Callable[[Any], Any]:
        """Return what gives its argument."""
        return gpu_contiguous


def as_gpuarray_variable(x: Any, context_name: str | None = None) -> Any:
    """Return ``x`` on the device of the context; without a device, as a tensor."""
    if context_name is None and device.context() is None:
        return tensor.as_tensor_variable(x)
    device.get_context(context_name)
    from theano_colab.xla.transfer import to_device

    return to_device(x, context_name)


def gpu_from_host(x: Any) -> Any:
    """Return ``x`` on the device in use."""
    return as_gpuarray_variable(x)


def host_from_gpu(x: Any) -> Any:
    """Return ``x`` on the host."""
    return tensor.as_tensor_variable(x)


def gpu_contiguous(x: Any) -> Any:
    """Return ``x``."""
    return x if hasattr(x, "type") else tensor.as_tensor_variable(x)


def gpu_alloc_empty(*shape: Any) -> Any:
    """Return a float32 array of this shape with any content."""
    return tensor.AllocEmpty("float32")(*shape)


def GpuAllocEmpty(dtype: str = "float32", context_name: str | None = None) -> Any:  # the op's name
    """Return the op that makes an array of a shape with any content, where it is computed with."""
    return tensor.AllocEmpty(dtype)


def empty_of_context(ctx: str | None, dtype: str) -> Any:
    """Return the op that makes an array of a shape; gpuarray's way to call gpu_alloc_empty."""
    return GpuAllocEmpty(dtype, ctx)


def infer_context_name(*variables: Any) -> str | None:
    """Return the context that one of the variables lies in; None is the default one."""
    names = (getattr(one.type, "context_name", None) for one in variables)
    return next((name for name in names if name is not None), None)


def gpuarray_shared_constructor(
    value: Any,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    borrow: bool = False,
    broadcastable: Sequence[bool] | None = None,
    target: str | None = None,
) -> Any:
    """Return a shared variable on the device in use; raises TypeError if ``value`` is no array."""
    options = {"strict": strict, "allow_downcast": allow_downcast, "borrow": borrow}
    if target is None and device.context() is None:
        value = np.array(value, copy=not borrow or None)
        return tensor_constructor(value, name, broadcastable=broadcastable, **options)
    from theano_colab.xla.types import shared_constructor

    return shared_constructor(value, name, broadcastable=broadcastable, target=target, **options)


def float32_shared_constructor(
    value: Any,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    borrow: bool = False,
    broadcastable: Sequence[bool] | None = None,
    target: str = "gpu",
) -> Any:
    """Return the same for float32; raises TypeError for other dtypes, as it always did."""
    if str(getattr(value, "dtype", "")) != "float32":
        raise TypeError("float32 ndarray required")
    return gpuarray_shared_constructor(value, name, strict, allow_downcast, borrow, broadcastable)


def CudaNdarray_unpickler(value: Any) -> Any:  # the name that pickles hold
    """Return the NumPy array of a pickled value of the old backend."""
    return value


def GpuArray_unpickler(value: Any, context_name: str | None) -> Any:  # likewise
    """Return the NumPy array of a pickled value of theano.gpuarray."""
    return value


_PATTERNS = {
    "scalar": (),
    "vector": (False,),
    "matrix": (False, False),
    "row": (True, False),
    "col": (False, True),
    "tensor3": (False,) * 3,
    "tensor4": (False,) * 4,
}


def __getattr__(name: str) -> Any:
    """Give fmatrix, the type, and matrix, which makes a variable of it."""
    pattern = _PATTERNS.get(name.removeprefix("f"))
    if pattern is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _PATTERNS:
        return lambda name=None, dtype=None: CudaNdarrayType(pattern, dtype=dtype)(name)
    return CudaNdarrayType(pattern)
