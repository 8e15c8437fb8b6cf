"""The graph inside an op (a scan's step, OpFromGraph) as XLA gets to see it: optimized alone."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import theano
from theano.compile import optdb
from theano.gof import FunctionGraph, Query

from theano_colab.xla import registry
from theano_colab.xla.arithmetic import deciding
from theano_colab.xla.partition import NAME, POSITION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from theano import Apply
    from theano.compile import Mode


@dataclass(frozen=True, eq=False, slots=True)
class Inner:
    """The optimized graph inside an op.

    ``static`` are the numbers of the inputs on whose values (not shapes) something depends that
    must be known while tracing. ``host`` are the nodes that XLA cannot run.
    """

    inputs: list[Any]
    outputs: list[Any]
    static: frozenset[int]
    host: tuple[Apply, ...]


_known: weakref.WeakKeyDictionary[Any, Inner] = weakref.WeakKeyDictionary()


def of(op: Any, inputs: Sequence[Any], outputs: Sequence[Any], mode: Mode) -> Inner:
    """Return the graph inside an op, optimized once as this mode optimizes a whole function.

    What works in place, fusion and this backend's clusters come after the position where the
    optimization ends: an inner graph is to XLA what the graph around it is.
    """
    found = _known.get(op)
    if found is None:
        found = _known[op] = _optimized(inputs, outputs, mode)
    return found


def _optimized(inputs: Sequence[Any], outputs: Sequence[Any], mode: Mode) -> Inner:
    graph = FunctionGraph(list(inputs), list(outputs), clone=True)
    with theano.change_flags(compute_test_value="off"):
        _optimizer(mode)(graph)
    lowerings = [(node, registry.find(node)) for node in graph.toposort()]
    return Inner(
        list(graph.inputs),
        list(graph.outputs),
        deciding(
            graph.inputs,
            [node.inputs[k] for node, one in lowerings if one for k in one.static(node)],
        ),
        tuple(node for node, one in lowerings if one is None),
    )


def _optimizer(mode: Mode) -> Callable[[FunctionGraph], Any]:
    query = mode.provided_optimizer
    if not isinstance(query, Query):
        return mode.optimizer  # type: ignore[no-any-return]  # Theano publishes no types
    # None in what an old Theano pickled: then it is the configuration's, as optdb has it.
    cutoff = query.position_cutoff or theano.config.optdb.position_cutoff
    return optdb.query(  # type: ignore[no-any-return]  # likewise
        Query(
            query.include,
            query.require,
            query.exclude.union([NAME]),
            query.subquery,
            min(cutoff, POSITION),
            query.extra_optimizations,
        )
    )
