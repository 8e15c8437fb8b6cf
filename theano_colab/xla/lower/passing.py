"""What passes an array on as it is: copies, views, assertions. XLA copies where it likes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from theano.compile.ops import DeepCopyOp, OutputGuard, ViewOp
from theano.tensor.extra_ops import CpuContiguous
from theano.tensor.opt import Assert

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(ViewOp, DeepCopyOp, OutputGuard, CpuContiguous)
def same(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the array: nothing in a cluster is written in place."""
    return x


@lowers(Assert)
def assertion(trace: Trace, node: Apply, x: Any, *conditions: Any) -> Any:
    """Hold that the conditions are true."""
    for condition in conditions:
        trace.check(jnp.asarray(condition).astype(bool))
    return x
