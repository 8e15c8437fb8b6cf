"""The Op that stands for a part of a graph which XLA runs as one function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano import Apply, Constant, Op
from theano.gof.graph import io_toposort
from theano.tensor.type import TensorType

from theano_colab.xla import device
from theano_colab.xla.compile import Graph, Program
from theano_colab.xla.types import XlaType

if TYPE_CHECKING:
    from collections.abc import Callable


class XlaCluster(Op):  # type: ignore[misc]  # Theano publishes no types
    """Nodes of a Theano graph that run on a device as one compiled function.

    Takes variables on the device and on the host, gives variables on the device. Two clusters are
    equal if their inner graphs are.
    """

    def __init__(self, graph: Graph, context_name: str | None, precision: str | None) -> None:
        self.graph, self.context_name, self.precision = graph, context_name, precision
        self._signature = (_structure(graph), graph.static, context_name, precision)
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """The compiled form, made when it is first needed."""
        if self._program is None:
            self._program = Program(self.graph, device.get(self.context_name), self.precision)
        return self._program

    @property
    def nodes(self) -> list[Apply]:
        """The nodes inside, in an order in which they can run."""
        return io_toposort(self.graph.inputs, self.graph.outputs)  # type: ignore[no-any-return]  # Theano's are untyped

    def make_node(self, *inputs: Any) -> Apply:
        """Take variables for the inner graph's inputs: the same arrays, here or on the device."""
        for outer, inner in zip(inputs, self.graph.inputs, strict=True):
            kind = outer.type.host if isinstance(outer.type, XlaType) else outer.type
            if kind != inner.type:
                raise TypeError(f"{outer.type} was given for {inner.type}")
        outputs = [
            XlaType(one.dtype, one.broadcastable, self.context_name)() for one in self.graph.outputs
        ]
        return Apply(self, list(inputs), outputs)

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Run, for linkers that call ``perform``."""
        for cell, value in zip(outputs, self.program(inputs), strict=True):
            cell[0] = value

    def make_thunk(
        self,
        node: Apply,
        storage_map: dict[Any, list[Any]],
        compute_map: dict[Any, list[bool]],
        no_recycling: list[Any],
        impl: str | None = None,
    ) -> Callable[[], None]:
        """Return a function that runs the compiled code between the storage cells."""
        inputs = [storage_map[one] for one in node.inputs]
        outputs = [storage_map[one] for one in node.outputs]
        computed = [compute_map[one] for one in node.outputs]
        program = self.program

        def thunk() -> None:
            values = program([cell[0] for cell in inputs])
            for cell, value in zip(outputs, values, strict=True):
                cell[0] = value
            for flag in computed:
                flag[0] = True

        thunk.inputs, thunk.outputs, thunk.lazy = inputs, outputs, False  # type: ignore[attr-defined]  # Theano's protocol
        return thunk

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._signature == other._signature

    def __hash__(self) -> int:
        return hash((type(self), self._signature))

    def __str__(self) -> str:
        names = sorted({type(node.op).__name__ for node in self.nodes})
        return f"{type(self).__name__}{{{', '.join(names)}}}"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_program": None}


class GpuCluster(XlaCluster):
    """An XlaCluster on a GPU."""


def make_cluster(graph: Graph, context_name: str | None, precision: str | None) -> XlaCluster:
    """Return the cluster of this graph under the name that tells where it runs."""
    kind = GpuCluster if device.get(context_name).is_gpu else XlaCluster
    return kind(graph, context_name, precision)


def _structure(graph: Graph) -> tuple[Any, ...]:
    """Return what graphs that compute the same in the same way have in common."""
    numbers: dict[Any, Any] = {}
    for one in graph.inputs:
        numbers[one] = ("input", len(numbers), one.type)

    def name(variable: Any) -> Any:
        if variable not in numbers and isinstance(variable, Constant):
            numbers[variable] = ("constant", variable.type, _content(variable))
        return numbers[variable]

    lines = []
    for node in io_toposort(graph.inputs, graph.outputs):
        lines.append((node.op, *map(name, node.inputs)))
        for position, output in enumerate(node.outputs):
            numbers[output] = (len(lines), position)
    return (*lines, *map(name, graph.outputs))


def _content(constant: Constant) -> Any:
    if isinstance(constant.type, TensorType):
        return (constant.data.shape, constant.data.tobytes())
    data = constant.data
    if isinstance(data, slice):
        bounds = (data.start, data.stop, data.step)
        return ("slice", *(None if one is None else int(one) for one in bounds))
    return data
