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

from typing import Any

import theano
from theano import Apply, Constant, tensor
from theano.compile import optdb
from theano.compile.ops import Shape, Shape_i
from theano.gof.opt import Optimizer
from theano.ifelse import IfElse
from theano.tensor.type import TensorType
from theano.tensor.type_other import MakeSlice

from theano_colab.xla import device, registry
from theano_colab.xla.arithmetic import (
    ARITHMETIC,
    INDICES,
    SHAPES,
    is_index,
    known_integers,
    static_slots,
)
from theano_colab.xla.builder import Builder
from theano_colab.xla.cluster import XlaCluster
from theano_colab.xla.complaints import complain
from theano_colab.xla.loops import ScansOnHost, ShortLoops
from theano_colab.xla.overwriting import overwriting
from theano_colab.xla.sparse import split_products
from theano_colab.xla.transfer import HostFromXla, XlaFromHost, to_device

NAME = "xla"
# What loops need (see loops.py), by this tag: one before scan's own optimizations, while the graph
# is as it was written, the other once scan works in place.
LOOPS, BEFORE_SCAN, AFTER_SCAN = "xla_loops", 0.04, 76
# Where the backend stands in Theano's order of optimizations: after specialize, before
# specialize_device (48.6), AbstractConvCheck (48.7), fusion (49), what works in place (from 49.5).
POSITION = 48.5
# A size that takes more variables to compute is not worth the host's time.
_LARGE_SIZE = 32


class XlaOptimizer(Optimizer):  # type: ignore[misc]  # Theano publishes no types
    """Replace the parts of a graph that XLA can run by clusters on the default context's device."""

    def add_requirements(self, fgraph: Any) -> None:
        """Ask for a graph whose variables can be replaced."""
        fgraph.attach_feature(theano.gof.toolbox.ReplaceValidate())

    def apply(self, fgraph: Any) -> None:
        """Do it."""
        _cut_transfers(fgraph)
        if None in {context.name for context in device.registered()}:
            split_products(fgraph)
        for context in device.registered():
            partition = Partition(fgraph, context)
            if partition.device_nodes:
                partition.replace()
        _cut_transfers(fgraph)
        complain(fgraph)


class Partition:
    """Which nodes of a graph run on the device of a context, and in which cluster."""

    def __init__(self, fgraph: Any, context: device.Context) -> None:
        self.fgraph, self.context = fgraph, context
        self.order: list[Apply] = fgraph.toposort()
        self.before: dict[Apply, Any] = fgraph.orderings()
        self.given = frozenset(fgraph.inputs)
        self.of_context = _contexts(self.order)
        self.known = known_integers(self.order)
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
            if self.known.get(node.outputs[0]) == SHAPES
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
        } - overwriting(self.order, self.given)
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
            if node is None and variable in self.given and is_index(variable, 0):
                continue
            if node is None or len(seen) > _LARGE_SIZE:
                return None
            if isinstance(node.op, Shape | Shape_i):
                source = node.inputs[0].owner
                if source is not None and isinstance(source.op, HostFromXla):
                    source = source.inputs[0].owner
                if source is not None:
                    return None
            elif isinstance(node.op, ARITHMETIC):
                stack += node.inputs
            else:
                return None
        return shape[axis]

    def _for_static_slots(self, candidates: set[Apply]) -> set[Apply]:
        """Return the index arithmetic that decides values which must be known while tracing."""
        wanted: set[Apply] = set()
        stack = [node.inputs[k] for node in candidates for k in static_slots(node)]
        while stack:
            variable = stack.pop()
            node = variable.owner
            if node is None or node in wanted or self.known.get(variable) == SHAPES:
                continue
            if self.known.get(variable) == INDICES or node in self.copied:
                if node not in self.copied:
                    wanted.add(node)
                stack += node.inputs
        return wanted

    def _settle(self) -> None:
        """Find levels, until every ifelse on the device has its branches in its own cluster."""
        self._find_domains()
        while True:
            self._find_levels({})
            least = {
                node: max(self.level[choice] for choice in choices)
                for node in self.device_nodes
                if (choices := self._choices(node))
            }
            if least:
                self._find_levels(least)
            broken = {
                choice
                for node in self.order
                if node not in self.copied and node.outputs[0] not in self.on_device
                for choice in self._choices(node)
                if self.level.get(node) != self.level[choice]
            }
            if not broken:
                return
            self.device_nodes -= broken

    def _choices(self, node: Apply) -> list[Apply]:
        """Return the ifelses on the device to whose branches alone a node belongs."""
        return [choice for choice, _ in self.domain[node] if choice in self.device_nodes]

    def _find_levels(self, least: dict[Apply, int]) -> None:
        """Find the lowest levels that the graph allows, and that are not below ``least``."""
        self.level.clear()
        self.host_level.clear()
        for node in self.order:
            if node in self.device_nodes or node in self.copied:
                needs = [self._from_device(one) for one in node.inputs]
                needs += [self._from_host(node.inputs[k]) + 1 for k in self._crossings(node)]
                self.level[node] = max([1, least.get(node, 1), *needs])
            if node not in self.device_nodes:
                # What writes into an argument comes after all that read it.
                readers = self.before.get(node, ())
                needs = [self.level[one] + 1 for one in readers if one in self.level]
                needs += [self.host_level[one] for one in readers if one in self.host_level]
                self.host_level[node] = max([0, *needs, *map(self._from_host, node.inputs)])

    def _crossings(self, node: Apply) -> list[int]:
        """Return the inputs that must be known while tracing and that the device computes."""
        return [
            k
            for k in static_slots(node)
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
            pairs += Builder(self, nodes).build()
        self.fgraph.replace_all_validate(pairs, reason=NAME)


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
