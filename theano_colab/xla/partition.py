"""The graph optimizer that gathers what XLA can run into clusters and leaves the rest on the host.

Every node gets a *level*: even ones on the host, odd ones on the device, never below a level that
it needs a value from. All device nodes of one level are one cluster: a path that leaves a cluster
through the host comes back on a higher level, so clusters are convex. Levels are as low as they
can be, so there are as few transfers as the alternation of host and device in the graph demands.

Three kinds of nodes are special:

- *Shape arithmetic* (what depends on constants and on arrays' shapes alone) is copied into each
  cluster that reads it, where it is known while tracing.
- *Index arithmetic* (integers without dimensions that depend on the function's integer inputs as
  well) runs on the host where a value that must be known while tracing depends on it.
- The branches of an ifelse stay lazy: one that is not inside a cluster whole is the host's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import theano
from theano import Apply, Constant, scalar, tensor
from theano.compile import optdb
from theano.compile.ops import Shape, Shape_i
from theano.gof.opt import Optimizer
from theano.ifelse import IfElse
from theano.tensor.subtensor import AdvancedIncSubtensor1, AdvancedSubtensor1, Subtensor
from theano.tensor.type import TensorType
from theano.tensor.type_other import MakeSlice, NoneTypeT, SliceType

from theano_colab.xla import device, registry
from theano_colab.xla.cluster import XlaCluster, make_cluster
from theano_colab.xla.compile import Graph, Index, Size, Slice
from theano_colab.xla.index import bound_positions
from theano_colab.xla.loops import ScansOnHost, ShortLoops
from theano_colab.xla.transfer import HostFromXla, XlaFromHost, host_from, to_device
from theano_colab.xla.types import XlaConstant, XlaType

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "xla"
# What loops need (see loops.py), by this tag: one before scan's own optimizations, while the graph
# is as it was written, the other once scan works in place.
LOOPS, BEFORE_SCAN, AFTER_SCAN = "xla_loops", 0.04, 76
# Where the backend stands in Theano's order of optimizations: after specialize, before
# specialize_device (48.6), AbstractConvCheck (48.7), fusion (49), what works in place (from 49.5).
POSITION = 48.5
# Constants of more bytes lie on the device instead of in the compiled code.
_LARGE_CONSTANT = 4096
# A size that takes more variables to compute is not worth the host's time.
_LARGE_SIZE = 32
_SHAPES, _INDICES = "shapes", "indices"
_ARITHMETIC = (
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


class XlaOptimizer(Optimizer):  # type: ignore[misc]  # Theano publishes no types
    """Replace the parts of a graph that XLA can run by clusters on the default context's device."""

    def add_requirements(self, fgraph: Any) -> None:
        """Ask for a graph whose variables can be replaced."""
        fgraph.attach_feature(theano.gof.toolbox.ReplaceValidate())

    def apply(self, fgraph: Any) -> None:
        """Do it."""
        _cut_transfers(fgraph)
        for context in device.registered():
            partition = _Partition(fgraph, context)
            if partition.device_nodes:
                partition.replace()
        _cut_transfers(fgraph)


class _Partition:
    """Which nodes of a graph run on the device of a context, and in which cluster."""

    def __init__(self, fgraph: Any, context: device.Context) -> None:
        self.fgraph, self.context = fgraph, context
        self.order: list[Apply] = fgraph.toposort()
        self.given = frozenset(fgraph.inputs)
        self.of_context = _contexts(self.order)
        self.known = _known_integers(self.order)
        #: The variable on the device that holds the value of a variable on the host.
        self.on_device = {
            node.outputs[0]: node.inputs[0]
            for node in self.order
            if isinstance(node.op, HostFromXla) and node.inputs[0].type.context_name == context.name
        }
        self.on_host = {value: variable for variable, value in self.on_device.items()}
        self.copied = {
            node
            for node in self.order
            if self.known.get(node.outputs[0]) == _SHAPES
            or isinstance(node.op, tensor.ScalarFromTensor | tensor.TensorFromScalar | MakeSlice)
        }
        self.device_nodes = self._device_nodes()
        self.level: dict[Apply, int] = {}
        self.host_level: dict[Apply, int] = {}
        self.domain: dict[Apply, frozenset[Any]] = {}
        self._settle()

    def _device_nodes(self) -> set[Apply]:
        found = {
            node
            for node in self.order
            if self.of_context.get(node) == self.context.name
            and node not in self.copied
            and (isinstance(node.op, IfElse) or registry.find(node) is not None)
            and _is_tensor_node(node)
        }
        return found - self._for_static_slots(found)

    def size_on_host(self, array: Any, axis: int) -> Any:
        """Return a variable for an array's size that the host can compute before anything has run.

        None where the size depends on more than the shapes and integers the function is given.
        """
        shapes = getattr(self.fgraph, "shape_feature", None)
        shape = None if shapes is None else shapes.shape_of.get(array)
        if shape is None:
            return None
        stack, seen = [shape[axis]], set()
        while stack:
            variable = stack.pop()
            node = variable.owner
            if variable in seen or isinstance(variable, Constant):
                continue
            seen.add(variable)
            if node is None and variable in self.given and _is_index(variable, 0):
                continue
            if node is None or len(seen) > _LARGE_SIZE:
                return None
            if isinstance(node.op, Shape | Shape_i):
                source = node.inputs[0].owner
                if source is not None and isinstance(source.op, HostFromXla):
                    source = source.inputs[0].owner
                if source is not None:
                    return None
            elif isinstance(node.op, _ARITHMETIC):
                stack += node.inputs
            else:
                return None
        return shape[axis]

    def _for_static_slots(self, candidates: set[Apply]) -> set[Apply]:
        """Return the index arithmetic that decides values which must be known while tracing."""
        wanted: set[Apply] = set()
        stack = [node.inputs[k] for node in candidates for k in _static_slots(node)]
        while stack:
            variable = stack.pop()
            node = variable.owner
            if node is None or node in wanted or self.known.get(variable) == _SHAPES:
                continue
            if self.known.get(variable) == _INDICES or node in self.copied:
                if node not in self.copied:
                    wanted.add(node)
                stack += node.inputs
        return wanted

    def _settle(self) -> None:
        """Find levels, until every ifelse on the device has its branches in its own cluster."""
        while True:
            self._find_levels()
            self._find_domains()
            broken = {
                choice
                for node in self.order
                for choice, _ in self.domain[node]
                if choice in self.device_nodes
                and node not in self.copied
                and self.level.get(node) != self.level[choice]
            }
            if not broken:
                return
            self.device_nodes -= broken

    def _find_levels(self) -> None:
        self.level.clear()
        self.host_level.clear()
        for node in self.order:
            if node in self.device_nodes or node in self.copied:
                needs = [self._from_device(one) for one in node.inputs]
                needs += [self._from_host(node.inputs[k]) + 1 for k in self._crossings(node)]
                self.level[node] = max([1, *needs])
            if node not in self.device_nodes:
                self.host_level[node] = max([0, *map(self._from_host, node.inputs)])

    def _crossings(self, node: Apply) -> list[int]:
        """Return the inputs that must be known while tracing and that the device computes."""
        return [
            k
            for k in _static_slots(node)
            if node.inputs[k].owner is not None and self.known.get(node.inputs[k]) is None
        ]

    def _from_device(self, variable: Any) -> int:
        """Return the lowest level on which a cluster can read a variable."""
        node = variable.owner
        if node is None or variable in self.on_device:
            return 1 if node is None else self._from_device(self.on_device[variable])
        if node in self.level:
            return self.level[node]
        return self.host_level[node] + 1

    def _from_host(self, variable: Any) -> int:
        """Return the lowest level on which the host can read a variable."""
        node = variable.owner
        if node is None:
            return 0
        if node in self.host_level:
            return self.host_level[node]
        return self.level[node] + 1

    def _find_domains(self) -> None:
        """Find, for each node, the branches of which every path from it to an output is part."""
        self.domain.clear()
        for node in reversed(self.order):
            found: frozenset[Any] | None = None
            for output in node.outputs:
                for client, position in self.fgraph.clients(output):
                    paths = frozenset() if client == "output" else self._path(client, position)
                    found = paths if found is None else found & paths
            self.domain[node] = found or frozenset()

    def _path(self, client: Apply, position: int) -> frozenset[Any]:
        inside = self.domain[client]
        if not isinstance(client.op, IfElse) or position == 0:
            return inside
        return inside | {(client, (position - 1) // client.op.n_outs)}

    def groups(self) -> list[list[Apply]]:
        """Return the clusters' nodes, in an order in which the clusters can be made."""
        found: dict[Any, list[Apply]] = {}
        for node in self.order:
            if node in self.device_nodes:
                lazy = frozenset(
                    (choice, branch)
                    for choice, branch in self.domain[node]
                    if choice not in self.device_nodes
                )
                found.setdefault((self.level[node], lazy), []).append(node)
        ordered = sorted(found.items(), key=lambda item: item[0][0])
        return [nodes for _, nodes in ordered]

    def replace(self) -> None:
        """Put the clusters into the graph."""
        pairs: list[tuple[Any, Any]] = []
        for nodes in self.groups():
            pairs += _Builder(self, nodes).build()
        self.fgraph.replace_all_validate(pairs, reason=NAME)


class _Builder:
    """Makes the cluster of one group of nodes."""

    def __init__(self, partition: _Partition, nodes: list[Apply]) -> None:
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
        outputs = cluster.make_node(*self.outer).outputs
        pairs = []
        for variable, value in zip(wanted, outputs, strict=True):
            self.partition.on_device[variable] = value
            self.partition.on_host[value] = variable
            pairs.append((variable, host_from(value)))
        return pairs

    def _is_wanted(self, variable: Any) -> bool:
        """Tell whether anything outside the cluster reads a variable."""
        return any(
            client == "output" or (client not in self.group and client not in self._only_inside())
            for client, _ in self.partition.fgraph.clients(variable)
        )

    def _only_inside(self) -> set[Apply]:
        """Return the copied nodes that nothing but this cluster reads."""
        if not hasattr(self, "_inside"):
            clients = self.partition.fgraph.clients
            inside: set[Apply] = set()
            for node in reversed(self.partition.order):
                if node in self.partition.copied and all(
                    client != "output" and (client in self.group or client in inside)
                    for output in node.outputs
                    for client, _ in clients(output)
                ):
                    inside.add(node)
            self._inside = inside
        return self._inside

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
        numbers = {one: n for n, one in enumerate(self.inputs)}
        stack: list[Any] = []
        for outer in self.nodes:
            node = self.inner[outer.outputs[0]].owner
            stack += [node.inputs[k] for k in _static_slots(node) if (node, k) not in in_slices]
        found, seen = set(), set()
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


def _precision() -> str | None:
    return "highest" if theano.config.xla.precision == "float32" else None


def _is_simple(index: slice) -> bool:
    """Tell whether a slice has no step, and its bounds are all given by inputs, or left out."""
    bounds = (index.start, index.stop)
    return index.step is None and all(
        one is None or isinstance(one, theano.gof.Type) for one in bounds
    )


def _static_slots(node: Apply) -> Iterable[int]:
    lowering = registry.find(node)
    return () if lowering is None else lowering.static(node)


def _is_tensor_node(node: Apply) -> bool:
    """Tell whether every output is an array: other things cannot leave a cluster."""
    return all(isinstance(one.type, TensorType) for one in node.outputs)


def _contexts(order: list[Apply]) -> dict[Apply, str | None]:
    """Return the context that each node belongs to: its inputs', or else the default one."""
    found: dict[Apply, str | None] = {}
    named: dict[Any, str] = {}
    for node in order:
        if isinstance(node.op, HostFromXla):
            name = node.inputs[0].type.context_name
        elif isinstance(node.op, XlaFromHost | XlaCluster):
            continue
        else:
            name = next((named[one] for one in node.inputs if one in named), None)
            found[node] = name
        if name is not None:
            named.update(dict.fromkeys(node.outputs, name))
    return found


def _known_integers(order: list[Apply]) -> dict[Any, str]:
    """Return which variables are shape arithmetic and which are index arithmetic."""
    found: dict[Any, str] = {}

    def kind(variable: Any) -> str | None:
        if isinstance(variable, Constant):
            return _SHAPES if _is_index(variable, 1) or _is_mark(variable) else None
        if variable.owner is None:
            return _INDICES if _is_index(variable, 0) else None
        return found.get(variable)

    for node in order:
        if isinstance(node.op, Shape | Shape_i):
            found[node.outputs[0]] = _SHAPES
        elif isinstance(node.op, _ARITHMETIC) and all(
            _is_index(one, 1) or _is_mark(one) for one in node.outputs
        ):
            kinds = {kind(one) for one in node.inputs}
            if None not in kinds:
                result = _INDICES if _INDICES in kinds else _SHAPES
                found.update(dict.fromkeys(node.outputs, result))
    return found


def _is_index(variable: Any, ndim: int) -> bool:
    kind = variable.type
    return (
        isinstance(kind, TensorType | scalar.Scalar)
        and str(kind.dtype).startswith(("int", "uint", "bool"))
        and getattr(kind, "ndim", 0) <= ndim
    )


def _is_mark(variable: Any) -> bool:
    """Tell whether a variable is a slice or None, as ops take them among their indices."""
    return isinstance(variable.type, NoneTypeT | SliceType)


def _cut_transfers(fgraph: Any) -> None:
    """Take out transfers to the host and back."""
    for node in fgraph.toposort():
        if isinstance(node.op, XlaFromHost):
            source = node.inputs[0].owner
            if source is not None and isinstance(source.op, HostFromXla):
                value = to_device(source.inputs[0], node.op.context_name)
                if value.type == node.outputs[0].type:
                    fgraph.replace_validate(node.outputs[0], value, reason=NAME)
        elif isinstance(node.op, Shape | Shape_i):
            source = node.inputs[0].owner
            if source is not None and isinstance(source.op, HostFromXla):
                value = node.op(source.inputs[0])
                fgraph.replace_validate(node.outputs[0], value, reason=NAME)


def register() -> None:
    """Put the optimizer into Theano's order; ``enable`` makes it part of the usual modes."""
    if NAME not in optdb.__db__ or not optdb.__db__[NAME]:
        optdb.register(NAME, XlaOptimizer(), POSITION)
        optdb.register("xla_short_loops", ShortLoops(), BEFORE_SCAN, LOOPS)
        optdb.register("xla_scans_on_host", ScansOnHost(NAME), AFTER_SCAN, LOOPS)


def enable() -> None:
    """Make the optimizer part of FAST_RUN and FAST_COMPILE."""
    register()
    optdb.add_tags(NAME, "fast_run", "fast_compile")
    optdb.add_tags("xla_short_loops", "fast_run")
    optdb.add_tags("xla_scans_on_host", "fast_run", "fast_compile")
