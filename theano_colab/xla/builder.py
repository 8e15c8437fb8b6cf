"""Makes one cluster: the inner graph of a group of nodes, its inputs, and how they are passed."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import theano
from theano import Apply, Constant, tensor
from theano.compile.ops import Shape, Shape_i
from theano.tensor.subtensor import AdvancedIncSubtensor1, AdvancedSubtensor1
from theano.tensor.type import TensorType

from theano_colab.xla.arithmetic import deciding, static_slots
from theano_colab.xla.cluster import make_cluster
from theano_colab.xla.compile import Graph, Index, Size, Slice
from theano_colab.xla.index import bound_positions
from theano_colab.xla.transfer import XlaFromHost, host_from
from theano_colab.xla.types import XlaConstant, XlaType

if TYPE_CHECKING:
    from theano_colab.xla.partition import Partition

# Constants of more bytes lie on the device instead of in the compiled code.
_LARGE_CONSTANT = 4096


class Builder:
    """Makes the cluster of one group of nodes."""

    def __init__(self, partition: Partition, nodes: list[Apply]) -> None:
        self.partition, self.nodes, self.group = partition, nodes, set(nodes)
        self.inner: dict[Any, Any] = {}
        self.outer: list[Any] = []
        self.inputs: list[Any] = []
        self._read = {one for node in nodes for one in node.inputs}
        self._copyable: set[Apply] = set()
        self._slices: list[tuple[Apply, int, list[Any]]] = []

    def build(self) -> list[tuple[Any, Any]]:
        """Return what is to be replaced by what; an empty list leaves the nodes on the host."""
        wanted = [one for node in self.nodes for one in node.outputs if self._is_wanted(one)]
        if not wanted or self._is_not_worth_it(wanted):
            return []
        for node in self.nodes:
            self._copy(node)
        slices, indices, in_slices = self._sites()
        graph = Graph(
            self.inputs,
            [self.inner[one] for one in wanted],
            self._static_inputs(in_slices),
            slices,
            indices,
        )
        context = self.partition.context
        cluster = make_cluster(graph, context.name, _precision())
        # Called, it also computes test values where the flags ask for them.
        outputs = cluster(*self.outer, return_list=True)
        pairs = []
        for variable, value in zip(wanted, outputs, strict=True):
            self.partition.on_device[variable] = value
            self.partition.on_host[value] = variable
            pairs.append((variable, host_from(value)))
        return pairs

    def _is_wanted(self, variable: Any) -> bool:
        """Tell whether anything outside the cluster reads a variable."""
        return any(
            client == "output" or (client not in self.group and client not in self._only_inside)
            for client, _ in self.partition.fgraph.clients(variable)
        )

    @functools.cached_property
    def _only_inside(self) -> set[Apply]:
        """The copied nodes that nothing but this cluster reads."""
        clients = self.partition.fgraph.clients
        inside: set[Apply] = set()
        for node in reversed(self.partition.order):
            if node in self.partition.copied and all(
                client != "output" and (client in self.group or client in inside)
                for output in node.outputs
                for client, _ in clients(output)
            ):
                inside.add(node)
        return inside

    def _is_not_worth_it(self, wanted: list[Any]) -> bool:
        """Tell whether the group only counts: numbers without dimensions, from and to the host."""
        variables = [one for node in self.nodes for one in (*node.inputs, *node.outputs)]
        if any(getattr(one.type, "ndim", 0) > 0 for one in variables):
            return False
        if any(one in self.partition.on_device for one in variables):
            return False
        clients = self.partition.fgraph.clients
        return not any(
            client != "output" and isinstance(client.op, XlaFromHost)
            for one in wanted
            for client, _ in clients(one)
        )

    def _copy(self, node: Apply) -> None:
        inputs = [self._inside_of(self._alias(one)) for one in node.inputs]
        # Made anew, what asks for a shape takes the array on the host instead of on the device.
        is_shape = isinstance(node.op, Shape | Shape_i)
        copied = node.op.make_node(*inputs) if is_shape else node.clone_with_new_inputs(inputs)
        for old, new in zip(node.outputs, copied.outputs, strict=True):
            # Kept as it was: ops may infer another pattern from inputs that are constants here.
            self.inner[old] = new

    def _inside_of(self, variable: Any) -> Any:
        """Return the inner graph's variable for one of the outer graph."""
        if variable in self.inner:
            return self.inner[variable]
        if isinstance(variable, Constant):
            self.inner[variable] = self._constant(variable)
            return self.inner[variable]
        node = variable.owner
        if node in self.partition.copied and self._can_copy(node):
            self._copy(node)
            return self.inner[variable]
        return self._input(variable, self.partition.on_device.get(variable, variable))

    def _constant(self, constant: Constant) -> Any:
        is_array = isinstance(constant.type, TensorType)
        if not is_array or constant.data.nbytes <= _LARGE_CONSTANT or constant.type.ndim == 0:
            return constant.clone()
        kind = XlaType(constant.dtype, constant.broadcastable, self.partition.context.name)
        return self._input(constant, XlaConstant(kind, kind.filter(constant.data)))

    def _input(self, variable: Any, outer: Any) -> Any:
        inner = variable.type()
        inner.name = variable.name
        self.inner[variable] = inner
        self.inputs.append(inner)
        self.outer.append(outer)
        return inner

    def _can_copy(self, node: Apply, refused: set[Apply] | None = None) -> bool:
        """Tell whether a node's inputs are at hand here, so that it may be computed here as well.

        Each node is asked once: many paths lead through shape arithmetic. What can be copied stays
        so, what cannot (``refused``) may be once more of the cluster is there.
        """
        refused = set() if refused is None else refused
        if node in self._copyable or node in refused:
            return node in self._copyable
        found = self._has_inputs(node, refused)
        (self._copyable if found else refused).add(node)
        return found

    def _has_inputs(self, node: Apply, refused: set[Apply]) -> bool:
        if isinstance(node.op, Shape | Shape_i):
            array = self._alias(node.inputs[0])
            return (
                array in self.inner
                or array in self._read
                or array in self.partition.on_device
                or (array.owner is not None and array.owner in self.group)
            )
        if isinstance(node.op, tensor.ScalarFromTensor) and self._is_given(node.inputs[0]):
            return False
        level = self.partition.level[self.nodes[0]]
        return self.partition.level.get(node, level + 1) <= level and all(
            one.owner is None
            or one.owner not in self.partition.copied
            or self._can_copy(one.owner, refused)
            for one in node.inputs
        )

    def _is_given(self, variable: Any) -> bool:
        """Tell whether the host has a number that nothing in this cluster computes."""
        node = variable.owner
        return (
            not isinstance(variable, Constant)
            and variable not in self.partition.on_device
            and (node is None or (node not in self.group and node not in self.partition.copied))
        )

    def _sites(self) -> tuple[tuple[Slice, ...], tuple[Index, ...], set[tuple[Apply, int]]]:
        """Return the slices and indices into inputs whose bounds are the host's integers."""
        numbers = {one: n for n, one in enumerate(self.inputs)}
        slices, indices, positions = [], [], set()
        for outer in self.nodes:
            if isinstance(outer.op, AdvancedSubtensor1 | AdvancedIncSubtensor1):
                indices += self._rows(outer)
            for entry, places in bound_positions(outer).items():
                node = self.inner[outer.outputs[0]].owner
                index = node.op.idx_list[entry]
                bounds = [numbers[node.inputs[k]] for k in places if node.inputs[k] in numbers]
                is_slice = isinstance(index, slice)
                if len(bounds) < len(places) or (is_slice and not _is_simple(index)):
                    continue
                size = self._size(outer, node, entry)
                if size is None:
                    continue
                if is_slice:
                    parts = iter(bounds)
                    start = next(parts) if index.start is not None else None
                    stop = next(parts) if index.stop is not None else None
                    slices.append(Slice(node, entry, size, start, stop))
                    positions |= {(node, k) for k in places}
                else:
                    indices.append(Index(node, entry, size, bounds[0]))
        return tuple(slices), tuple(indices), positions

    def _rows(self, outer: Apply) -> list[Index]:
        """Return the site of a vector of indices that the host has, and checks."""
        node = self.inner[outer.outputs[0]].owner
        index = node.inputs[-1]
        if index not in self.inputs:
            return []
        number = self.inputs.index(index)
        size = self._size(outer, node, 0)
        if size is None or not isinstance(self.outer[number].type, TensorType):
            return []
        return [Index(node, 0, size, number)]

    def _size(self, outer: Apply, node: Apply, axis: int) -> Size | None:
        """Return where the host finds the size of an axis of what is indexed, if it can."""
        if node.inputs[0] in self.inputs:
            return Size(self.inputs.index(node.inputs[0]), axis)
        size = self.partition.size_on_host(outer.inputs[0], axis)
        if size is None:
            return None
        if size.owner is not None and isinstance(size.owner.op, Shape_i):
            array = self.inner.get(self._alias(size.owner.inputs[0]))
            if array in self.inputs:
                return Size(self.inputs.index(array), size.owner.op.i)
        inner = self.inner.get(size)
        if inner not in self.inputs:
            inner = self._input(size, size)
        return Size(self.inputs.index(inner))

    def _alias(self, variable: Any) -> Any:
        """Return the variable on the host that stands for one on the device, if there is one."""
        return self.partition.on_host.get(variable, variable)

    def _static_inputs(self, in_slices: set[tuple[Apply, int]]) -> frozenset[int]:
        """Return the inputs that decide a value which must be known while tracing."""
        wanted: list[Any] = []
        for outer in self.nodes:
            node = self.inner[outer.outputs[0]].owner
            wanted += [node.inputs[k] for k in static_slots(node) if (node, k) not in in_slices]
        return deciding(self.inputs, wanted)


def _precision() -> str | None:
    return "highest" if theano.config.xla.precision == "float32" else None


def _is_simple(index: slice) -> bool:
    """Tell whether a slice has no step, and its bounds are all given by inputs, or left out."""
    bounds = (index.start, index.stop)
    return index.step is None and all(
        one is None or isinstance(one, theano.gof.Type) for one in bounds
    )
