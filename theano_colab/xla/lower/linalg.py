"""Linear algebra. What LAPACK refuses is checked: the host then raises NumPy's or SciPy's error.

Left to the host: Eig (XLA has it on the CPU only), lstsq (its shapes depend on the rank), QR in
mode "raw", TensorSolve, and CholeskyGrad, which nothing makes any more.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import expm as jax_expm
from jax.scipy.linalg import lu_factor, lu_solve
from theano.tensor import nlinalg, slinalg

from theano_colab.xla.registry import lowers

if TYPE_CHECKING:
    from theano import Apply

    from theano_colab.xla.trace import Trace

_REAL = frozenset(["float32", "float64"])
_FLOATS = _REAL | {"complex64", "complex128"}
# numpy.linalg.pinv takes singular values below this part of the largest for zeros.
_PINV_CUTOFF = 1e-15


def _is_float(node: Apply) -> bool:
    return all(one.dtype in _FLOATS for one in (*node.inputs, *node.outputs))


def _is_real(node: Apply) -> bool:
    return all(one.dtype in _REAL for one in (*node.inputs, *node.outputs))


def _square(trace: Trace, *matrices: Any) -> None:
    """Refuse what is not square, and what is empty."""
    if any(one.shape[0] != one.shape[1] or not one.shape[0] for one in matrices):
        trace.refuse(f"matrices of shapes {[one.shape for one in matrices]}")


def _finite(trace: Trace, *arrays: Any) -> None:
    for one in arrays:
        trace.check(jnp.isfinite(jnp.asarray(one)).all())


def _solve(trace: Trace, a: Any, b: Any) -> Any:
    """Solve ``a x = b`` by elimination; a pivot of zero is LAPACK's sign of a singular matrix."""
    factors = lu_factor(a)
    trace.check((jnp.diagonal(factors[0]) != 0).all())
    return lu_solve(factors, b)


def _wide(x: Any) -> Any:
    """Return an array in the double precision that numpy.linalg computes in, and rounds from.

    In float32 an inverse would lose as many digits as the matrix is ill-conditioned. SciPy, whose
    functions the ops of theano.tensor.slinalg call, does compute in float32.
    """
    return x.astype(np.result_type(x.dtype, "float64"))


def _transposed(x: Any) -> Any:
    return jnp.conj(x.T)


@lowers(slinalg.Cholesky, accepts=_is_float)
def cholesky(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the triangular root of the matrix that one triangle of ``x`` describes."""
    x = jnp.asarray(x)
    _square(trace, x)
    _finite(trace, x)
    lower = lax.linalg.cholesky(x if node.op.lower else _transposed(x), symmetrize_input=False)
    holds = jnp.isfinite(lower).all()
    if node.op.on_error == "raise":
        trace.check(holds)
    lower = jnp.where(holds, jnp.tril(lower), np.nan)
    return lower if node.op.lower else _transposed(lower)


def _is_usual(node: Apply) -> bool:
    return _is_float(node) and node.op.A_structure in {
        "general",
        "symmetric",
        "hermitian",
        "lower_triangular",
        "upper_triangular",
    }


@lowers(slinalg.Solve, accepts=_is_usual)
def solve(trace: Trace, node: Apply, a: Any, b: Any) -> Any:
    """Solve ``a x = b``; of a triangular matrix the other triangle is not read."""
    dtype = node.outputs[0].dtype
    a, b = jnp.asarray(a).astype(dtype), jnp.asarray(b).astype(dtype)
    _square(trace, a)
    if b.shape[0] != a.shape[0] or 0 in b.shape:
        trace.refuse(f"shapes {a.shape} and {b.shape}")
    _finite(trace, a, b)
    if not node.op.A_structure.endswith("_triangular"):
        return _solve(trace, a, b)
    trace.check((jnp.diagonal(a) != 0).all())
    columns = b if b.ndim == 2 else b[:, None]  # noqa: PLR2004  # a matrix
    lower = node.op.A_structure == "lower_triangular"
    return _triangular(a, columns, lower=lower).reshape(b.shape)


def _triangular(a: Any, b: Any, *, lower: bool) -> Any:
    return lax.linalg.triangular_solve(a, b, left_side=True, lower=lower)


@lowers(nlinalg.MatrixInverse, accepts=_is_float)
def matrix_inverse(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the inverse."""
    x = jnp.asarray(x)
    _square(trace, x)
    wide = _wide(x)
    return _solve(trace, wide, jnp.eye(x.shape[0], dtype=wide.dtype)).astype(x.dtype)


@lowers(nlinalg.TensorInv, accepts=_is_float)
def tensor_inverse(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the inverse of ``x`` as a matrix, whose rows are its first axes."""
    x, split = jnp.asarray(x), node.op.ind
    if split <= 0:
        trace.refuse(f"ind is {split}")
    rows, columns = x.shape[:split], x.shape[split:]
    matrix = x.reshape(math.prod(rows), math.prod(columns))
    return matrix_inverse(trace, node, matrix).reshape(*columns, *rows)


@lowers(nlinalg.MatrixPinv, accepts=_is_float)
def matrix_pinv(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the pseudo-inverse."""
    x = jnp.asarray(x)
    if 0 in x.shape:
        trace.refuse("an empty matrix")
    u, values, v = jnp.linalg.svd(jnp.conj(_wide(x)), full_matrices=False)
    _finite(trace, values)
    large = values > jnp.asarray(_PINV_CUTOFF, values.dtype) * values.max()
    inverse = jnp.where(large, 1 / jnp.where(large, values, 1), 0)
    return jnp.matmul(v.T, inverse[:, None] * u.T, precision=trace.precision).astype(x.dtype)


@lowers(nlinalg.Det, accepts=_is_float)
def det(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the determinant."""
    x = jnp.asarray(x)
    _square(trace, x)
    factors, pivots = lu_factor(_wide(x))
    swaps = (pivots != jnp.arange(x.shape[0])).sum()
    return (jnp.where(swaps % 2, -1, 1) * jnp.diagonal(factors).prod()).astype(x.dtype)


@lowers(nlinalg.SVD, accepts=_is_real)
def svd(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the singular values, largest first, between their vectors if those are asked for."""
    x = jnp.asarray(x)
    if 0 in x.shape:
        trace.refuse("an empty matrix")
    vectors = bool(node.op.compute_uv)
    result = jnp.linalg.svd(x, full_matrices=bool(node.op.full_matrices), compute_uv=vectors)
    _finite(trace, result[1] if vectors else result)
    return list(result) if vectors else result


@lowers(nlinalg.QRFull, nlinalg.QRIncomplete, accepts=lambda n: _is_float(n) and n.op.mode != "raw")
def qr(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the orthonormal and the triangular factor, or that alone in mode "r"."""
    x = jnp.asarray(x)
    if 0 in x.shape or node.op.mode not in {"reduced", "complete", "r"}:
        trace.refuse(f"shape {x.shape} in mode {node.op.mode}")
    result = jnp.linalg.qr(x, mode=node.op.mode)
    return result if node.op.mode == "r" else list(result)


@lowers(nlinalg.Eigh, accepts=_is_real)
def eigh(trace: Trace, node: Apply, x: Any) -> Any:
    """Return the eigenvalues, smallest first, and the vectors of the matrix of one triangle."""
    x = jnp.asarray(x)
    _square(trace, x)
    values, vectors = _eigh(_symmetric(_wide(x), lower=node.op.UPLO == "L"))
    _finite(trace, values)
    return [one.astype(x.dtype) for one in (values, vectors)]


def _eigh(x: Any) -> tuple[Any, Any]:
    values, vectors = jnp.linalg.eigh(x, symmetrize_input=False)
    return values, vectors


def _symmetric(x: Any, *, lower: bool) -> Any:
    """Return the symmetric matrix of which one triangle is given."""
    return jnp.tril(x) + jnp.tril(x, -1).T if lower else jnp.triu(x) + jnp.triu(x, 1).T


def _folded(x: Any, *, lower: bool) -> Any:
    """Add the triangle that was not read, turned over, to the one that was."""
    return jnp.tril(x) + jnp.triu(x, 1).T if lower else jnp.triu(x) + jnp.tril(x, -1).T


@lowers(nlinalg.EighGrad, accepts=_is_real)
def eigh_grad(trace: Trace, node: Apply, x: Any, w: Any, v: Any, gw: Any, gv: Any) -> Any:
    """Return the gradient of Eigh: perturbation theory, as Eigh.grad documents."""
    dtype = node.outputs[0].dtype
    w, v, gw, gv = (jnp.asarray(one).astype(dtype) for one in (w, v, gw, gv))
    gaps = w[:, None] - w[None, :] + jnp.eye(w.shape[0], dtype=dtype)
    mixed = jnp.matmul(gv.T, v, precision=trace.precision) / gaps
    inner = jnp.where(jnp.eye(w.shape[0], dtype=bool), jnp.diag(gw), mixed)
    grad = _product(trace, v, inner, v.T)
    return _folded(grad, lower=node.op.UPLO == "L")


def _product(trace: Trace, a: Any, b: Any, c: Any) -> Any:
    ab = jnp.matmul(a, b, precision=trace.precision)
    return jnp.matmul(ab, c, precision=trace.precision)


def _generalized(trace: Trace, a: Any, b: Any, *, lower: bool) -> tuple[Any, Any]:
    """Return the eigenvalues and vectors of ``a v = w b v``, with ``v' b v = 1``."""
    root = lax.linalg.cholesky(_symmetric(b, lower=lower), symmetrize_input=False)
    trace.check(jnp.isfinite(root).all())
    half = _triangular(root, _symmetric(a, lower=lower), lower=True)
    values, vectors = _eigh(_symmetric(_triangular(root, half.T, lower=True), lower=True))
    return values, _triangular(root.T, vectors, lower=False)


@lowers(slinalg.Eigvalsh, accepts=_is_real)
def eigvalsh(trace: Trace, node: Apply, a: Any, b: Any = None) -> Any:
    """Return the eigenvalues of ``a``, or those of ``a v = w b v``, smallest first."""
    dtype, lower = node.outputs[0].dtype, node.op.lower
    a = jnp.asarray(a).astype(dtype)
    _finite(trace, a)
    if b is None:
        _square(trace, a)
        return _eigh(_symmetric(a, lower=lower))[0]
    b = jnp.asarray(b).astype(dtype)
    _square(trace, a, b)
    _finite(trace, b)
    return _generalized(trace, a, b, lower=lower)[0]


@lowers(slinalg.EigvalshGrad, accepts=_is_real)
def eigvalsh_grad(trace: Trace, node: Apply, a: Any, b: Any, gw: Any) -> Any:
    """Return the gradients of Eigvalsh for both matrices."""
    dtype, lower = node.outputs[0].dtype, node.op.lower
    a, b, gw = (jnp.asarray(one).astype(dtype) for one in (a, b, gw))
    _square(trace, a, b)
    _finite(trace, a, b)
    values, vectors = _generalized(trace, a, b, lower=lower)
    grads = [
        _product(trace, vectors, jnp.diag(gw), vectors.T),
        -_product(trace, vectors, jnp.diag(gw * values), vectors.T),
    ]
    return [_folded(one, lower=lower) for one in grads]


@lowers(slinalg.Expm, accepts=_is_real)
def expm(trace: Trace, node: Apply, a: Any) -> Any:
    """Return the matrix exponential."""
    a = jnp.asarray(a)
    _square(trace, a)
    _finite(trace, a)
    return jax_expm(a)


@lowers(slinalg.ExpmGrad, accepts=_is_real)
def expm_grad(trace: Trace, node: Apply, a: Any, grad: Any) -> Any:
    """Return the gradient of the matrix exponential.

    It is the corner of the exponential of a matrix of twice the size (N. J. Higham, Functions of
    Matrices, 2008, theorem 3.6).
    """
    a = jnp.asarray(a)
    grad = jnp.asarray(grad).astype(a.dtype)
    _square(trace, a, grad)
    _finite(trace, a)
    n = a.shape[0]
    return jax_expm(jnp.block([[a.T, grad], [jnp.zeros_like(a), a.T]]))[:n, n:]
