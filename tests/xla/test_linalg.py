"""Linear algebra on XLA; matrices that LAPACK refuses raise what it raises."""

import functools

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, compare
from theano.tensor import nlinalg, slinalg

# These ops have no C code, or the same in Python, which need not be compiled.
PYTHON = theano.Mode("py", "fast_run").excluding("xla")
same = functools.partial(compare, modes=(PYTHON, XLA))

pytestmark = pytest.mark.filterwarnings("ignore:.*LinAlgWarning")


def matrix(n=4, m=None, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=(n, m or n)).astype(dtype)


def positive(n=4, dtype="float64"):
    x = matrix(n)
    return (x @ x.T + n * np.eye(n)).astype(dtype)


SINGULAR = np.ones((3, 3))
NAN = np.array([[1, np.nan], [np.nan, 1]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cholesky(dtype):
    x = tt.matrix("x", dtype)
    lower, upper = slinalg.Cholesky(), slinalg.Cholesky(lower=False)
    outputs = [op(x) for op in (lower, upper)]
    outputs += [tt.grad((op(x) ** 2).sum(), x) for op in (lower, upper)]
    # Only one triangle is read.
    call = positive(dtype=dtype) + np.triu(matrix(dtype=dtype), 1) / 10
    same([x], outputs[:2], [call])
    same([x], outputs, [positive(dtype=dtype)], rtol=1e-4 if dtype == "float32" else None)


def test_what_has_no_root():
    x = tt.dmatrix()
    wrong = [[-np.eye(2)], [NAN], [np.ones((2, 3))]]
    same([x], slinalg.cholesky(x), *wrong, replays=3)
    y = slinalg.Cholesky(on_error="nan")(x)
    same([x], [y, tt.grad(y.sum(), x)], [-np.eye(2)], [positive()])


@pytest.mark.parametrize(
    "structure", ["general", "symmetric", "lower_triangular", "upper_triangular"]
)
def test_solve(structure):
    a, b, v = tt.dmatrix(), tt.dmatrix(), tt.dvector()
    op = slinalg.Solve(structure)
    outputs = [op(a, b), op(a, v)]
    outputs += [*tt.grad((outputs[0] ** 2).sum(), [a, b]), *tt.grad(outputs[1].sum(), [a, v])]
    same([a, b, v], outputs, [positive(), matrix(4, 3), matrix(1, 4)[0]])


def test_what_cannot_be_solved():
    a, b = tt.dmatrix(), tt.dmatrix()
    wrong = [[SINGULAR, matrix(3)], [NAN, matrix(2)], [matrix(3), matrix(2)], [matrix(3, 2)] * 2]
    same([a, b], slinalg.solve(a, b), *wrong, replays=4)
    triangular = slinalg.solve_lower_triangular(a, b)
    same([a, b], triangular, [np.triu(matrix(3), 1), matrix(3)], replays=1)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_inverses_and_determinants(dtype):
    x = tt.matrix("x", dtype)
    outputs = [nlinalg.matrix_inverse(x), nlinalg.det(x), nlinalg.pinv(x)]
    value = matrix(dtype=dtype) + (1j * matrix(seed=1) if dtype == "complex128" else 0)
    rtol = 1e-4 if dtype == "float32" else 1e-9
    same([x], outputs, [value.astype(dtype)], [value.astype(dtype)[:1, :1]], rtol=rtol)
    if dtype == "float64":
        grads = [tt.grad(one.sum(), x) for one in outputs]
        same([x], grads, [value], rtol=rtol)
        same([x], outputs[2], [matrix(4, 2)], [matrix(2, 5)], rtol=rtol)


def test_float32_is_computed_in_float64_as_numpy_does():
    x, y = tt.fmatrix(), tt.fmatrix()
    root = np.linalg.qr(matrix(8))[0]
    poor = ((root * np.logspace(0, -4, 8)) @ root.T).astype("float32")
    flat = np.outer(np.arange(1, 5), np.arange(1, 4)).astype("float32")
    outputs = [nlinalg.matrix_inverse(x), nlinalg.det(x), nlinalg.pinv(x), nlinalg.pinv(y)]
    same([x, y], outputs, [poor, flat], rtol=1e-6)


def test_singular_matrices():
    x = tt.dmatrix()
    same([x], nlinalg.matrix_inverse(x), [SINGULAR], [np.zeros((2, 2))], replays=2)
    same([x], nlinalg.det(x), [np.zeros((2, 2))], [np.ones((2, 3))], replays=1)
    same([x], nlinalg.pinv(x), [np.diag([2.0, 0, 1])])


def test_eigenvalues():
    x, b = tt.dmatrix(), tt.dmatrix()
    outputs = []
    for which in "LU":
        values, vectors = nlinalg.eigh(x, which)
        # The sign of a vector is free.
        outputs += [values, (vectors * values).dot(vectors.T), tt.grad((values**3).sum(), x)]
        outputs.append(tt.grad(abs(vectors).sum(), x))
    for lower in (True, False):
        values = slinalg.eigvalsh(x, b, lower)
        outputs += [values, *tt.grad((values**2).sum(), [x, b])]
    outputs.append(slinalg.Eigvalsh()(x, tt.NoneConst))
    same([x, b], outputs, [matrix(), positive()], rtol=1e-8)


@pytest.mark.parametrize("which", ["L", "U"])
def test_eigenvalues_in_float32_are_as_near_as_numpys(which):
    x = tt.fmatrix()
    values, vectors = nlinalg.eigh(x, which)
    half = matrix(6, dtype="float32")
    # Values from 0.1 to 10; numpy.linalg computes in float64. The sign of a vector is free.
    same([x], [values / values[0], abs(vectors)], [half @ half.T], rtol=3e-7)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3)])
def test_decompositions(shape):
    x = tt.dmatrix()
    outputs = [nlinalg.svd(x, compute_uv=False)]
    for full in (False, True):
        u, s, v = nlinalg.svd(x, full_matrices=full)
        outputs += [s, u.dot(u.T), v.dot(v.T)]
    for mode in ("reduced", "complete"):
        q, r = nlinalg.qr(x, mode)
        outputs += [q.dot(q.T), q.dot(r), abs(r)]
    outputs.append(abs(nlinalg.qr(x, "r")))
    same([x], outputs, [matrix(*shape)], rtol=1e-9)


def test_exponentials():
    x = tt.dmatrix()
    y = slinalg.expm(x)
    same([x], [y, tt.grad((y**2).sum(), x)], [matrix() / 2], rtol=1e-8)


def test_traces_powers_and_products():
    x, y = tt.dmatrix(), tt.dmatrix()
    outputs = [nlinalg.trace(x), nlinalg.matrix_power(x, 3), slinalg.kron(x, y)]
    outputs += [nlinalg.matrix_dot(x, y, x), nlinalg.norm(x, "fro")]
    same([x, y], outputs, [matrix(), matrix(seed=1)])


def test_tensors():
    x = tt.dtensor4()
    same([x], nlinalg.tensorinv(x), [matrix(6).reshape(2, 3, 3, 2)], rtol=1e-9)
