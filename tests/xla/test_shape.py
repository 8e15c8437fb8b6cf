"""Shapes, new arrays of a shape, and what joins, cuts and passes on, on XLA."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, clusters, compare
from theano.compile.mode import Mode
from theano.compile.ops import DeepCopyOp, Rebroadcast, SpecifyShape, view_op
from theano.tensor.extra_ops import cpu_contiguous
from theano.tensor.opt import Assert, MakeVector

# Theano's Python code instead of C code that takes long to compile, where they are known to agree.
PYTHON = Mode("py", "fast_run").excluding("xla")
MODES = (PYTHON, XLA)
# Outputs that are inputs, or one another, are copied.
HOST = (DeepCopyOp,)

x, y, z = tt.fmatrix("x"), tt.fmatrix("y"), tt.fvector("z")
n, m = tt.lscalar("n"), tt.lscalar("m")
A = np.arange(12, dtype="f").reshape(3, 4)


def test_reshape():
    outputs = [
        tt.exp(x).reshape((4, 3)),
        x.reshape((-1,)),
        x.reshape((2, -1, 2)),
        x.reshape((x.shape[1], x.shape[0])),
        x.reshape((n, -1)),
        x.T.reshape((n, 2, x.shape[0] * x.shape[1] // (2 * n))),
        x.flatten(),
        tt.flatten(tt.tile(x, (2, 1, 1)), 2),
        x.sum().reshape((1, 1)),
        x[:1, :1].reshape(()),
    ]
    compare(
        [x, n],
        outputs,
        (A, 3),
        (np.repeat(A, 2, 1)[:, ::2], 3),
        (A[::-1], 2),
        host=HOST,
        modes=MODES,
    )


def test_a_shape_given_as_a_vector():
    shape = tt.ivector()
    f = compare(
        [x, shape],
        x.reshape(shape, ndim=2) * 2,
        (A, [4, 3]),
        (A, [-1, 2]),
        (A, [6, 2]),
        modes=MODES,
    )
    assert clusters(f)[0].program.counts.compiled == 3


@pytest.mark.parametrize("shape", [(5, -1), (5, 2), (-1, -1), (-2, 6), (0, -1)])
def test_a_wrong_shape(shape):
    a, b = tt.lscalar(), tt.lscalar()
    compare([x, a, b], x.reshape((a, b)), (A, *shape), modes=MODES, replays=1)


def test_reshape_of_nothing():
    outputs = [x.reshape((n, 3)), x.reshape((0, n))]
    compare([x, n], outputs, (A[:0], 0), (A[:0], 5), modes=MODES, replays=1)


def test_shapes_are_known():
    outputs = [x.shape * 2, tt.exp(x).shape[0] * x.sum(), tt.dot(x, y).shape.prod() + x[0, 0]]
    compare([x, y], outputs, (A, A.T), host=(MakeVector, tt.Elemwise, tt.elemwise.Prod))


def test_what_does_not_change_values():
    outputs = [
        view_op(x * 2) + 1,
        DeepCopyOp()(x * 2) + 1,
        cpu_contiguous(x.T * 2) + 1,
        Rebroadcast((0, False), (1, False))(x * 2) + 1,
        tt.unbroadcast(x.sum(0, keepdims=True), 0) + 1,
        SpecifyShape()(x * 2, [3, 4]) + 1,
        SpecifyShape()(x * 2, [n, 4]) + 1,
    ]
    compare([x, n], outputs, (A, 3), (A.copy("F"), 3), host=HOST, modes=MODES)


def test_what_is_held_to_a_shape():
    compare([x], tt.addbroadcast(x, 0) * 2, (A[:1],), (A,), modes=MODES, replays=1)
    f = compare([x, n], SpecifyShape()(x, [n, 4]) * 2, (A, 3), (A, 2), modes=MODES, replays=1)
    with pytest.raises(AssertionError):
        f(A, 2)


def test_assert():
    positive = Assert("negative!")(x * 2, (x > 0).all(), tt.ge(n, 0))
    f = compare([x, n], positive + 1, (A + 1, 1), (A, 1), (A + 1, -1), modes=MODES, replays=2)
    with pytest.raises(AssertionError, match="negative!"):
        f(A - 1, 1)


def test_alloc():
    outputs = [
        tt.alloc(z, n, z.shape[0]) + 1,
        tt.alloc(x, n, 3, 4) * 2,
        tt.zeros((n, m)) + x[0, 0],
        tt.ones_like(x) * x,
        tt.zeros_like(x),
        tt.alloc(x[:, :1], 3, n) + 1,
        tt.fill(x, z[0]) + 1,
        tt.AllocEmpty("float32")(n, m).zeros_like(),
        tt.tile(x, (2, n)),
        tt.alloc(np.float64(3), n, n, 1) + 1,
    ]
    call = (A, A[0], 2, 0)
    f = compare(
        [x, z, n, m], outputs, call, (A, A[0], 2, 5), (A, A[0], 0, 5), host=HOST, modes=MODES
    )
    assert f(*call)[2].shape == (2, 0)


def test_alloc_of_what_does_not_fit():
    calls = [(A, 3), (A, 2), (A[:1], 5), (A, -3)]
    compare([x, n], tt.alloc(x, n, 4) + 1, *calls, modes=MODES, replays=2)


def test_make_vector():
    a, b = tt.fscalar(), tt.dscalar()
    i = tt.iscalar()
    outputs = [
        tt.stack([a, b]) * 2,
        tt.stack([a, a + 1]),
        tt.as_tensor_variable([i, i * 2, 7]) * z[0],
    ]
    outputs += [tt.opt.MakeVector("int8")() * 2, tt.stack([x, x + 1], axis=1)]
    compare([a, b, i, z, x], outputs, (np.float32(2), 3.0, 4, A[0], A), host=HOST, modes=MODES)


def test_join_and_split():
    d = tt.dmatrix()
    sizes = tt.lvector()
    parts = tt.Split(3)(x, 1, sizes)
    outputs = [
        tt.join(0, x, y),
        tt.join(1, x, y * 2, d),
        tt.join(-1, x, y),
        tt.concatenate([z, z[:1], z[:0]]),
        tt.join(0, x, x[:1], x[0:0]),
        tt.Join(view=0)(1, x, y[:, :0]) + 1,
        tt.join(n, x, y),
        *parts,
        *tt.Split(2)(d, n - 1, [1, 2]),
    ]
    calls = [(A, A + 1, A[0], A.astype("d"), [1, 0, 3], 1), (A, A, A[0], A * 2.0, [4, 0, 0], -1)]
    compare([x, y, z, d, sizes, n], outputs, *calls, modes=MODES)


def test_join_and_split_of_what_does_not_fit():
    compare([x, y], tt.join(0, x, y) * 2, (A, A[:, 1:]), (A, A[:, :0]), modes=MODES, replays=2)
    compare([x, y, n], tt.join(n, x, y) * 2, (A, A, 2), (A, A, -3), modes=MODES, replays=2)
    sizes = tt.lvector()
    parts = [part + 1 for part in tt.Split(2)(x, 0, sizes)]
    bad = [(A, [1, 1]), (A, [4, -1]), (A, [1, 1, 1])]
    compare([x, sizes], parts, *bad, modes=MODES, replays=3)


def test_gradients():
    cost = (tt.join(1, x, y) ** 2).sum() + (tt.alloc(x[0], 3, 4) * y).sum()
    cost += (x.reshape((4, n)) ** 3)[1].sum() + (tt.tile(x, (2, 2)) ** 2).sum()
    first, second = tt.Split(2)(x, 1, [1, 3])
    cost += (first * second).sum()
    compare([x, y, n], theano.grad(cost, [x, y]), (A, A + 1, 3))


def test_a_shape_that_data_decides():
    """The graph is cut where the device's numbers become sizes."""
    v = tt.lvector()
    made = tt.zeros((v.sum(), 3)) + x[0, 0]
    f = compare([v, x], [made, tt.arange(v.max()) * 2], ([1, 2], A), ([3, 0], A), ([0, 0], A))
    assert len(clusters(f)) == 2


def test_sizes_without_theanos_rewrites():
    """FAST_COMPILE leaves shapes as vectors."""
    modes = (
        Mode("py", "fast_compile").excluding("xla"),
        Mode("cvm", "fast_compile").including("xla"),
    )
    shape = x.shape
    outputs = [
        x.reshape(tt.concatenate([shape[:1], shape[1:] * 1]), ndim=2) + 1,
        tt.zeros((shape[-1], shape[0])) + y,
        x.reshape((shape.prod(), 1)) * 2,
        x.flatten().reshape((shape[0] * 2, -1)) * 2,
    ]
    f = compare([x, y], outputs, (A, A.T), modes=modes)
    assert len(clusters(f)) == 1
