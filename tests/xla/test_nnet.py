"""Batch normalization, neighbourhoods and block-sparse products on XLA."""

import functools

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, compare
from theano.tensor.nnet import bn, conv3d2d, neighbours
from theano.tensor.nnet.blocksparse import sparse_block_dot

# These ops have no C code, or the same in Python, which need not be compiled.
PYTHON = theano.Mode("py", "fast_run").excluding("xla")
same = functools.partial(compare, modes=(PYTHON, XLA))


def random(*shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("axes", ["spatial", "per-activation"])
def test_batch_normalization(axes):
    x, parameters = tt.tensor4(dtype="float64"), [tt.tensor4(dtype="float64") for _ in range(4)]
    gamma, beta, mean, var = parameters
    shape = (1, 3, 1, 1) if axes == "spatial" else (1, 3, 4, 2)
    results = bn.batch_normalization_train(
        x, gamma, beta, axes, running_mean=mean, running_var=var, running_average_factor=0.2
    )
    test = bn.batch_normalization_test(x, gamma, beta, mean, var, axes)
    cost = (results[0] ** 3).sum()
    grads = tt.grad(cost, [x, gamma, beta])
    outputs = [*results, *grads, tt.grad((grads[0] ** 2).sum(), x), test]
    outputs += tt.grad((test**2).sum(), [x, *parameters])
    values = [random(*shape, seed=n, dtype="float64") for n in range(3)]
    call = [random(5, 3, 4, 2, dtype="float64"), *values, random(*shape, dtype="float64") ** 2]
    same([x, *parameters], outputs, call, rtol=1e-8)


def test_batch_normalization_in_float32():
    x, gamma, beta = tt.fmatrix(), tt.fvector(), tt.fvector()
    y, *statistics = bn.batch_normalization_train(x, gamma, beta)
    outputs = [y, *statistics, *tt.grad((y**3).sum(), [x, gamma, beta])]
    same([x, gamma, beta], outputs, [random(9, 3), random(3), random(3)], rtol=1e-5)


@pytest.mark.parametrize("mode", ["valid", "half", "full", "ignore_borders", "wrap_centered"])
def test_neighbourhoods(mode):
    x = tt.ftensor4()
    step = (2, 1) if mode in {"ignore_borders", "wrap_centered"} else (1, 1)
    outputs = [neighbours.images2neibs(x, (3, 3), step, mode)]
    if mode in {"valid", "ignore_borders"}:
        y = neighbours.images2neibs(x, (2, 3), mode=mode)
        outputs += [y, tt.grad((y**2).sum(), x)]
    size = (2, 2, 4, 6) if mode == "valid" else (2, 2, 7, 7)
    same([x], outputs, [random(*(2, 2, 6, 6)) if mode == "ignore_borders" else random(*size)])


def test_neighbourhoods_that_do_not_fit():
    x = tt.ftensor4()
    same([x], neighbours.images2neibs(x, (2, 2)), [random(1, 1, 3, 4)], replays=1)


def test_images_put_together_from_neighbourhoods():
    rows, size = tt.fmatrix(), tt.ivector()
    images = neighbours.neibs2images(rows, (2, 2), size)
    calls = [(random(6, 4), np.array(shape, "int32")) for shape in [(1, 1, 4, 6), (1, 1, 2, 4, 6)]]
    same([rows, size], images, *calls, replays=1)


def test_blocks():
    w, h, b = tt.ftensor4(), tt.ftensor3(), tt.fmatrix()
    rows, columns = tt.lmatrix(), tt.lmatrix()
    y = sparse_block_dot(w, h, rows, b, columns)
    outputs = [y, *tt.grad((y**2).sum(), [w, h, b])]
    call = [random(4, 5, 3, 2), random(6, 2, 3), random(5, 2)]
    integers = np.random.default_rng(1).integers
    call += [integers(0, 4, size=(6, 2)), integers(0, 5, size=(6, 3))]
    wrong = [*call[:3], call[3] + 9, call[4]]
    same([w, h, b, rows, columns], outputs, call, wrong, rtol=1e-5, replays=1)


def test_convolution_in_three_dimensions_by_stripes():
    x, w = tt.tensor5(dtype="float64"), tt.tensor5(dtype="float64")
    y = conv3d2d.conv3d(x, w, (1, 5, 2, 6, 6), (3, 3, 2, 2, 2))
    call = [random(1, 5, 2, 6, 6, dtype="float64"), random(3, 3, 2, 2, 2, dtype="float64")]
    compare([x, w], [y, *tt.grad((y**2).sum(), [x, w])], call)
