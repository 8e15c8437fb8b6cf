"""Arrays made from a few numbers: ranges, unit and triangular matrices, windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from theano import tensor
from theano.tensor.extra_ops import Bartlett

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace

# A range of more numbers is computed by XLA, not kept in the compiled code.
_SMALL = 1024


@lowers(tensor.ARange, static=(0, 1, 2))
def arange(trace: Trace, node: Apply, start: Any, stop: Any, step: Any) -> Any:
    """Return a range; floats are NumPy's, which rounds a step in its own way."""
    bounds = [np.asarray(one).item() for one in (start, stop, step)]
    dtype = np.dtype(node.op.dtype)
    if not bounds[2]:
        trace.refuse("the step is zero")
    if dtype.kind in "iu" and all(isinstance(one, int) for one in bounds):
        numbers = range(*bounds)
        if len(numbers) > _SMALL:
            step, start = dtype.type(bounds[2]), dtype.type(bounds[0])
            return jnp.arange(len(numbers), dtype=dtype) * step + start
    return np.arange(*bounds, dtype=dtype)


@lowers(tensor.Eye, static=(0, 1, 2))
def eye(trace: Trace, node: Apply, rows: Any, columns: Any, offset: Any) -> Any:
    """Return ones on a diagonal."""
    at, across = _positions(trace, rows, columns)
    return (across - at == int(offset)).astype(node.op.dtype)


@lowers(tensor.Tri, static=(0, 1, 2))
def tri(trace: Trace, node: Apply, rows: Any, columns: Any, offset: Any) -> Any:
    """Return ones at and below a diagonal."""
    at, across = _positions(trace, rows, columns)
    return (across - at <= int(offset)).astype(node.op.dtype)


def _positions(trace: Trace, rows: Any, columns: Any) -> tuple[Any, Any]:
    """Return the numbers of rows as a column, and those of columns as a row."""
    if min(int(rows), int(columns)) < 0:
        trace.refuse("a negative size")
    return jnp.arange(int(rows))[:, None], jnp.arange(int(columns))[None, :]


@lowers(Bartlett, static=(0,))
def bartlett(trace: Trace, node: Apply, size: Any) -> Any:
    """Return Bartlett's window."""
    return np.bartlett(int(size))
