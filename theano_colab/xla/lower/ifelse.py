"""IfElse: one of two branches, and nothing of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from theano.ifelse import IfElse

from theano_colab.xla.registry import lowers
from theano_colab.xla.trace import is_known

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(IfElse)
def if_else(trace: Trace, node: Apply, condition: Any) -> Any:
    """Take the branch that the condition tells; compute both of one shape if only data can tell.

    The variables of the branches come from the node: they have no values yet.
    """
    count = node.op.n_outs
    branches = [node.inputs[1 : 1 + count], node.inputs[1 + count :]]
    if is_known(condition):
        with trace.scope() as inner:
            results = inner.run(branches[0] if bool(condition != 0) else branches[1])
        trace.check(inner.holds())
        return results
    taken, other = (_branch(trace, branch) for branch in branches)
    holds, results = jax.lax.cond(jnp.reshape(condition, ()) != 0, taken, other)
    trace.check(holds)
    return results


def _branch(trace: Trace, variables: Sequence[Any]) -> Callable[[], tuple[Any, list[Any]]]:
    def run() -> tuple[Any, list[Any]]:
        with trace.scope() as inner:
            results = [
                jnp.asarray(value, one.dtype)
                for one, value in zip(variables, inner.run(variables), strict=True)
            ]
            return jnp.asarray(inner.holds()), results

    return run
