"""OpFromGraph: the graph inside it, as if it stood in place of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theano.compile.builders import OpFromGraph
from theano.compile.mode import get_mode

from theano_colab.xla import inner
from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from theano import Apply

    from theano_colab.xla.trace import Trace


def _body(op: Any) -> inner.Inner:
    mode = get_mode(op.kwargs.get("mode"))
    return inner.of(op, op.local_inputs, op.local_outputs, mode)


def _static(node: Apply) -> Iterable[int]:
    return _body(node.op).static


def _accepts(node: Apply) -> bool:
    return not _body(node.op).host


@lowers(OpFromGraph, static=_static, accepts=_accepts)
def op_from_graph(trace: Trace, node: Apply, *args: Any) -> Any:
    """Run the inner graph."""
    body = _body(node.op)
    with trace.scope(dict(zip(body.inputs, args, strict=True))) as scope:
        results = scope.run(body.outputs)
    trace.check(scope.holds())
    return results
