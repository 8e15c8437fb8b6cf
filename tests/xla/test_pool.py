"""Pooling and its derivatives on XLA."""

import numpy as np
import pytest
import theano.tensor as tt
from differ import compare
from theano.tensor.signal import pool

WINDOWS = [
    # window, stride, padding, ignore_border
    ((2, 2), None, (0, 0), True),
    ((2, 2), None, (0, 0), False),
    ((3, 2), (2, 1), (0, 0), True),
    ((3, 2), (2, 1), (0, 0), False),
    ((2, 2), (3, 3), (0, 0), False),
    ((3, 3), (2, 2), (1, 2), True),
    ((3, 2), (3, 2), (2, 1), True),
]


def random(*shape, dtype="float32", seed=0):
    # Few different values: ties are what is hard about maxima.
    return np.random.default_rng(seed).integers(-4, 5, size=shape).astype(dtype)


def outputs_of(x, y):
    """Return y, its gradient, the gradient of that, and the derivative along a direction."""
    first = tt.grad((y**3).sum(), x)
    return [y, first, tt.grad((first**2).sum(), x)]


@pytest.mark.parametrize("windows", WINDOWS, ids=str)
def test_maxima(windows):
    size, stride, pad, ignore = windows
    x = tt.ftensor4()
    y = pool.pool_2d(x, size, ignore, stride, pad, "max")
    outputs = [*outputs_of(x, y), tt.Rop(y, x, x**2)]
    compare([x], outputs, [random(2, 3, 7, 8)], [random(1, 1, 4, 5)])


@pytest.mark.parametrize("windows", WINDOWS, ids=str)
def test_sums_and_averages(windows):
    size, stride, pad, ignore = windows
    x = tt.ftensor4()
    modes = ["sum", "average_inc_pad"] + ["average_exc_pad"] * (not any(pad))
    outputs = []
    for mode in modes:
        outputs += outputs_of(x, pool.pool_2d(x, size, ignore, stride, pad, mode))
    if any(pad):
        outputs.append(pool.pool_2d(x, size, ignore, stride, pad, "average_exc_pad"))
    compare([x], outputs, [random(2, 3, 7, 8)], rtol=1e-5)


def test_one_and_three_dimensions():
    x = tt.tensor5(dtype="float64")
    outputs = []
    for y in (
        pool.pool_3d(x, (2, 3, 2), True, (1, 2, 2), (0, 1, 1)),
        pool.pool_3d(x, (2, 2, 2), False, mode="sum"),
        pool.Pool(True, "average_inc_pad", ndim=1)(x, (2,)),
    ):
        outputs += [y, tt.grad((y**2).sum(), x)]
    compare([x], outputs, [random(2, 1, 4, 5, 6, dtype="float64")])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64"])
def test_integers(dtype):
    x = tt.tensor4(dtype=dtype)
    outputs = [
        pool.Pool(True, mode)(x, (2, 2), (1, 2), (1, 0))
        for mode in ("max", "sum", "average_inc_pad", "average_exc_pad")
    ]
    compare([x], outputs, [random(1, 2, 5, 6).astype(dtype)])


def test_the_direction_at_the_first_maximum():
    x, v = tt.ftensor4(), tt.ftensor4()
    outputs = [
        pool.MaxPoolRop(True)(x, v, (2, 2)),
        pool.MaxPoolRop(True)(x, v, (3, 2), (1, 1), (1, 1)),
    ]
    compare([x, v], outputs, [random(1, 2, 5, 6), random(1, 2, 5, 6, seed=1)])


def test_special_values():
    x = tt.fmatrix()
    ys = [
        pool.pool_2d(x, (2, 2), True),
        pool.pool_2d(x, (2, 2), True, (1, 1), (1, 1)),
        pool.pool_2d(x, (2, 2), True, mode="sum"),
    ]
    values = random(6, 6)
    values[0, 0] = values[1, 3] = values[2, 5] = np.nan
    values[4:, :2] = -np.inf
    values[3, 0] = np.inf
    compare([x], [*ys, tt.grad(ys[0].sum(), x), tt.grad(ys[1].sum(), x)], [values])


def test_empty_and_small_images():
    x = tt.ftensor4()
    y = pool.pool_2d(x, (2, 2), True)
    compare([x], [y, tt.grad(y.sum(), x)], [random(0, 3, 4, 4)], [random(2, 3, 1, 4)])


def test_sizes_that_are_inputs():
    x, size = tt.ftensor4(), tt.lvector()
    y = pool.pool_2d(x, size, True)
    call = random(1, 1, 6, 6)
    compare([x, size], [y, tt.grad(y.sum(), x)], *([call, np.array([n, 2])] for n in (2, 3)))


def test_padding_that_does_not_go():
    x, pad = tt.ftensor4(), tt.lvector()
    y = pool.Pool(False)(x, (2, 2), (2, 2), pad)
    compare([x, pad], y, [random(1, 1, 4, 4), np.array([1, 0])], replays=1)
