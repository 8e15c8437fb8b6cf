"""Arrays on a device as a Theano type, with its variables, constants and shared variables."""

from __future__ import annotations

import copyreg
from typing import Any, NoReturn

import jax
import numpy as np
import theano
from theano import tensor
from theano.gof import Constant, Type, Variable
from theano.gof.utils import MethodNotDefined
from theano.tensor.sharedvar import TensorSharedVariable
from theano.tensor.type import TensorType
from theano.tensor.var import TensorConstantSignature, _tensor_py_operators

from theano_colab.xla import device

# What XLA computes with, in Theano's names.
DTYPES = frozenset(
    [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ]
)


class XlaType(Type):  # type: ignore[misc]  # Theano publishes no types
    """The type of arrays of one dtype and broadcast pattern on the device of one context.

    Values are ``jax.Array``. They never change: what Theano would do in place makes a new array, so
    nothing that was handed out is an alias of what a shared variable holds.
    """

    def __init__(
        self,
        dtype: str,
        broadcastable: tuple[bool, ...],
        context_name: str | None = None,
        name: str | None = None,
    ) -> None:
        self.dtype = str(dtype)
        self.broadcastable = tuple(bool(one) for one in broadcastable)
        self.ndim = len(self.broadcastable)
        self.context_name = context_name
        self.name = name
        self.numpy_dtype = np.dtype(self.dtype)
        self._host = TensorType(self.dtype, self.broadcastable)
        device.get(context_name)
        if self.dtype not in DTYPES:
            raise TypeError(f"XLA has no arrays of dtype {self.dtype}")

    @property
    def context(self) -> device.Context:
        """The context whose device holds the values."""
        return device.get(self.context_name)

    @property
    def host(self) -> TensorType:
        """The same type in the computer's own memory."""
        return self._host

    def clone(
        self, dtype: str | None = None, broadcastable: tuple[bool, ...] | None = None
    ) -> XlaType:
        """Return this type with another dtype or pattern."""
        pattern = self.broadcastable if broadcastable is None else broadcastable
        return type(self)(dtype or self.dtype, pattern, self.context_name, self.name)

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """Return ``data`` as an array on the device, converted by TensorType's rules.

        NumPy arrays are copied. Raises TypeError for what does not fit.
        """
        if isinstance(data, jax.Array):
            if data.dtype == self.numpy_dtype and self._fits(data) and self._is_here(data):
                return data
            if strict:
                raise TypeError(f"{self} expected another array than {data.aval}")
            data = np.asarray(data)
        elif strict:
            raise TypeError(f"{self} expected an array on the device, not {type(data)}")
        return put(self._host.filter(data, False, allow_downcast), self.context)

    def _fits(self, data: jax.Array) -> bool:
        return data.ndim == self.ndim and all(
            size == 1
            for size, broadcasts in zip(data.shape, self.broadcastable, strict=True)
            if broadcasts
        )

    def _is_here(self, data: jax.Array) -> bool:
        return bool(data.devices() == {self.context.device})

    def filter_variable(self, other: Any, allow_convert: bool = True) -> Variable:
        """Return ``other`` as a variable of this type, transferred and made to broadcast alike."""
        if not isinstance(other, Variable):
            other = self.Constant(type=self, data=self.filter(other))
        if other.type == self:
            return other
        if not isinstance(other.type, TensorType | XlaType):
            raise TypeError("Incompatible type", (self, other.type))
        if other.type.dtype != self.dtype:
            raise TypeError("Incompatible dtype", (self.dtype, other.type.dtype))
        if other.type.ndim != self.ndim:
            raise TypeError(
                f"Incompatible number of dimensions: expected {self.ndim}, got {other.ndim}"
            )
        if other.type.broadcastable != self.broadcastable:
            kept = other.type.clone(broadcastable=self.broadcastable)
            converted = kept.convert_variable(other) if allow_convert else None
            if converted is None:
                raise TypeError(
                    "Incompatible broadcastable dimensions: expected "
                    f"{self.broadcastable}, got {other.type.broadcastable}"
                )
            other = converted
        return other if other.type == self else other.transfer(self.context_name)

    def convert_variable(self, var: Variable) -> Variable | None:
        """Return ``var`` with this type's pattern if only its pattern is more general."""
        of = var.type
        if (
            type(of) is type(self)
            and (of.dtype, of.ndim, of.context_name) == (self.dtype, self.ndim, self.context_name)
            and all(
                mine == its or its
                for mine, its in zip(self.broadcastable, of.broadcastable, strict=True)
            )
        ):
            return tensor.patternbroadcast(var, self.broadcastable).transfer(self.context_name)
        return None

    @staticmethod
    def fetch_output(variable: Any) -> Any:
        """Return what a function gives for an output of this type: the same on the host.

        What the user transferred stays on the device.
        """
        from theano_colab.xla.transfer import XlaFromHost, XlaToXla, host_from

        owner = variable.owner
        kept = owner is not None and isinstance(owner.op, XlaFromHost | XlaToXla)
        return variable if kept else host_from(variable)

    @staticmethod
    def values_eq(a: Any, b: Any, force_same_dtype: bool = True) -> bool:
        """Compare as TensorType does."""
        return bool(TensorType.values_eq(np.asarray(a), np.asarray(b), force_same_dtype))

    @staticmethod
    def values_eq_approx(a: Any, b: Any, *args: Any, **kwargs: Any) -> bool:
        """Compare as TensorType does."""
        return bool(TensorType.values_eq_approx(np.asarray(a), np.asarray(b), *args, **kwargs))

    @staticmethod
    def may_share_memory(a: Any, b: Any) -> bool:  # noqa: ARG004
        """Never: values of this type do not change, so nobody could see that they are shared."""
        return False

    def value_zeros(self, shape: tuple[int, ...]) -> Any:
        """Return zeros of this shape."""
        return put(np.zeros(shape, self.dtype), self.context)

    def get_shape_info(self, obj: Any) -> Any:
        """Return what ``get_size`` wants to know of a value."""
        return obj.shape

    def get_size(self, shape_info: Any) -> int:
        """Return the bytes of a value of this shape."""
        return int(np.prod(shape_info, dtype=np.int64)) * self.numpy_dtype.itemsize

    def c_declare(self, name: str, sub: Any, check_input: bool = True) -> NoReturn:
        """Say that there is no C code for values on a device.

        Raises
        ------
        MethodNotDefined
            Always; linkers that can call Python code then do.
        """
        raise MethodNotDefined(
            f"{self} has no C code, so linker=c cannot run it; use linker=cvm, Theano's default"
        )

    def __repr__(self) -> str:
        shapes = {(): "scalar", (False,): "vector", (False, False): "matrix"}
        shapes |= {(False, True): "col", (True, False): "row"}
        shape = shapes.get(self.broadcastable) or (
            str(self.broadcastable) if any(self.broadcastable) else f"{self.ndim}D"
        )
        return self.name or f"XlaType<{self.context_name}>({self.dtype}, {shape})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), *self._key()))

    def _key(self) -> tuple[object, ...]:
        return (self.dtype, self.broadcastable, self.context_name)


def put(value: np.ndarray[Any, Any], context: device.Context) -> Any:
    """Return a copy of a NumPy array on the device.

    A copy, because JAX may go on using the memory that it was given: on the CPU for good.
    """
    with device.x64():
        return jax.device_put(value.copy(), context.device)


def fetch(value: Any) -> np.ndarray[Any, Any]:
    """Return an array of the device as a NumPy array that may be written."""
    return np.array(value)


def _reduce(value: jax.Array) -> Any:
    """Pickle an array of 64 bits so that it has 64 bits again when it is loaded.

    With JAX's default of 32 bits such an array is ours, and JAX would load it as one of 32.
    """
    if value.dtype.itemsize >= _WIDE[value.dtype.kind] and not jax.config.jax_enable_x64:
        return _restore, (np.asarray(value),)
    return value.__reduce__()


def _restore(value: np.ndarray[Any, Any]) -> Any:
    with device.x64():
        return jax.device_put(value)


# Bytes from which on JAX needs its 64-bit mode, by kind of dtype.
_WIDE = {"f": 8, "c": 16, "i": 8, "u": 8, "b": 2, "V": 99}


def register_pickle() -> None:
    """Let pickle keep the dtype of this backend's arrays."""
    copyreg.pickle(type(jax.numpy.zeros(())), _reduce)


class _Operators(_tensor_py_operators):  # type: ignore[misc]  # Theano publishes no types
    """What TensorVariable can do, done on the host's side of a transfer."""

    def _as_TensorVariable(self) -> Variable:  # Theano's protocol
        from theano_colab.xla.transfer import host_from

        return host_from(self)


class XlaVariable(_Operators, Variable):  # type: ignore[misc]  # Theano publishes no types
    """A variable on a device."""

    def __repr_test_value__(self) -> str:
        return repr(np.array(theano.gof.op.get_test_value(self)))


class XlaConstant(_Operators, Constant):  # type: ignore[misc]  # Theano publishes no types
    """A constant on a device."""

    def signature(self) -> TensorConstantSignature:
        """Return what equal constants have in common."""
        return TensorConstantSignature((self.type, np.asarray(self.data)))

    def __str__(self) -> str:
        return self.name or f"XlaConstant{{{np.asarray(self.data)}}}"


class XlaSharedVariable(_Operators, TensorSharedVariable):  # type: ignore[misc]  # Theano publishes no types
    """A shared variable whose value lies on a device.

    It is one of Theano's shared tensors to whoever asks, as Keras asks of a layer's input.
    """

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """Return the value as a NumPy array of its own, or the ``jax.Array`` that is held.

        ``borrow`` makes no difference: the computer cannot alias the device's memory, and the
        ``jax.Array`` cannot be changed.
        """
        held = self.container.value
        return held if return_internal_type else fetch(held)

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Put a copy of ``new_value`` on the device."""
        self.container.value = new_value

    def zero(self, borrow: bool = False) -> None:
        """Set the value to zeros of the same shape."""
        self.container.value = self.type.value_zeros(self.container.value.shape)

    def __getitem__(self, *args: Any) -> Variable:
        return _Operators.__getitem__(self, *args)


XlaType.Variable = XlaVariable
XlaType.Constant = XlaConstant
XlaType.SharedVariable = XlaSharedVariable


def shared_constructor(
    value: Any,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    borrow: bool = False,  # a copy on the device is always made
    broadcastable: tuple[bool, ...] | None = None,
    target: str | None = "default",
) -> XlaSharedVariable:
    """Return a shared variable on the device of context ``target`` (see ``theano.shared``).

    Integers and booleans without dimensions stay on the host, where they count and index.

    Raises
    ------
    TypeError
        If the value is not for a device; Theano then asks the next constructor.
    """
    if target == "cpu" or not isinstance(value, np.ndarray | jax.Array):
        raise TypeError("an array is required, and a device as target")
    if str(value.dtype) not in DTYPES:
        raise TypeError(f"XLA has no arrays of dtype {value.dtype}")
    if target == "default":
        target = None
        if value.ndim == 0 and value.dtype.kind in "iub":
            raise TypeError("counters and indices stay on the host")
    try:
        device.get(target)
    except device.ContextNotDefinedError:
        if target is None:
            raise TypeError("there is no default context") from None
        raise
    pattern = (False,) * value.ndim if broadcastable is None else broadcastable
    kind = XlaType(str(value.dtype), pattern, target)
    return XlaSharedVariable(
        type=kind, value=kind.filter(value), name=name, strict=strict, allow_downcast=allow_downcast
    )
