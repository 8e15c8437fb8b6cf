"""Products of a sparse and a dense matrix, in a form that a device can compute.

Sparse matrices stay on the host. A product with one is split: ``Entries``, on the host, takes the
matrix apart into vectors, whose length is a power of two, so that a new batch of data seldom
needs a new compilation; ``SparseProduct`` multiplies what they say by the dense matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse  # type: ignore[import-untyped]  # publishes no types
from theano import Apply, Op, scalar, sparse, tensor
from theano.sparse import basic, opt
from theano.tensor.type import TensorType

_FEWEST = 16


class Entries(Op):  # type: ignore[misc]  # Theano publishes no types
    """The entries of a sparse matrix: values, rows, columns, and its two sizes.

    The vectors are longer than there are entries: what is over lies in a row and a column that the
    matrix does not have.
    """

    __props__ = ()

    def make_node(self, x: Any) -> Apply:
        """Take a sparse matrix."""
        x = sparse.as_sparse_variable(x)
        entries = tensor.vector(dtype=x.dtype), tensor.ivector(), tensor.ivector()
        return Apply(self, [x], [*entries, tensor.lscalar(), tensor.lscalar()])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Take it apart."""
        (x,) = inputs
        entries = x.tocoo()
        parts = (entries.data, entries.row, entries.col)
        length = max(_FEWEST, 1 << (entries.nnz - 1).bit_length())
        for output, part, over in zip(outputs[:3], parts, (0, *x.shape), strict=True):
            output[0] = np.full(length, over, part.dtype if output is outputs[0] else "int32")
            output[0][: entries.nnz] = part
        for output, size in zip(outputs[3:], x.shape, strict=True):
            output[0] = np.asarray(size, "int64")


class SparseProduct(Op):  # type: ignore[misc]  # Theano publishes no types
    """The product of the matrix of these entries and a dense matrix or vector."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        """Take what Entries gives (rows and columns may have changed places), and what is dense."""
        dense = inputs[-1]
        dtype = scalar.upcast(inputs[0].dtype, dense.dtype)
        return Apply(self, list(inputs), [tensor.tensor(dtype, (False, *dense.broadcastable[1:]))])

    def perform(self, node: Apply, inputs: list[Any], outputs: list[list[Any]]) -> None:
        """Multiply with SciPy, whose error it is when the sizes do not fit."""
        values, rows, columns, n_rows, n_columns, dense = inputs
        real = (rows < n_rows) & (columns < n_columns)
        matrix = scipy.sparse.coo_matrix(
            (values[real], (rows[real], columns[real])), (int(n_rows), int(n_columns))
        )
        outputs[0][0] = np.asarray(matrix.tocsr() * dense, node.outputs[0].dtype)

    def infer_shape(self, *given: Any) -> list[Any]:
        """Rows of the one, columns of the other."""
        *_, node, shapes = given  # Theano-PyMC puts the graph first
        return [(node.inputs[3], *shapes[-1][1:])]


def split_products(fgraph: Any) -> None:
    """Split the products of a sparse and a dense matrix in a graph."""
    for node in fgraph.toposort():
        product = _split(node)
        if product is not None:
            fgraph.replace_validate(node.outputs[0], product, reason="xla_sparse")


def _split(node: Apply) -> Any:
    """Return what is to stand for the node's output, or None."""
    if isinstance(node.op, basic.Dot | basic.StructuredDot):
        x, y = node.inputs
        return _product(x, y, node.outputs[0].type)
    if isinstance(node.op, basic.Usmm):
        alpha, x, y, z = node.inputs
    elif isinstance(node.op, opt.UsmmCscDense):
        alpha, values, _, _, _, y, z = node.inputs
        if values.owner is None or not isinstance(values.owner.op, basic.CSMProperties):
            return None
        x = values.owner.inputs[0]
    else:
        return None
    product = _product(x, y, None)
    if product is None:
        return None
    scale = tensor.DimShuffle(alpha.broadcastable, ["x", "x"])(alpha)
    return _of_type(tensor.cast(scale * product + z, node.outputs[0].dtype), node.outputs[0].type)


def _product(x: Any, y: Any, result: Any) -> Any:
    """Return the product, of the type ``result`` if there is one; None if not one is sparse."""
    if _is_sparse(x) and isinstance(y.type, TensorType):
        product = SparseProduct()(*Entries()(x), y)
    elif _is_sparse(y) and isinstance(x.type, TensorType):
        values, rows, columns, n_rows, n_columns = Entries()(y)
        product = SparseProduct()(values, columns, rows, n_columns, n_rows, x.T).T
    else:
        return None
    return _of_type(product, result)


def _is_sparse(x: Any) -> bool:
    return isinstance(x.type, sparse.SparseType) and x.dtype != "bool"


def _of_type(x: Any, result: Any) -> Any:
    """Return a variable of this type, or None if it cannot be one."""
    if result is None or x.type == result:
        return x
    return tensor.patternbroadcast(x, result.broadcastable) if x.dtype == result.dtype else None
