"""Which ops XLA can run, and how: a lowering for each class of Op.

A lowering is a function ``(trace, node, *args)`` that returns the value of the node's output, or a
sequence of values if it has several. Arguments are NumPy arrays where their value is known while
tracing (constants, shapes, static inputs) and JAX tracers where it is not; every function of
``jax.numpy`` takes both. Shapes are Python integers in either case. The value returned must have
the dtype and the number of dimensions of the node's output.

A lowering checks what its op checks: what is known while tracing with ``trace.refuse``, what only
the data can tell with ``trace.check``. In both cases the cluster is run again on the host, by
Theano's own code, and that raises Theano's own exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from theano.scalar import Scalar
from theano.tensor.type import TensorType
from theano.tensor.type_other import NoneTypeT, SliceType

from theano_colab.xla.types import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from theano import Apply


@dataclass(frozen=True, slots=True)
class Lowering:
    """How the nodes of one class of Op are lowered.

    ``static(node)`` are the numbers of the inputs whose *value* must be known while tracing,
    because shapes depend on it: such an input of a cluster becomes part of the key of what is
    compiled.
    ``accepts(node)`` says whether XLA can run this node; others stay on the host.
    """

    function: Callable[..., Any]
    static: Callable[[Apply], Iterable[int]]
    accepts: Callable[[Apply], bool]


_lowerings: dict[type, Lowering] = {}


def lowers(
    *classes: type,
    static: Iterable[int] | Callable[[Apply], Iterable[int]] = (),
    accepts: Callable[[Apply], bool] = lambda node: True,  # noqa: ARG005  # any node
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as the lowering of these classes of Op.

    A subclass of such a class is another op: it needs to be named itself.
    """
    slots = static if callable(static) else lambda node, slots=tuple(static): slots  # noqa: ARG005  # any node

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        for one in classes:
            if one in _lowerings:
                raise ValueError(f"{one.__name__} has a lowering already")
            _lowerings[one] = Lowering(function, slots, accepts)
        return function

    return register


def find(node: Apply) -> Lowering | None:
    """Return the lowering of a node, or None if it has to stay on the host."""
    lowering = _lowerings.get(type(node.op))
    if lowering is None or not all(map(_is_known_type, (*node.inputs, *node.outputs))):
        return None
    return lowering if lowering.accepts(node) else None


def supported() -> frozenset[type]:
    """Return the classes of Op that have a lowering."""
    return frozenset(_lowerings)


def _is_known_type(variable: Any) -> bool:
    kind = variable.type
    if isinstance(kind, TensorType | Scalar):
        return kind.dtype in DTYPES
    return isinstance(kind, NoneTypeT | SliceType)
