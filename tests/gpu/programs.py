"""Programs for a device, one per process: ``THEANO_FLAGS=device=cuda programs.py NAME``.

They run on XLA's CPU as well, so that a machine without a GPU tests what a GPU will be asked.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pytest
import theano
import theano.tensor as tt
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.nnet import conv2d
from theano.tensor.signal.pool import pool_2d

from theano_colab.runtime import gpu
from theano_colab.xla import device

RNG = np.random.default_rng(3)
ON_GPU = theano.config.device.startswith("cuda")
HOST = theano.compile.get_default_mode().excluding("xla")


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def memory_in_use():
    """Return the bytes of the device's memory in use, of this process' where it does not tell."""
    told = device.get(None).device.memory_stats()
    return (
        told["bytes_in_use"] if told else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    )


def tutorial():
    """Theano's documentation, "Using the GPU": prints which of the two was used."""
    x = theano.shared(np.asarray(RNG.random(10 * 30 * 768), "float32"))
    f = theano.function([], tt.exp(x))
    for _ in range(100):
        result = f()
    np.testing.assert_allclose(result, np.exp(x.get_value()), rtol=1e-5)
    nodes = f.maker.fgraph.toposort()
    on_host = any(
        isinstance(node.op, tt.Elemwise) and "Gpu" not in type(node.op).__name__ for node in nodes
    )
    print("Used the", "cpu" if on_host else "gpu")
    assert any("Gpu" in type(node.op).__name__ for node in nodes) == ON_GPU


def shared_values_lie_on_the_device():
    w = theano.shared(normal(4, 5))
    (where,) = w.container.value.devices()
    assert where == device.get(None).device
    assert (where.platform == "gpu") == ON_GPU
    assert isinstance(w.get_value(), np.ndarray)


def float32_is_float32():
    """TF32 has 10 bits of mantissa: it would be wrong by some 1e-3 of the largest."""
    a, b = normal(300, 700), normal(700, 200)
    images, kernels = normal(8, 16, 20, 20), normal(12, 16, 5, 5)
    x, y = tt.fmatrices("xy")
    u, v = tt.ftensor4s("uv")
    product = theano.function([x, y], tt.dot(x, y))
    filtered = theano.function([u, v], conv2d(u, v))
    exact = a.astype("float64") @ b
    assert abs(product(a, b) - exact).max() < 2e-6 * abs(exact).max()
    patches = np.lib.stride_tricks.sliding_window_view(images.astype("float64"), (5, 5), (2, 3))
    exact = np.einsum("nchwij,kcij->nkhw", patches, kernels[:, :, ::-1, ::-1])
    assert abs(filtered(images, kernels) - exact).max() < 2e-6 * abs(exact).max()


def lenet():
    """Thirty training steps give the parameters that the C linker gives."""
    batches = [(normal(20, 1, 12, 12), RNG.integers(0, 5, 20).astype("int32")) for _ in range(30)]
    start = [normal(*shape) * 0.2 for shape in ((6, 1, 3, 3), (6,), (150, 5), (5,))]
    seen = []
    for mode in (HOST, None):
        w, b, v, c = parameters = [theano.shared(value.copy()) for value in start]
        x, y = tt.ftensor4("x"), tt.ivector("y")
        hidden = pool_2d(tt.tanh(conv2d(x, w) + b.dimshuffle("x", 0, "x", "x")), (2, 2), True)
        guess = tt.nnet.softmax(tt.dot(hidden.flatten(2), v) + c)
        cost = tt.nnet.categorical_crossentropy(guess, y).mean()
        updates = [
            (one, one - np.float32(0.1) * gradient)
            for one, gradient in zip(parameters, tt.grad(cost, parameters), strict=True)
        ]
        step = theano.function([x, y], cost, updates=updates, mode=mode)
        costs = [float(step(*batch)) for batch in batches]
        seen.append([costs, *(one.get_value() for one in parameters)])
    for host, here in zip(*seen, strict=True):
        np.testing.assert_allclose(here, host, rtol=2e-3, atol=2e-4)


def random_streams():
    """MRG draws the C linker's numbers, to the bit."""
    drawn = [
        theano.function([], MRG_RandomStreams(7).uniform((50, 40)), mode=mode)()
        for mode in (HOST, None)
    ]
    np.testing.assert_array_equal(*drawn)


def recurrence():
    """A scan and its gradient, carried over calls by updates."""
    xs = normal(25, 8)
    seen = []
    for mode in (HOST, None):
        w = theano.shared(np.eye(8, dtype="float32") * np.float32(0.5))
        s = tt.fmatrix()
        h, _ = theano.scan(lambda x, h, w: tt.tanh(x + tt.dot(h, w)), s, tt.zeros(8), w)
        cost = (h[-1] ** 2).sum()
        step = theano.function(
            [s], cost, updates=[(w, w - np.float32(0.05) * tt.grad(cost, w))], mode=mode
        )
        seen.append([*(float(step(xs)) for _ in range(5)), w.get_value()])
    for host, here in zip(*seen, strict=True):
        np.testing.assert_allclose(here, host, rtol=1e-4, atol=1e-5)


def ten_thousand_steps():
    """Memory does not grow while a loop trains."""
    w, b = theano.shared(normal(100, 10)), theano.shared(np.zeros(10, "float32"))
    x, y = normal(64, 100), RNG.integers(0, 10, 64).astype("int32")
    s, t = tt.fmatrix(), tt.ivector()
    cost = tt.nnet.categorical_crossentropy(tt.nnet.softmax(tt.dot(s, w) + b), t).mean()
    rules = [
        (one, one - np.float32(0.1) * g)
        for one, g in zip((w, b), tt.grad(cost, [w, b]), strict=True)
    ]
    step = theano.function([s, t], cost, updates=rules)
    first = float(step(x, y))
    for _ in range(1000):
        step(x, y)
    before = memory_in_use()
    for _ in range(9000):
        last = step(x, y)
    grown = memory_in_use() - before
    print(f"grown by {grown} bytes")
    assert float(last) < first / 2
    assert grown < 2**20 * (1 if ON_GPU else 20)


def out_of_memory():
    """Theano's MemoryError, with sizes; shared variables keep their values; the next call works."""
    w = theano.shared(normal(3))
    n = tt.fvector()
    f = theano.function([n], tt.outer(n, n) * w.sum(), updates=[(w, w + 1)])
    before = w.get_value()
    with pytest.raises(MemoryError, match=r"bytes|[KMGT]i?B"):  # nine terabytes
        f(np.ones(1_500_000, "float32"))
    np.testing.assert_array_equal(w.get_value(), before)
    assert f(np.ones(2, "float32")).shape == (2, 2)
    np.testing.assert_allclose(w.get_value(), before + 1)


def preallocated():
    """``gpuarray.preallocate=0.1`` is the share of the card that XLA may take."""
    theano.function([], theano.shared(normal(3)) * 2)()
    limit = device.get(None).device.memory_stats()["bytes_limit"]
    card = gpu.read(gpu.ask())[1].value[0].memory_bytes
    assert 0.08 < limit / card < 0.12, (limit, card)


def faster_than_the_host():
    """A large product: the reason to have a GPU at all."""
    a = theano.shared(normal(4096, 4096))
    f = theano.function([], tt.dot(a, a).sum())
    host = a.get_value()
    f()
    start = time.perf_counter()
    f()
    here = time.perf_counter() - start
    start = time.perf_counter()
    (host @ host).sum()
    there = time.perf_counter() - start
    print(f"{there / here:.0f} times as fast as NumPy")
    assert here < there


if __name__ == "__main__":
    globals()[sys.argv[1]]()
