"""Which integers of a graph are known before the device computes, and what depends on values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano import Apply, Constant, scalar, tensor
from theano.compile.ops import Shape, Shape_i
from theano.tensor.subtensor import Subtensor
from theano.tensor.type import TensorType
from theano.tensor.type_other import MakeSlice, NoneTypeT, SliceType

from theano_colab.xla import registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHAPES, INDICES = "shapes", "indices"
ARITHMETIC = (
    tensor.Elemwise,
    tensor.ScalarFromTensor,
    tensor.TensorFromScalar,
    tensor.opt.MakeVector,
    # What is done with shapes as vectors where Theano does not take them apart: FAST_COMPILE.
    tensor.elemwise.DimShuffle,
    tensor.elemwise.Prod,
    tensor.elemwise.Sum,
    tensor.Join,
    Subtensor,
    MakeSlice,
    scalar.ScalarOp,
)


def known_integers(order: list[Apply]) -> dict[Any, str]:
    """Return which variables are shape arithmetic and which are index arithmetic."""
    found: dict[Any, str] = {}

    def kind(variable: Any) -> str | None:
        if isinstance(variable, Constant):
            return SHAPES if is_index(variable, 1) or _is_mark(variable) else None
        if variable.owner is None:
            return INDICES if is_index(variable, 0) else None
        return found.get(variable)

    for node in order:
        if isinstance(node.op, Shape | Shape_i):
            found[node.outputs[0]] = SHAPES
        elif isinstance(node.op, ARITHMETIC) and all(
            is_index(one, 1) or _is_mark(one) for one in node.outputs
        ):
            kinds = {kind(one) for one in node.inputs}
            if None not in kinds:
                result = INDICES if INDICES in kinds else SHAPES
                found.update(dict.fromkeys(node.outputs, result))
    return found


def is_index(variable: Any, ndim: int) -> bool:
    """Tell whether a variable is an integer or bool of at most so many dimensions."""
    kind = variable.type
    return (
        isinstance(kind, TensorType | scalar.Scalar)
        and str(kind.dtype).startswith(("int", "uint", "bool"))
        and getattr(kind, "ndim", 0) <= ndim
    )


def _is_mark(variable: Any) -> bool:
    """Tell whether a variable is a slice or None, as ops take them among their indices."""
    return isinstance(variable.type, NoneTypeT | SliceType)


def static_slots(node: Apply) -> Iterable[int]:
    """Return the inputs of a node whose values must be known while tracing."""
    lowering = registry.find(node)
    if lowering is None:
        return ()
    # A node of a pickle may lack inputs that its op got since.
    return [k for k in lowering.static(node) if k < len(node.inputs)]


def deciding(inputs: Sequence[Any], variables: Iterable[Any]) -> frozenset[int]:
    """Return the numbers of the inputs on whose values, not shapes, these variables depend."""
    numbers = {one: n for n, one in enumerate(inputs)}
    stack, seen, found = list(variables), set(), set()
    while stack:
        variable = stack.pop()
        if variable in seen:
            continue
        seen.add(variable)
        if variable in numbers:
            found.add(numbers[variable])
        elif variable.owner is not None and not isinstance(variable.owner.op, Shape | Shape_i):
            stack += variable.owner.inputs
    return frozenset(found)
