"""Subtensor and IncSubtensor on XLA."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, clusters, compare, same
from theano.compile import DeepCopyOp
from theano.compile.mode import Mode

from theano_colab.xla.types import shared_constructor

# Theano's Python code: NumPy's own indexing. C code for all these index lists takes minutes.
PYTHON = Mode("py", "fast_run").excluding("xla")


def array(*shape, dtype="float32"):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


SLICES = [
    np.s_[:],
    np.s_[1:3],
    np.s_[-3:-1],
    np.s_[::2],
    np.s_[::-1],
    np.s_[3:0:-2],
    np.s_[5:2],
    np.s_[-100:100],
    np.s_[100:-100:-1],
    np.s_[2],
    np.s_[-1],
    np.s_[1, 2],
    np.s_[1:, -1],
    np.s_[-2, ::-3],
    np.s_[::2, ::-1],
    np.s_[1:1, 3],
    np.s_[:, 1:2, ::-1],
    np.s_[0, 1, 2],
    np.s_[-1, ::-2, 1:],
]


def test_known_indices():
    x = tt.ftensor3()
    compare(
        [x],
        [x[one] for one in SLICES],
        (array(5, 4, 3),),
        (array(5, 4, 6)[..., ::2],),
        host=(DeepCopyOp,),
        modes=(PYTHON, XLA),
    )


def test_known_places_are_written():
    x, v, row = tt.ftensor3(), tt.fscalar(), tt.fvector()
    outputs = []
    for one in SLICES:
        outputs += [tt.inc_subtensor(x[one], v), tt.set_subtensor(x[one], v)]
        if x[one].ndim:
            y = row[0] if x[one].ndim == 1 and one == np.s_[1, 2] else row[:1]
            outputs += [tt.inc_subtensor(x[one], y), tt.set_subtensor(x[one], y)]
    compare(
        [x, v, row], outputs, (array(5, 4, 3), np.float32(-7), array(3) * 10), modes=(PYTHON, XLA)
    )


def test_batches_of_a_shared_array_compile_once():
    """Only the length of a batch is compiled in: the last one is shorter, and makes the second."""
    data, labels = array(103, 4), np.arange(103)
    i, size = tt.lscalar(), 10
    programs = []
    for make in (theano.shared, shared_constructor):
        x, y = make(data), make(labels)
        batch = slice(i * size, (i + 1) * size)
        both = [tt.tanh(x[batch]).sum(axis=1), tt.cast(y, "int32")[batch] * 2, (x * x + 1)[batch]]
        mode = PYTHON if make is theano.shared else XLA
        programs.append(theano.function([i], both, mode=mode))
    for number in (*range(11), -1, 50):
        for one, other in zip(*(program(number) for program in programs), strict=True):
            same(other, one)
    (cluster,) = clusters(programs[1])
    assert cluster.program.counts.compiled == 3  # 10, 3 and none
    assert not cluster.program.counts.on_host


def test_gradient_by_a_batch_compiles_once():
    x = shared_constructor(array(20, 3))
    i = tt.lscalar()
    f = theano.function([i], theano.grad((x[i : i + 5] ** 2).sum(), x), mode=XLA)
    for number in range(6):
        expected = np.zeros((20, 3), "f")
        expected[number : number + 5] = 2 * array(20, 3)[number : number + 5]
        same(f(number), expected)
    (cluster,) = clusters(f)
    assert (cluster.program.counts.compiled, cluster.program.counts.on_host) == (1, 0)


def test_rows_by_number_compile_once():
    x = shared_constructor(array(7, 4))
    i, j = tt.lscalar(), tt.iscalar()
    f = theano.function([i, j], [x[i] * 2, (x * 2)[i, j], tt.inc_subtensor(x[i], j)], mode=XLA)
    for number in (0, 6, -1, -7):
        row, element, added = f(number, 2)
        same(row, array(7, 4)[number] * 2)
        same(element, array(7, 4)[number, 2] * 2)
        same(added[number], array(7, 4)[number] + 2)
    for bad in [(7, 0), (-8, 0), (0, 4), (0, -5)]:
        with pytest.raises(IndexError):
            f(*bad)
    same(f(1, 1)[1], np.float32(10))
    (cluster,) = clusters(f)
    assert cluster.program.counts.compiled == 1


def test_bounds_that_vary():
    x, y = tt.fmatrix("x"), tt.fvector("y")
    i, j, k = tt.lscalar("i"), tt.iscalar("j"), tt.bscalar("k")
    parts = [x[i:], x[:i], x[i:j], x[i:j, k], x[::k], x[j:i:-1], x[i:j:k], x[:, i:j], x[-i:]]
    parts += [(x + 1)[i:j], (x.T * 2)[i:j], x[x.shape[0] - i :], x[: x.shape[1] - 1, i]]
    outputs = [part * 2 for part in parts]
    outputs += [tt.set_subtensor(part, 0) for part in parts[:9]]
    outputs += [tt.inc_subtensor(x[i:j], y), tt.set_subtensor((x * 2)[i:j, 1:3], y[:1])]
    calls = [
        (array(6, 4), array(4), *bounds)
        for bounds in [(1, 4, 2), (0, 2, 3), (-3, -1, -1), (2, 20, 1), (3, 1, -4)]
    ]
    compare([x, y, i, j, k], outputs, *calls, modes=(PYTHON, XLA))


def test_bounds_that_are_wrong():
    x, i, k = tt.fmatrix("x"), tt.lscalar("i"), tt.lscalar("k")
    compare([x, i], (x * 2)[i], *[(array(3, 4), i) for i in (3, -4, 0)], replays=2)
    compare([x, i], (x * 2)[:, i], (array(3, 4), 4), (array(3, 0), 0), replays=2)
    compare([x, k], x[::k] * 2, (array(3, 4), 0), replays=1, modes=(PYTHON, XLA))
    compare([x], [x[3] * 2, x[:, -5] * 2], (array(3, 4),), (array(4, 5),), replays=1)


def test_bounds_from_the_data():
    """The device's number becomes a length: known before the second cluster; an index is not."""
    x, v = tt.fmatrix(), tt.lvector()
    outputs = [x[: v.max()] * 2, x[v.argmin()] * 2, x[v[0]] + 1, x[v.sum() % 3] + 1]
    calls = [(array(6, 4), [1, 3, 2]), (array(6, 4), [5, 4, 5])]
    compare([x, v], outputs, *calls)


def test_values_are_assigned_as_numpy_does():
    outputs, arrays = [], []
    values = {"int8": [-7], "float16": [0.1], "float64": [1 / 3], "complex64": [1j], "bool": [True]}
    variables = []
    for into in values:
        x = tt.TensorType(into, (False, False))()
        variables.append(x)
        arrays.append((np.arange(12).reshape(3, 4) % 2).astype(into))
        for of, value in values.items():
            if np.can_cast(of, into, "same_kind"):
                y = np.array(value, of)
                outputs += [tt.inc_subtensor(x[1:, 2], y), tt.set_subtensor(x[::2], y)]
    compare(variables, outputs, arrays, modes=(PYTHON, XLA))


def test_what_does_not_broadcast():
    x, y = tt.fmatrix(), tt.fmatrix()
    for write in (tt.inc_subtensor, tt.set_subtensor):
        good, bad = (array(3, 4), array(1, 4)), (array(3, 4), array(2, 3))
        compare([x, y], write(x[:2], y), good, bad, (array(3, 4), array(2, 1)), replays=1)
        # A leading axis of size 1 is dropped by an assignment alone.
        compare([x, y], write(x[1], y[0]), good, replays=0)
        compare([x, y], write(x[0:1, 0], y[:, 0]), good, bad, replays=1)


def test_gradients():
    x, y, i = tt.fmatrix(), tt.fvector(), tt.lscalar()
    cost = (x[1:3] ** 2).sum() + (x[::-2, i] ** 3).sum() + (x[i, 1:] * y[1:]).sum()
    cost += (tt.set_subtensor(x[i], y) ** 2).sum() + (
        tt.inc_subtensor(x[:, ::2], y[::2]) ** 2
    ).sum()
    calls = [(array(5, 4), array(4), 1), (array(5, 4), array(4), -1)]
    compare([x, y, i], theano.grad(cost, [x, y]), *calls, modes=(PYTHON, XLA))
