"""Products of a sparse and a dense matrix, of which sparse.py has left the entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from theano_colab.xla.registry import lowers
from theano_colab.xla.sparse import SparseProduct

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace


@lowers(SparseProduct, static=(3, 4))
def sparse_product(
    trace: Trace,
    node: Apply,
    values: Any,
    rows: Any,
    columns: Any,
    n_rows: Any,
    n_columns: Any,
    dense: Any,
) -> Any:
    """Add each entry's multiple of a row of the dense matrix to the result's row."""
    dtype = node.outputs[0].dtype
    dense = jnp.asarray(dense, dtype)
    if dense.shape[0] != int(n_columns):
        trace.refuse(f"{int(n_columns)} columns and {dense.shape[0]} rows do not fit")
    if 0 in dense.shape:  # nothing can be taken from no rows
        return jnp.zeros((int(n_rows), *dense.shape[1:]), dtype)
    taken = dense.at[columns].get(mode="fill", fill_value=0)
    scale = jnp.asarray(values, dtype).reshape(-1, *[1] * (dense.ndim - 1))
    result = jnp.zeros((int(n_rows), *dense.shape[1:]), dtype)
    return result.at[rows].add(scale * taken, mode="drop")
