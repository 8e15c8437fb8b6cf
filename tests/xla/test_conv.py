"""Convolutions and their gradients on XLA, beside Theano's CorrMM."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, clusters, compare
from theano.tensor.nnet import abstract_conv as ac
from theano.tensor.nnet import conv, corr

from theano_colab.xla.types import shared_constructor


def random(*shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def check(images, filters, ndim=2, dtype="float32", replays=0, **options):
    """Compare a convolution and both gradients of it."""
    kind = tt.TensorType
    x = kind(dtype, (False,) * len(images))("x")
    w = kind(dtype, (False,) * len(filters))("w")
    layer = ac.conv2d if ndim == 2 else ac.conv3d
    y = layer(x, w, **options)
    outputs = [y, *tt.grad((y**3).sum(), [x, w])]
    call = [random(*images, dtype=dtype), random(*filters, seed=1, dtype=dtype)]
    return compare([x, w], outputs, call, rtol=1e-5, replays=replays)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"border_mode": "full", "subsample": (2, 1)},
        {"border_mode": "half", "filter_flip": False, "subsample": (2, 3)},
        {"border_mode": (1, (2, 0)), "filter_dilation": (2, 1)},
        {"border_mode": 1, "subsample": (3, 2), "filter_dilation": (1, 2), "filter_flip": False},
    ],
    ids=str,
)
def test_two_dimensions(options):
    check((2, 3, 9, 8), (4, 3, 3, 2), **options)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("images", [(4, 4), (5, 5)], ids=str)
def test_filters_as_long_as_their_stride_and_longer_than_the_gradient(images, groups):
    options = {"border_mode": (3, 1), "subsample": (3, 2), "num_groups": groups}
    check((3, 4, *images), (4, 4 // groups, 4, 2), dtype="float64", **options)


@pytest.mark.parametrize("options", [{}, {"border_mode": "half", "subsample": (2, 2)}], ids=str)
def test_groups(options):
    check((2, 6, 7, 8), (4, 3, 3, 2), num_groups=2, **options)
    check((2, 4, 5, 5), (4, 1, 3, 3), num_groups=4, **options)


def test_filters_of_their_own_for_every_place():
    check((2, 3, 6, 5), (4, 4, 4, 3, 3, 2), unshared=True)
    check((2, 4, 6, 7), (4, 2, 3, 2, 3, 2), unshared=True, num_groups=2, subsample=(2, 2))
    check((2, 3, 6, 5), (4, 6, 6, 3, 3, 2), unshared=True, filter_flip=False, border_mode=(1, 1))


def test_transposed_convolutions_of_weights_on_the_device():
    w = shared_constructor(random(4, 3, 3, 3, seed=1))
    x = tt.ftensor4("x")
    images = ac.AbstractConv2d_gradInputs(kshp=(4, 3, 3, 3), subsample=(2, 2))(w, x, (9, 9))
    filters = ac.AbstractConv2d_gradWeights(imshp=(2, 3, 9, 9), subsample=(2, 2))(
        shared_constructor(random(2, 3, 9, 9)), x, (3, 3)
    )
    outputs = [images, filters, *tt.grad((images**3).sum() + (filters**3).sum(), [w, x])]
    compare([x], outputs, [random(2, 4, 4, 4, seed=2)], rtol=1e-5)


def test_three_dimensions():
    check((2, 3, 5, 6, 4), (4, 3, 3, 2, 2), ndim=3)
    options = {"border_mode": "half", "subsample": (2, 1, 1), "filter_dilation": (1, 2, 1)}
    check((2, 4, 5, 6, 4), (4, 2, 3, 3, 2), ndim=3, num_groups=2, filter_flip=False, **options)


def test_float64_is_exact_to_float64():
    x, w = tt.dtensor4(), tt.dtensor4()
    call = [random(2, 3, 5, 5, dtype="float64"), random(4, 3, 2, 2, dtype="float64")]
    compare([x, w], ac.conv2d(x, w), call)


def test_nothing_in_the_batch():
    x, w = tt.ftensor4(), tt.ftensor4()
    y = ac.conv2d(x, w)
    outputs = [y, *tt.grad(y.sum(), [x, w])]
    compare([x, w], outputs, [random(0, 3, 5, 5), random(4, 3, 2, 2)])


def test_shapes_that_do_not_fit():
    x, w = tt.ftensor4(), tt.ftensor4()
    wrong = [
        [random(2, 3, 5, 5), random(4, 2, 2, 2)],
        [random(2, 3, 5, 5), random(4, 3, 7, 7)],
    ]
    compare([x, w], ac.conv2d(x, w), *wrong, replays=2)


def test_empty_gradients_that_do_not_fit():
    one, two, three = tt.ftensor4("one"), tt.ftensor4("two"), random(1, 1, 3, 3)
    images, filters = ac.AbstractConv2d_gradInputs(), ac.AbstractConv2d_gradWeights()
    empty, fits = random(1, 1, 0, 0), random(1, 1, 1, 1)
    for op in (images, filters):
        compare([one, two], op(one, two, (3, 3)), [three, empty], [three, fits], replays=1)
    nothing = random(0, 1, 3, 3)
    compare([one, two], filters(one, two, (3, 3)), [nothing, random(0, 1, 1, 1)])
    compare([one, two], filters(one, two, (3, 3)), [nothing, fits], replays=1)


def test_declared_shapes_that_are_wrong():
    x, w = tt.ftensor4(), tt.ftensor4()
    y = ac.conv2d(x, w, input_shape=(2, 3, 5, 5), filter_shape=(4, 3, 2, 2))
    wrong = [random(2, 3, 6, 5), random(4, 3, 2, 2)]
    compare([x, w], y, [random(2, 3, 5, 5), random(4, 3, 2, 2)], wrong, replays=1)


def test_upsampling():
    x = tt.dtensor4()
    y = ac.bilinear_upsampling(x, ratio=2, batch_size=2, num_input_channels=3)
    compare([x], [y, tt.grad((y**2).sum(), x)], [random(2, 3, 4, 5, dtype="float64")])


@pytest.mark.filterwarnings("ignore:theano.tensor.nnet.conv.conv2d is deprecated")
def test_the_old_conv2d():
    x, w = tt.ftensor4(), tt.ftensor4()
    outputs = []
    for mode in ("valid", "full"):
        y = conv.conv2d(x, w, border_mode=mode)
        outputs += [y, *tt.grad((y**2).sum(), [x, w])]
    outputs.append(conv.conv2d(x, w, subsample=(2, 3)))
    call = [random(2, 3, 7, 6), random(4, 3, 3, 2)]
    function = compare([x, w], outputs, call, rtol=1e-5)
    ops = {type(node.op) for cluster in clusters(function) for node in cluster.nodes}
    assert conv.ConvOp in ops
    declared = conv.conv2d(x, w, image_shape=(2, 3, 7, 6), filter_shape=(4, 3, 3, 2))
    compare([x, w], declared, call, [random(2, 3, 8, 6), call[1]], rtol=1e-5, replays=1)


def test_the_ops_of_the_cpu():
    x, w = tt.ftensor4(), tt.ftensor4()
    y = corr.CorrMM(border_mode=(1, 1), subsample=(2, 1))(x, w)
    outputs = [y, *tt.grad((y**2).sum(), [x, w])]
    compare([x, w], outputs, [random(2, 3, 7, 6), random(4, 3, 3, 2)], rtol=1e-5)


def test_float16_is_computed_in_float32():
    x, w = tt.tensor4(dtype="float16"), tt.tensor4(dtype="float16")
    a, b = random(2, 3, 5, 5, dtype="float16"), random(4, 3, 2, 2, dtype="float16")
    got = theano.function([x, w], ac.conv2d(x, w), mode=XLA)(a, b)
    wide = theano.function([x, w], ac.conv2d(x.astype("float32"), w.astype("float32")))(a, b)
    np.testing.assert_array_equal(got, wide.astype("float16"))
