"""Indexing by arrays of integers and by masks on XLA."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, clusters, compare
from theano.compile.mode import Mode
from theano.tensor.subtensor import AdvancedBooleanSubtensor
from theano.tensor.type_other import SliceType

from theano_colab.xla.types import shared_constructor

# Theano's Python code: NumPy's own indexing; most of these ops have no C code.
PYTHON = Mode("py", "fast_run").excluding("xla")
MODES = (PYTHON, XLA)

x = tt.ftensor3("x")
rows, pairs = tt.lvector("rows"), tt.imatrix("pairs")
k, v = tt.lscalar("k"), tt.fscalar("v")
y, row, matrix = tt.fvector("y"), tt.frow("row"), tt.fmatrix("matrix")

X = np.random.RandomState(1).rand(5, 4, 6).astype("f")
ROWS = np.array([0, -1, 3, 3])
PAIRS = np.array([[1, 2], [-3, 0]], "int32")
VECTOR = np.arange(4, dtype="f") * 10
MATRIX = np.arange(16, dtype="f").reshape(4, 4)
ROW = np.arange(6, dtype="f")[None]
MASK = np.array([True, False, True, True, False])
MASK2 = X[:, :, 0] > 0.5


def test_what_numpy_selects():
    indices = [
        np.s_[rows],
        np.s_[:, rows],
        np.s_[rows, 1],
        np.s_[rows, :, 2],
        np.s_[1, :, rows],
        np.s_[rows, rows],
        np.s_[pairs],
        np.s_[:, pairs, pairs],
        np.s_[pairs, :, pairs],
        np.s_[rows, None],
        np.s_[None, rows, :, None],
        np.s_[rows, 1:3],
        np.s_[rows, -1:0:-2, k],
        np.s_[k, None, rows],
        np.s_[[0, 1], :, [2, 3]],
        np.s_[rows, :, k : k + 2],
        np.s_[rows, k:],
    ]
    outputs = [x[one] for one in indices]
    compare([x, rows, pairs, k], outputs, (X, ROWS, PAIRS, 1), (X, ROWS[:0], PAIRS, 2), modes=MODES)


def test_slices_that_a_function_is_given():
    part = SliceType()()
    outputs = [x[rows, part], tt.inc_subtensor(x[rows, part], k)]
    calls = [(X, ROWS, one, 2) for one in (slice(1, 3), slice(None, None, -1), slice(np.int8(2)))]
    f = compare([x, rows, part, k], outputs, *calls, calls[0], modes=MODES)
    assert [op.program.counts.compiled for op in clusters(f)] == [3]


def test_places_are_written():
    outputs = []
    for write in (tt.inc_subtensor, tt.set_subtensor):
        numbers = [np.s_[rows], np.s_[:, rows], np.s_[pairs], np.s_[:, pairs, pairs]]
        numbers += [np.s_[pairs, :, pairs], np.s_[rows, :, k : k + 2], np.s_[rows, None]]
        outputs += [write(x[one], v) for one in numbers]
        outputs += [write(x[one], y) for one in (np.s_[rows, 1, 2], np.s_[rows, rows, 2])]
        outputs += [write(x[one], y) for one in (np.s_[:, rows, rows], np.s_[1, rows, 0])]
        outputs += [write(x[one], matrix) for one in (np.s_[rows, :, 2], np.s_[1, :, rows])]
        outputs += [write(x[rows], row), write(x[rows], row * matrix[:, :1, None])]
    call = (X, ROWS, PAIRS, 1, np.float32(9), VECTOR, MATRIX, ROW)
    compare([x, rows, pairs, k, v, y, matrix, row], outputs, call, modes=MODES)


def test_the_last_of_equal_places_stays():
    index, values = tt.lvector(), tt.fvector()
    many = np.random.RandomState(2).randint(-50, 50, 5000)
    z = tt.fvector()
    outputs = [tt.set_subtensor(z[index], values), tt.inc_subtensor(z[index], values)]
    call = (np.zeros(50, "f"), many, np.arange(5000, dtype="f"))
    compare([z, index, values], outputs, call)


def test_beyond_the_bounds():
    m, i, j = tt.fmatrix(), tt.lvector(), tt.TensorType("uint8", (False,))()
    a = np.ones((3, 2), "f")
    outputs = [m[i], m[:, i], m[i, i], tt.inc_subtensor(m[i], 1), tt.set_subtensor(m[i, i], 2)]
    outputs.append(m[j])
    for position, output in enumerate(outputs):
        calls = [(a, [0, 5], [0]), (a, [-6, 0], [0]), (a, [0, 1], [5]), (a[:0], [0], [0])]
        f = compare([m, i, j], output, *calls, replays=4, modes=MODES)
        bad = (a, [0, 1], [255]) if position == len(outputs) - 1 else (a, [9], [0])
        with np.testing.assert_raises(IndexError):
            f(*bad)
        f(a, [0, -1], [1])


def test_indices_of_narrow_dtypes():
    z = tt.dvector()
    for dtype in ("int8", "uint8", "uint16", "uint64"):
        index = tt.TensorType(dtype, (False,))()
        numbers = np.array([0, 100, 120 if dtype != "int8" else -120], dtype)
        outputs = [z[index], tt.inc_subtensor(z[index], 1), tt.set_subtensor(z[index], z[:3])]
        compare([z, index], outputs, (np.arange(300.0), numbers), modes=MODES)


def test_known_masks():
    masks = [MASK, MASK2, np.s_[:, MASK[:4]], np.s_[MASK, [0, 1, 2]], np.s_[1, MASK[:4]]]
    outputs = [x[one] for one in masks]
    outputs += [write(x[one], v) for one in masks for write in (tt.inc_subtensor, tt.set_subtensor)]
    compare([x, v], outputs, (X, np.float32(3)), modes=MODES)


def test_masks_that_are_computed():
    mask, mask2 = tt.TensorType("bool", (False,))(), tt.TensorType("bool", (False, False))()
    outputs = [tt.set_subtensor(x[x > 0.5], 0), tt.inc_subtensor(x[x > 0.5], v)]
    for write in (tt.inc_subtensor, tt.set_subtensor):
        outputs += [write(x[mask], v), write(x[mask2], v)]
        outputs += [write(x[mask], row), write(x[mask2], row), write(x[mask2], matrix)]
    values = np.random.RandomState(3).rand(MASK2.sum(), 6).astype("f")
    few = np.zeros((1, 6), "f")
    calls = [
        (X, MASK, MASK2, np.float32(3), ROW, values),
        (X, MASK, MASK2, np.float32(3), ROW, values[1:]),  # too few values
        (X, MASK, MASK2[:4], np.float32(3), ROW, values),  # a mask that does not fit
        (X, MASK, MASK2 & False, np.float32(3), ROW, few[:0]),
        (X[:0], MASK[:0], MASK2[:0], np.float32(3), ROW, few),
    ]
    compare([x, mask, mask2, v, row, matrix], outputs, *calls, modes=MODES, replays=2)


def test_what_a_computed_mask_selects_is_for_the_host():
    mask = tt.TensorType("bool", (False, False))()
    outputs = [x[mask], theano.grad((x[mask] ** 2).sum(), x)]
    compare([x, mask], outputs, (X, MASK2), modes=MODES, host=(AdvancedBooleanSubtensor,))


def test_gradients():
    cost = (x[rows] ** 2).sum() + (x[rows, :, 2] ** 2).sum() + (x[:, pairs, pairs] ** 3).sum()
    written = tt.set_subtensor(x[rows, 1], y) ** 2 + tt.inc_subtensor(x[rows, 1], y) ** 2
    cost += written.sum()
    call = (X, np.array([0, -1, 3, 2]), PAIRS, np.arange(6, dtype="f"))
    compare([x, rows, pairs, y], theano.grad(cost, [x, y]), call, modes=MODES)


def test_rows_on_the_c_linker():
    m, i = tt.dmatrix(), tt.ivector()
    outputs = [m[i], tt.inc_subtensor(m[i], m[:1]), tt.set_subtensor(m[i], m[i] * 2)]
    compare([m, i], outputs, (np.arange(12.0).reshape(4, 3), [0, 3, 3, -1]))


def test_rows_that_the_host_names_are_checked_there():
    """The device is not asked whether all went well: calls need not wait for it."""
    table, index = shared_constructor(MATRIX), tt.lvector()
    outputs = [table[index] * 2, tt.inc_subtensor(table[index], 1), (table * 2)[index]]
    f = theano.function([index], outputs, mode=XLA)
    for numbers in ([0, 3, -4, 0], []):
        for got, expected in zip(f(numbers), numpy_rows(numbers), strict=True):
            np.testing.assert_array_equal(got, expected)
    for bad in ([4], [0, -5]):
        with pytest.raises(IndexError):
            f(bad)
    (cluster,) = clusters(f)
    assert len(cluster.graph.indices) == len(outputs)
    assert cluster.program.counts.reasons == ["an index is out of bounds"]


def numpy_rows(numbers):
    numbers = np.array(numbers, int)
    added = MATRIX.copy()
    np.add.at(added, numbers, 1)
    return MATRIX[numbers] * 2, added, (MATRIX * 2)[numbers]


def test_what_is_chosen_from_may_be_a_shared_variable():
    own = shared_constructor(MATRIX)
    which, given = (MATRIX.astype("int64") // 10) % 2, MATRIX + 100
    i = tt.lmatrix()
    f = theano.function([i, matrix], tt.choose(i, [own, matrix]), mode=XLA)
    np.testing.assert_array_equal(f(which, given), np.choose(which, [MATRIX, given]))
