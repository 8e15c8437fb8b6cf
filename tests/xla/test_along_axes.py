"""Sorting, searching, cumulative sums, repetition, diagonals and places in arrays on XLA."""

import warnings

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, clusters, compare
from theano.compile.mode import Mode
from theano.tensor import extra_ops, nlinalg
from theano.tensor.basic import Tile
from theano.tensor.sort import TopKOp

# These ops have no C code but CumOp and SearchsortedOp, which call NumPy.
MODES = (Mode("py", "fast_run").excluding("xla"), XLA)
x, v, n = tt.dmatrix("x"), tt.dvector("v"), tt.lscalar("n")
A = np.random.RandomState(5).randint(-4, 5, (5, 6)) * 0.5
SPECIAL = np.array([1, np.nan, -np.inf, 0.0, -0.0, np.inf, -1, np.nan])


def test_cumulative():
    i, h = tt.TensorType("int8", (False,))(), tt.TensorType("float16", (False,))()
    outputs = [
        function(x * 2, axis)
        for function in (extra_ops.cumsum, extra_ops.cumprod)
        for axis in (None, 0, 1, -1)
    ]
    outputs += [
        extra_ops.cumsum(i * 2),
        extra_ops.cumprod(i),
        extra_ops.cumsum(h),
        extra_ops.cumsum(v),
    ]
    calls = [
        (a, w, np.arange(100, 110), np.linspace(0, 1, 9, dtype="float16"))
        for a, w in [(A, SPECIAL), (A[:0], SPECIAL[:0])]
    ]
    compare([x, v, i, h], outputs, *calls, modes=MODES)
    compare(
        [x],
        theano.grad((extra_ops.cumsum(x, 1) ** 2).sum() + extra_ops.cumprod(x).sum(), x),
        (A + 9,),
        modes=MODES,
    )


def test_differences():
    outputs = [extra_ops.diff(x * 2, order, axis) for order in (1, 2) for axis in (0, -1)]
    outputs += [extra_ops.diff(v, 0) * 2, theano.grad((extra_ops.diff(v[:4], 2) ** 2).sum(), v)]
    compare([x, v], outputs, (A, np.arange(5.0) ** 2), modes=MODES)


def test_repetition():
    counts = tt.lvector()
    outputs = [
        tt.repeat(x, 2, 0) * 2,
        tt.repeat(x, n, 1) * 2,
        tt.repeat(x, n) * 2,
        tt.repeat(x, counts, 0) * 2,
        extra_ops.RepeatOp(axis=-1)(x, n) * 2,
        extra_ops.RepeatOp()(x, n) * 2,
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs += [Tile(2)(x, [2, n]) + 1, Tile(2)(v, [3, n]) + 1]
    calls = [(A, v, 2, [0, 1, 2, 3, 1]) for v in (A[0], A[0, :0])]
    compare([x, v, n, counts], outputs, *calls, (A, A[0], 0, [0] * 5), modes=MODES)
    compare(
        [x, counts],
        tt.repeat(x, counts, 0) * 2,
        (A, [1, 2]),
        (A, [1] * 4 + [-1]),
        replays=2,
        modes=MODES,
    )


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_more_repetitions_than_their_dtype_counts(dtype):
    counts = tt.vector(dtype=dtype)
    numbers = np.arange(100.0)
    compare([v, counts], tt.repeat(v, counts) * 2, (numbers, np.arange(100, dtype=dtype) % 7))


def test_sorting():
    k = tt.ivector()
    outputs = [tt.sort(x * 2, axis) for axis in (None, 0, 1, -1)]
    outputs += [tt.argsort(x * 2, axis) for axis in (None, 0, 1, -1)]
    outputs += [
        tt.sort(v),
        tt.argsort(v),
        tt.sort(k),
        tt.argsort(k),
        tt.sort(x, n),
        tt.argsort(x, n),
    ]
    # Without ties: NumPy's quicksort may order equal elements in its own way.
    a = np.random.RandomState(7).permutation(30).reshape(5, 6) * 1.0
    calls = [(a, SPECIAL, [3, -1, 2], 0), (a[:0], SPECIAL[:0], [], 1)]
    compare([x, v, k, n], outputs, *calls, modes=MODES)
    compare(
        [x],
        theano.grad((tt.sort(x, 1)[:, 1:3] ** 2).sum(), x),
        (A + np.arange(6) / 100,),
        modes=MODES,
    )
    compare([x, n], tt.sort(x * 2, n), (A, 2), (A, -3), replays=2, modes=MODES)


def test_the_largest():
    for k in (1, 3, -2, -1, 6):
        values, places = TopKOp(axis=1, sorted=False)(x, k)
        f = theano.function(
            [x],
            [
                tt.sort(values, 1),
                places,
                tt.sort(TopKOp(axis=1, sorted=False, return_indices=False)(x, k), 1),
            ],
            mode=XLA,
        )
        a = np.random.RandomState(6).permutation(30).reshape(5, 6) * 1.0
        largest = np.sort(a, 1)[:, -k:] if k > 0 else np.sort(a, 1)[:, :-k]
        first, at, second = f(a)
        np.testing.assert_array_equal(first, largest)
        np.testing.assert_array_equal(second, largest)
        np.testing.assert_array_equal(np.sort(np.take_along_axis(a, at, 1), 1), largest)
    best = tt.topk(x, n, axis=0, sorted=False)
    compare([x, n], tt.sort(best, 0), (A, 2), (A, -3), (A, 0), (A, 6), replays=2, modes=MODES)


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "int64", "uint8", "bool"]
)
def test_the_largest_among_ties_and_extremes(dtype):
    a = np.random.RandomState(9).randint(-3, 4, (3, 4, 7)).astype(dtype)
    if dtype.startswith("float"):
        a[0, 0, :4] = np.inf, -np.inf, np.nan, -np.nan
        a[1, 2] = np.nan
        a[2, :, 3] = -0.0
    elif dtype != "bool":
        a[0, 0, :4] = np.iinfo(dtype).min, np.iinfo(dtype).max, 0, np.iinfo(dtype).min
    inp = tt.TensorType(dtype, (False,) * 3)()
    counts = ((0, 1), (1, 2), (-1, 3), (0, -2), (1, -4), (2, -1))
    found = [TopKOp(axis=axis, sorted=False)(inp, k) for axis, k in counts]
    # NumPy partitions: which of equal elements it takes, and in which order, is its own.
    f = theano.function([inp], [one for pair in found for one in pair], mode=XLA)
    got = f(a)
    for (axis, k), values, places in zip(counts, got[::2], got[1::2], strict=True):
        inorder = np.moveaxis(np.sort(a, axis), axis, -1)
        expected = inorder[..., -k:] if k > 0 else inorder[..., :-k]
        np.testing.assert_array_equal(np.sort(np.moveaxis(values, axis, -1)), expected)
        np.testing.assert_array_equal(np.take_along_axis(a, places, axis), values)
        each = np.sort(np.moveaxis(places, axis, -1))
        assert (np.diff(each) > 0).all()
    assert [op.program.counts.on_host for op in clusters(f)] == [0]


def test_the_gradient_of_the_largest():
    for axis, k in ((0, 2), (1, 3), (-1, -2)):
        best = tt.topk(x, k, axis=axis, sorted=False)
        a = np.random.RandomState(6).permutation(30).reshape(5, 6) * 0.1
        compare([x], theano.grad((tt.exp(best) * 2).sum(), x), (a,), (a.T,), modes=MODES)


def test_searching():
    w, order = tt.fmatrix(), tt.lvector()
    numbers = np.sort(A.ravel())[::3]
    outputs = [extra_ops.searchsorted(v, w, side) for side in ("left", "right")]
    outputs += [extra_ops.searchsorted(v[::-1], w, "left", order), extra_ops.searchsorted(v, 0.5)]
    calls = [(numbers, A.astype("f")[:, :2], np.arange(10)[::-1]), (numbers[:0], A.astype("f"), [])]
    compare([v, w, order], outputs, *calls, modes=MODES)


def test_searching_what_is_not_sorted():
    numbers = np.random.RandomState(8).uniform(size=50)
    found = extra_ops.searchsorted(v, x, "right")
    compare([v, x], found, (numbers, numbers.reshape(5, 10)[:, ::-1]), replays=1)
    compare([v, x], found, (SPECIAL[np.argsort(SPECIAL)], A), (SPECIAL[:0], A))


def test_diagonals():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = nlinalg.AllocDiag()(v) * 2
    t = tt.dtensor3()
    outputs = [old, nlinalg.extract_diag(x) * 2, nlinalg.trace(x)]
    outputs += [tt.ExtractDiag(offset)(x) * 2 for offset in (-1, 2, 7)]
    outputs += [tt.ExtractDiag(1, 0, 2)(t) * 2, tt.ExtractDiag(-1, 2, 1)(t) * 2]
    outputs += [tt.AllocDiag(offset)(v) * 2 for offset in (-1, 0, 2)]
    outputs += [
        tt.AllocDiag(1, 0, 2)(x) * 2,
        tt.AllocDiag(-1, 1, 2)(x) * 2,
        tt.AllocDiag(0, 2, 0)(x) * 2,
    ]
    outputs += [
        extra_ops.fill_diagonal(x, v[0]),
        extra_ops.fill_diagonal(x.T, 3),
        extra_ops.fill_diagonal(t[:2, :2, :2], 7),
    ]
    outputs += [extra_ops.fill_diagonal_offset(x, v[0], k) for k in (-2, 0, 3, n)]
    calls = [
        (a, np.arange(3.0), np.arange(60.0).reshape(3, 4, 5), n)
        for a, n in [(A, 1), (A.T, -5), (A[:2], 6)]
    ]
    compare([x, v, t, n], outputs, *calls, modes=MODES)
    cost = (
        (nlinalg.extract_diag(x) ** 2).sum()
        + (extra_ops.fill_diagonal(x, v[0]) ** 2).sum()
        + (tt.diag(v) ** 2).sum()
    )
    compare([x, v], theano.grad(cost, [x, v]), (A, np.arange(3.0)), modes=MODES)


def test_places():
    k, rows, columns = tt.lmatrix(), tt.ivector(), tt.ivector()
    outputs = [*tt.unravel_index(k, (3, 4)), *tt.unravel_index(k, (n, 4), order="F")]
    for mode in ("raise", "wrap", "clip"):
        outputs += [tt.ravel_multi_index((rows, columns), (3, n), mode, order) for order in "CF"]
    good = ([[0, 5], [11, 3]], [0, 2, 1], [3, 0, 2], 4)
    compare([k, rows, columns, n], outputs, good, modes=MODES)
    compare([k], tt.unravel_index(k, (3, 4)), ([[12]],), ([[-1]],), replays=2, modes=MODES)
    outside = (
        tt.ravel_multi_index((rows, columns), (3, 4), "wrap"),
        tt.ravel_multi_index((rows, columns), (3, 4), "clip"),
    )
    compare([rows, columns], outside, ([-1, 5], [9, -7]), modes=MODES)
    inside = tt.ravel_multi_index((rows, columns), (3, 4))
    compare([rows, columns], inside, ([3], [0]), ([0], [-1]), replays=2, modes=MODES)


def test_permuted_rows():
    p, w = tt.lmatrix(), tt.lvector()
    order = np.array([np.random.RandomState(k).permutation(6) for k in range(5)])
    outputs = [tt.permute_row_elements(x, p), tt.permute_row_elements(x, p, inverse=True)]
    outputs += [tt.permute_row_elements(x, w), tt.permute_row_elements(v, p)]
    compare([x, v, p, w], outputs, (A, A[0], order, order[1]), modes=MODES)


def test_made_arrays():
    i, f = tt.bscalar(), tt.dscalar()
    outputs = [
        tt.arange(n) * 2,
        tt.arange(1, n, 2) * 2,
        tt.arange(n, 0, -1) * 2,
        tt.arange(i) * 2,
        tt.arange(0.0, f, 0.1) * 2,
        tt.arange(f) * 2,
        tt.arange(n, dtype="float32") * 2,
        tt.arange(x.shape[0]) * x[:, 0],
        tt.arange(x.shape[1] * 1000) + n,
        tt.eye(n, 4, 1) * 2,
        tt.eye(3, dtype="int8") * n,
        tt.eye(x.shape[0], k=-1) + x[0, 0],
        tt.tri(n, 4, -1) * 2,
        tt.tril(x),
        tt.triu(x, 1),
        extra_ops.bartlett(n) * 2,
        extra_ops.to_one_hot(tt.arange(3), 4) * 2,
        extra_ops.bincount(tt.cast(tt.arange(x.shape[0]), "int64") // 2, minlength=4),
    ]
    host = (tt.elemwise.CAReduce, tt.Elemwise)
    calls = [(A, 5, 7, 1.35), (A, 0, 0, 0.0), (A, -2, -1, -3.0)]
    function = compare([x, n, i, f], outputs, *calls[:2], modes=MODES, host=host)
    assert clusters(function)
    compare([n], [tt.arange(n) * 2, extra_ops.bartlett(n) * 2], (-2,), modes=MODES)
    compare([n], tt.arange(0, 4, n) * 2, (0,), replays=1, modes=MODES)


def test_what_stays_on_the_host():
    """What has as many elements as the data says."""
    outputs = [extra_ops.Unique()(v) * 2, tt.nonzero(v)[0] * 2, tt.nonzero_values(x) * 2]
    from theano.tensor.basic import Nonzero

    compare([x, v], outputs, (A, A[0]), host=(extra_ops.Unique, Nonzero, tt.Reshape), modes=MODES)


@pytest.mark.parametrize("length", [3, 1000])
def test_sorting_is_stable(length):
    k = tt.lvector()
    numbers = np.random.RandomState(8).randint(0, 5, length)
    got = theano.function([k], tt.argsort(k, kind="mergesort"), mode=XLA)(numbers)
    np.testing.assert_array_equal(got, np.argsort(numbers, kind="stable"))
