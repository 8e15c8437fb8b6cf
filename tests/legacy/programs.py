"""Programs under old names, each against NumPy; prints one line of JSON with every failure."""

# Written as a notebook's author would write it; each program's errors of any kind are its result.
# ruff: noqa: A004, B018, B905, BLE001, E741, N806, N812, N813, PLR0402, PT017, PT018

import contextlib
import io
import json
import sys
import traceback

import numpy as np
import scipy.signal
import theano
import theano.tensor as T
from theano.tensor.nnet import conv2d

XLA = theano.config.device == "xla"
# Elsewhere than on XLA every option of a convolution would be C of its own to compile.
MODE = None if XLA else theano.Mode("py", None)
RNG = np.random.RandomState(0)


def data(*shape):
    return RNG.normal(size=shape).astype("float32")


def same(found, expected, tolerance=2e-4):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def run(expression, *values):
    return theano.function([], theano.clone(expression, replace=dict(values)))()


def correlated(images, filters, flip):
    f = filters[:, :, ::-1, ::-1] if flip else filters
    return np.array(
        [
            [sum(scipy.signal.correlate2d(c, k, "valid") for c, k in zip(i, one)) for one in f]
            for i in images
        ]
    )


I, K = data(2, 3, 7, 6), data(4, 3, 3, 2)


def dnn_convolves():
    from theano.sandbox.cuda.dnn import dnn_conv

    i, k = theano.shared(I), theano.shared(K)
    same(theano.function([], dnn_conv(i, k))(), correlated(I, K, True))
    same(theano.function([], dnn_conv(i, k, conv_mode="cross"))(), correlated(I, K, False))
    # Theano 0.8's fifth argument was conv_mode.
    same(theano.function([], dnn_conv(i, k, "valid", (1, 1), "cross"))(), correlated(I, K, False))
    full = theano.function([], dnn_conv(img=i, kerns=k, border_mode="full", subsample=(2, 2)))()
    assert full.shape == (2, 4, 5, 4)


def dnn_convolves_volumes():
    from theano.gpuarray.dnn import dnn_conv3d

    v, k = data(1, 2, 4, 5, 6), data(3, 2, 2, 2, 2)
    expected = [sum(scipy.signal.convolve(v[0, c], one[c], "valid") for c in range(2)) for one in k]
    same(theano.function([], dnn_conv3d(T.constant(v), T.constant(k)))(), [expected])


def dnn_s_gradients_are_those_of_its_convolution():
    from theano.sandbox.cuda import dnn

    i, k = theano.shared(I), theano.shared(K)
    out = dnn.dnn_conv(i, k, conv_mode="cross")
    top = theano.shared(data(2, 4, 5, 5))
    wanted = T.grad((out * top).sum(), [k, i])
    got = [
        dnn.dnn_gradweight(i, top, K.shape, conv_mode="cross"),
        dnn.dnn_gradinput(k, top, I.shape, conv_mode="cross"),
    ]
    f = theano.function([], [*wanted, *got])
    same(f()[2], f()[0])
    same(f()[3], f()[1])


def dnn_s_ops_take_descriptors():
    from theano.gpuarray.basic_ops import GpuAllocEmpty, gpu_alloc_empty
    from theano.gpuarray.dnn import GpuDnnConv, GpuDnnConvDesc
    from theano.sandbox.cuda.basic_ops import gpu_alloc_empty as empty
    from theano.sandbox.cuda.dnn import GpuDnnConvGradI, GpuDnnConvGradW

    i, k, top = theano.shared(I), theano.shared(K), theano.shared(data(2, 4, 3, 4))
    how = {"border_mode": (1, 1), "subsample": (3, 2), "conv_mode": "cross"}
    out = T.nnet.conv2d(i, k, None, None, (1, 1), (3, 2), filter_flip=False)
    old, new = GpuDnnConvDesc(**how)(i.shape, k.shape), GpuDnnConvDesc((1, 1), (3, 2), "cross")()
    nothing = GpuAllocEmpty("float32", context_name=None)(*out.shape)
    wanted = [out, out + 2 * top, *T.grad((out * top).sum(), [k, i])]
    got = [
        GpuDnnConv(algo="small")(i, k, nothing, old),
        GpuDnnConv()(i, k, top, new, alpha=1.0, beta=2.0),
        GpuDnnConvGradW()(i, top, gpu_alloc_empty(None, "float32")(*k.shape), old),
        GpuDnnConvGradI()(k, top, empty(*i.shape), new),
    ]
    # Theano 0.7's first releases gave sizes for the result.
    wanted += [out, *wanted[2:]]
    got += [GpuDnnConv()(i, k, new), GpuDnnConvGradW()(i, top, old, 3, 2)]
    got.append(GpuDnnConvGradI()(k, top, old, 7, 6))
    for one, expected in zip(theano.function([], got)(), theano.function([], wanted)()):
        same(one, expected)


def dnn_pools():
    from theano.sandbox.cuda.dnn import dnn_pool

    f = theano.function([], dnn_pool(theano.shared(I), (2, 2), stride=(2, 2)))
    same(f(), I[:, :, :6].reshape(2, 3, 3, 2, 3, 2).max((3, 5)))
    f = theano.function([], dnn_pool(theano.shared(I), (2, 2), (2, 2), mode="average_exc_pad"))
    same(f(), I[:, :, :6].reshape(2, 3, 3, 2, 3, 2).mean((3, 5)))
    assert theano.function([], dnn_pool(theano.shared(I), (3, 3)))().shape == (2, 3, 5, 4)
    volume = theano.shared(data(1, 1, 4, 4, 4))
    f = theano.function([], dnn_pool(volume, (2, 2, 2), (2, 2, 2)))
    assert f().shape == (1, 1, 2, 2, 2)


def dnn_pools_over_windows_that_change():
    from theano.gpuarray.dnn import dnn_pool

    ws, stride, pad = (theano.shared(np.array(one, "int32")) for one in ([2, 3], [2, 3], [0, 0]))
    i = theano.shared(I)
    out = dnn_pool(i, ws, stride, "max", pad)
    f = theano.function([], [out, T.grad(out.sum(), i)])
    for size in ([2, 3], [3, 2]):
        ws.set_value(np.array(size, "int32"))
        stride.set_value(np.array(size, "int32"))
        expected, grad = f()
        rows, columns = 7 // size[0], 6 // size[1]
        windows = I[:, :, : rows * size[0]].reshape(2, 3, rows, size[0], columns, size[1])
        same(expected, windows.max((3, 5)))
        assert grad.sum() == expected.size
    n = T.iscalar()
    assert theano.function([n], dnn_pool(i, (n, 2)))(4).shape == (2, 3, 4, 5)


def dnn_normalizes():
    from theano.sandbox.cuda.dnn import dnn_batch_normalization_test, dnn_batch_normalization_train

    x = theano.shared(I)
    gamma, beta = (
        theano.shared(data(1, 3, 1, 1), broadcastable=(True, False, True, True)) for _ in "ab"
    )
    out, mean, inverse = dnn_batch_normalization_train(x, gamma, beta, "spatial", 1e-3)
    found = theano.function([], [out, mean, inverse])()
    m, v = I.mean((0, 2, 3), keepdims=True), I.var((0, 2, 3), keepdims=True)
    g, b = gamma.get_value(), beta.get_value()
    same(found[0], (I - m) / np.sqrt(v + 1e-3) * g + b)
    same(found[1], m)
    same(found[2], 1 / np.sqrt(v + 1e-3))
    out = dnn_batch_normalization_test(x, gamma, beta, mean, 1 / inverse**2, "spatial", 1e-3)
    same(theano.function([], out)(), (I - m) / np.sqrt(v + 2e-3) * g + b, 1e-3)


def dnn_has_a_softmax():
    from theano.sandbox.cuda.dnn import GpuDnnSoftmax

    e = np.exp(I)
    f = theano.function([], GpuDnnSoftmax("bc01", "accurate", "channel")(theano.shared(I)))
    same(f(), e / e.sum(1, keepdims=True))
    f = theano.function([], GpuDnnSoftmax("bc01", "log", "instance")(theano.shared(I)))
    same(f(), np.log(e / e.sum((1, 2, 3), keepdims=True)))
    x = theano.shared(I[:, :0])
    for mode in ("channel", "instance"):
        out = GpuDnnSoftmax("accurate", mode)(x)
        found = theano.function([], [out, T.grad(out.sum(), x)])()
        assert [one.shape for one in found] == [(2, 0, 7, 6)] * 2


def dnn_transforms_in_space():
    from scipy.ndimage import map_coordinates
    from theano.gpuarray.dnn import dnn_spatialtf

    theta = (np.eye(2, 3) + RNG.uniform(-0.8, 0.8, (2, 2, 3))).astype("float32")
    i, t = theano.shared(I), theano.shared(theta)
    out = dnn_spatialtf(i, t, scale_width=0.75, scale_height=2)
    w = theano.shared(data(2, 3, 14, 5))
    f = theano.function([], [out, *T.grad((out * w).sum(), [i, t])], mode=MODE)
    found, by_image, by_theta = f()
    y, x = (
        one.ravel()
        for one in np.meshgrid(np.linspace(-1, 1, 14), np.linspace(-1, 1, 5), indexing="ij")
    )

    def expected(images, maps):
        seen = maps @ np.stack([x, y, np.ones_like(x)])
        at = (seen[:, ::-1] + 1) / 2 * [[6], [5]]
        parts = [
            [map_coordinates(np.pad(c, 1), one + 1, order=1, cval=0) for c in image]
            for image, one in zip(images, at)
        ]
        return np.array(parts).reshape(2, 3, 14, 5)

    same(found, expected(I, theta))
    weights = w.get_value()
    step = np.zeros_like(theta, "float64")
    step[1, 0, 2] = 1e-4
    slope = ((expected(I, theta + step) - expected(I, theta - step)) * weights).sum() / 2e-4
    same(by_theta[1, 0, 2], slope, 1e-2)
    nudge = data(*I.shape)
    same(
        (by_image * nudge).sum(),
        ((expected(I + nudge, theta) - expected(I, theta)) * weights).sum(),
        1e-3,
    )


def dnn_tells_what_it_is_not():
    from theano.gpuarray import dnn
    from theano.sandbox.cuda import dnn_available

    assert dnn_available() is False
    assert "no GPU" in dnn.dnn_available.msg
    assert dnn.dnn_present() is False
    assert dnn.version(raises=False) == -1


def corr_mm_correlates():
    from theano.sandbox.cuda.basic_ops import gpu_contiguous
    from theano.sandbox.cuda.blas import GpuCorrMM

    op = GpuCorrMM(subsample=(1, 1), border_mode="valid")
    i, k = gpu_contiguous(theano.shared(I)), gpu_contiguous(theano.shared(K))
    same(theano.function([], op(i, k))(), correlated(I, K, False))
    assert theano.function([], GpuCorrMM(pad=(1, 1))(i, k))().shape == (2, 4, 7, 7)


def grouped(kernel, options, make, weights, inputs):
    """Demand that an old convolution and its old gradients are those of Theano's own conv2d."""
    k = theano.shared(kernel)
    i = theano.shared(data(2, 4, 6, 5))
    own = conv2d(i, k, filter_flip=False, **options)
    old = make(i, k)
    top = theano.shared(data(*theano.function([], own.shape, mode=MODE)()))
    wanted, found = ([x, *T.grad((x * top).sum(), [k, i])] for x in (own, old))
    ops = [weights(i, top, k.shape), inputs(k, top, i.shape)]
    second = [T.grad((op**2).sum(), top) for op in (*wanted[1:], *ops)]
    results = theano.function([], [*wanted, *second[:2], *found, *ops, *second[2:]], mode=MODE)()
    for expected, result in zip(
        [*results[:5], *results[1:3]], [*results[5:8], *results[10:], *results[8:10]], strict=True
    ):
        same(result, expected)


def corr_mm_in_groups():
    from theano.sandbox.cuda import blas

    options = {"num_groups": 2, "border_mode": (1, 0), "subsample": (2, 1)}
    grouped(
        data(6, 2, 3, 2),
        options,
        blas.GpuCorrMM(**options),
        lambda *args: blas.GpuCorrMM_gradWeights(**options)(*args[:2], args[2][-2:]),
        lambda *args: blas.GpuCorrMM_gradInputs(**options)(*args[:2], args[2][-2:]),
    )
    # As in Theano 1.0.5, where they had this place.
    assert (
        blas.GpuCorrMM("valid", (1, 1), (1, 1), 2)(
            theano.shared(data(1, 4, 3, 3)), theano.shared(data(2, 2, 3, 3))
        ).owner.op.num_groups
        == 2
    )


def corr_mm_knows_the_sizes_where_filters_move_by_one():
    from theano.gpuarray import blas

    i, k = theano.shared(I), theano.shared(K)
    for options in (
        {},
        {"border_mode": "full"},
        {"border_mode": (2, 1)},
        {"border_mode": ((2, 0), 1), "filter_dilation": (2, 1)},
    ):
        out = blas.GpuCorrMM(**options)(img=i, kern=k)
        top = theano.shared(data(*theano.function([], out.shape, mode=MODE)()))
        found = [
            *T.grad((out * top).sum(), [k, i]),
            blas.GpuCorrMM_gradWeights(**options)(i, topgrad=top),
            blas.GpuCorrMM_gradInputs(**options)(kern=k, topgrad=top),
            blas.GpuCorrMM_gradInputs(**options)(k, top, shape=I.shape[2:]),
        ]
        weights, inputs, *found = theano.function([], found, mode=MODE)()
        for one, other in zip(found, [weights, inputs, inputs], strict=True):
            same(one, other)
    out = blas.GpuCorrMM_gradInputs("half")(k, theano.shared(data(2, 4, 7, 6)))
    assert theano.function([], out.shape)().tolist() == [2, 3, 7, 5]
    for options, op in (
        ({"subsample": (2, 1)}, blas.GpuCorrMM_gradInputs),
        ({"border_mode": "half"}, blas.GpuCorrMM_gradWeights),
    ):
        try:
            op(**options)(i, i)
        except ValueError as error:
            assert "shape must be given" in str(error)
        else:
            raise AssertionError(options)


def corr_mm_pads_as_it_did_first():
    from theano.sandbox.cuda.blas import GpuCorrMM

    i, k = theano.shared(I), theano.shared(K)
    shapes = [GpuCorrMM("full", pad=(0, 0))(i, k).shape, GpuCorrMM(pad=(2, 1))(i, k).shape]
    found = theano.function([], shapes)()
    assert [shape.tolist() for shape in found] == [[2, 4, 9, 7], [2, 4, 9, 7]]


def corr_mm_with_filters_of_each_place():
    from theano.gpuarray import blas

    options = {"unshared": True, "num_groups": 2}
    grouped(
        data(6, 4, 4, 2, 3, 2),
        options,
        blas.GpuCorrMM(**options),
        lambda *args: blas.GpuCorrMM_gradWeights(**options)(*args[:2], args[2][-2:]),
        lambda *args: blas.GpuCorrMM_gradInputs(**options)(*args[:2], args[2][-2:]),
    )


def dnn_convolves_in_groups():
    from theano.gpuarray import dnn

    options = {"num_groups": 2, "border_mode": (1, 1), "subsample": (1, 2)}
    grouped(
        data(6, 2, 3, 3),
        options,
        lambda i, k: dnn.dnn_conv(i, k, conv_mode="cross", **options),
        lambda *args: dnn.dnn_gradweight(*args, conv_mode="cross", **options),
        lambda *args: dnn.dnn_gradinput(*args, conv_mode="cross", **options),
    )


def conv_3d_has_channels_last():
    from theano.tensor.nnet import conv3D, convGrad3D, convTransp3D

    V, W, b = data(2, 5, 6, 4, 3), data(4, 2, 3, 2, 3), data(4)
    d = (2, 1, 1)
    expected = np.zeros((2, 2, 4, 3, 4), "float32") + b
    for x, y, t in np.ndindex(2, 4, 3):
        window = V[:, 2 * x : 2 * x + 2, y : y + 3, t : t + 2]
        expected[:, x, y, t] += np.tensordot(window, W, [(1, 2, 3, 4), (1, 2, 3, 4)])
    v, w, H = theano.shared(V), theano.shared(W), theano.shared(data(2, 2, 4, 3, 4))
    out = conv3D(v, w, theano.shared(b), d)
    same(theano.function([], out)(), expected)
    wanted = T.grad((out * H).sum(), [w, v])
    got = [convGrad3D(v, d, W.shape, H), convTransp3D(w, T.zeros((3,)), d, H, V.shape[1:4])]
    f = theano.function([], [*wanted, *got])
    same(f()[2], f()[0])
    same(f()[3], f()[1])
    # Without a size the smallest one: the fifth row was not read.
    assert theano.function([], convTransp3D(w, T.zeros((3,)), d, H))().shape == (2, 4, 6, 4, 3)
    try:
        conv3D(v, w, theano.shared(b), T.ivector())
    except ValueError as error:
        assert "must be integers" in str(error)
    else:
        raise AssertionError


def downsample_pools():
    from theano.tensor.signal import downsample
    from theano.tensor.signal.downsample import DownsampleFactorMax, max_pool_2d

    x = theano.shared(I)
    expected = I[:, :, :6].reshape(2, 3, 3, 2, 3, 2).max((3, 5))
    same(theano.function([], max_pool_2d(x, (2, 2), ignore_border=True))(), expected)
    same(theano.function([], DownsampleFactorMax((2, 2), ignore_border=True)(x))(), expected)
    # Until 0.8 the border counted where nothing was said, and it still does.
    assert theano.function([], max_pool_2d(x, ds=(2, 2)))().shape == (2, 3, 4, 3)
    assert theano.function([], downsample.max_pool2D(x, (2, 2)))().shape == (2, 3, 4, 3)
    f = theano.function(
        [], max_pool_2d(x, ds=(3, 3), st=(2, 2), padding=(1, 1), ignore_border=True)
    )
    assert f().shape == (2, 3, 4, 3)


def keywords_of_convolutions():
    x, k = theano.shared(I), theano.shared(K)
    for function in (T.nnet.conv2d, T.nnet.conv.conv2d):
        out = function(x, k, image_shape=I.shape, filter_shape=K.shape)
        same(theano.function([], out)(), correlated(I, K, True))


def variables_on_the_device():
    import theano.sandbox.cuda as cuda
    from theano.sandbox.cuda import CudaNdarrayType

    x = cuda.fmatrix("x")
    assert isinstance(x.type, CudaNdarrayType) is XLA
    assert x.dtype == CudaNdarrayType((False, False)).dtype == cuda.matrix("y").dtype == "float32"
    a = data(3, 4)
    same(theano.function([x], x.sum(axis=0))(a), a.sum(0))
    s = cuda.shared_constructor(a, name="s")
    assert isinstance(s, cuda.CudaNdarraySharedVariable) is XLA
    f = theano.function([], s.sum(), updates=[(s, s * 2)])
    same([f(), f()], [a.sum(), 2 * a.sum()])
    for wrong in (
        lambda: cuda.shared_constructor(a.astype("float64")),
        lambda: CudaNdarrayType((), dtype="float64"),
    ):
        try:
            wrong()
        except TypeError:
            continue
        raise AssertionError


def results_that_stay_on_the_device():
    from theano import sandbox
    from theano.sandbox.cuda.basic_ops import gpu_from_host, host_from_gpu

    a = data(5)
    x = theano.shared(a)
    r = theano.function([], sandbox.cuda.basic_ops.gpu_from_host(T.exp(x)))()
    assert isinstance(r, np.ndarray) is not XLA
    assert isinstance(r, sandbox.cuda.CudaNdarray) is XLA
    same(np.asarray(r), np.exp(a))
    same(theano.function([], host_from_gpu(gpu_from_host(x)) * 2)(), a * 2)
    same(np.asarray(sandbox.cuda.CudaNdarray(a)), a)


def gpuarray_without_pygpu():
    import theano.gpuarray
    from theano.gpuarray import GpuArrayType, dnn, gpuarray_shared_constructor
    from theano.gpuarray.basic_ops import as_gpuarray_variable, gpu_contiguous, host_from_gpu
    from theano.sandbox.gpuarray import GpuArrayType as early

    assert theano.gpuarray.pygpu_activated is False
    assert early is GpuArrayType
    assert theano.sandbox.gpuarray.dnn.dnn_pool is dnn.dnn_pool
    a = data(3)
    x = gpuarray_shared_constructor(a, "x")
    assert isinstance(x.type, GpuArrayType) is XLA
    y = as_gpuarray_variable(gpu_contiguous(x), None)
    same(theano.function([], host_from_gpu(y) + 1)(), a + 1)
    kind = GpuArrayType("float64", (False,), None)
    assert kind.dtype == "float64"
    try:
        theano.gpuarray.get_context("nowhere")
    except theano.gpuarray.ContextNotDefined:
        pass
    else:
        raise AssertionError
    # A transfer to the host goes through theano.gpuarray's own functions too.
    same(theano.function([], x.transfer("cpu"))(), a)


def random_numbers_of_curand():
    from theano.sandbox.cuda.rng_curand import CURAND_RandomStreams
    from theano.sandbox.rng_mrg import MRG_RandomStreams

    streams = CURAND_RandomStreams(7)
    u, n = streams.uniform((1000,), low=1, high=3), streams.normal((1000,), avg=2.0, std=0.5)
    f = theano.function([], [u, n], updates=streams.updates())
    u, n = f()
    assert 1 <= u.min() < 1.05
    assert 2.95 < u.max() < 3
    assert abs(n.mean() - 2) < 0.1
    assert abs(n.std() - 0.5) < 0.05
    assert not np.array_equal(f()[0], u)
    one, other = (MRG_RandomStreams(seed=3, use_cuda=flag).uniform((4,)) for flag in (True, False))
    f = theano.function([], [one, other])
    same(*f())


def profile_mode_prints_a_summary():
    x = T.vector()
    mode = theano.ProfileMode(optimizer="fast_run", linker=theano.gof.OpWiseCLinker())
    f = theano.function([x], T.exp(x).sum(), mode=mode)
    same(f(np.zeros(3, theano.config.floatX)), 3)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        mode.print_summary()
    assert "Function profiling" in said.getvalue()
    assert "Elemwise" in said.getvalue()
    for name in ("ProfileMode", "PROFILE_MODE", "FAST_RUN_NOGC"):
        same(theano.function([x], x.sum(), mode=name)(np.ones(2, theano.config.floatX)), 2)
    try:
        theano.function([x], x, mode="NO_MODE")
    except Exception as error:
        assert "No predefined mode exist for string: NO_MODE" in str(error)
    else:
        raise AssertionError


def names_of_python_2_and_3():
    from theano.compat import all, any, defaultdict, partial, product
    from theano.compat.python2x import OrderedDict
    from theano.compat.six import string_types
    from theano.compat.six.moves import xrange

    assert all([]) and not any([]) and partial(max, 1)(2) == 2
    assert list(product([1], [2])) == [(1, 2)] and defaultdict(int)[0] == 0
    assert string_types == (str,) and list(xrange(2)) == [0, 1] and OrderedDict(a=1)


def every_name_of_a_module_at_once():
    scope = {}
    exec(
        "from theano.sandbox.cuda.basic_ops import *\n"
        "from theano.tensor.signal.downsample import *\n",
        scope,
    )
    assert {"gpu_from_host", "fmatrix", "max_pool_2d"} <= set(scope)
    assert "CopyOnNegativeStrides" not in scope


def modules_are_reached_as_attributes():
    # Theano 0.6 to 0.9 imported these by themselves.
    assert theano.sandbox.cuda.dnn.dnn_conv
    assert theano.tensor.signal.downsample.max_pool_2d
    assert not hasattr(theano.sandbox, "nothing")
    assert not hasattr(theano.sandbox.cuda, "nothing")


def the_compiled_module_of_the_old_backend():
    import theano.sandbox.cuda.cuda_ndarray
    from theano.sandbox.cuda.cuda_ndarray import cuda_ndarray

    same(np.asarray(cuda_ndarray.CudaNdarray(I)), I)
    assert theano.sandbox.cuda.cuda_ndarray.cuda_ndarray.synchronize() is None
    try:
        free, total = cuda_ndarray.mem_info()
    except RuntimeError as error:
        assert "no GPU is in use" in str(error) and theano.config.device in ("cpu", "xla")
    else:
        assert 0 < free < total
    try:
        cuda_ndarray.select_a_gpu
    except AttributeError as error:
        assert "Theano 0.9 was the last with it" in str(error)


def what_is_gone_says_so():
    for module, name, kind in (
        ("theano.misc.pycuda_utils", "to_gpuarray", ImportError),
        ("theano.sandbox.cuda", "GpuOp", ImportError),
        ("theano.sandbox.cuda", "nothing", ImportError),
    ):
        try:
            exec(f"from {module} import {name}")
        except kind as error:
            said = str(error)
        if name != "nothing":
            assert said.startswith(f"{module}.{name} is gone: Theano 0.9 was the last with it. ")
    try:
        theano.sandbox.cuda.GpuOp
    except AttributeError as error:
        assert "Theano 0.9 was the last with it" in str(error)
    assert not hasattr(theano.sandbox.cuda, "GpuOp")


def main():
    programs = [f for name, f in globals().items() if callable(f) and f.__module__ == "__main__"]
    failed = {}
    helpers = {data, same, run, correlated, grouped, main}
    for program in programs:
        if program not in helpers:
            try:
                program()
            except Exception:
                failed[program.__name__] = traceback.format_exc()
    print(json.dumps({"ran": len(programs) - len(helpers), "failed": failed}))


if __name__ == "__main__":
    sys.exit(main())
