"""The programs that cpu.py times: the same text for Theano as published and for the port.

Python 3.8 with NumPy 1.19 runs it as well as today's. Each program is a training step as Theano's
users wrote them, with the sizes of the Deep Learning Tutorials where they have one, and returns a
function of no arguments. Data and weights are the same in every process.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence  # noqa: UP035  # Python 3.8

import numpy as np
import theano
import theano.tensor as T  # noqa: N812  # everyone's name for it
from theano.tensor.signal.pool import pool_2d

Call = Callable[[], Any]
Variable = Any

FLOAT = "float32"
RATE = np.float32(0.01)


class Net:
    """Weights, and the step that trains them."""

    def __init__(self) -> None:
        self._rng = np.random.RandomState(0)
        self._weights = []

    def data(self, *shape: int) -> np.ndarray:
        """Return normal numbers, float32."""
        return self._rng.standard_normal(shape).astype(FLOAT)

    def labels(self, count: int) -> np.ndarray:
        """Return ``count`` of ten labels, int32."""
        return self._rng.randint(0, 10, count).astype("int32")

    def weights(self, *shape: int) -> Variable:
        """Return a shared variable of this shape that the step trains."""
        scale = np.float32(1 / np.sqrt(max(shape[0], 1)))
        self._weights.append(theano.shared(self.data(*shape) * scale))
        return self._weights[-1]

    def step(self, inputs: Sequence[Variable], cost: Variable, values: Sequence[Any]) -> Call:
        """Return a call of one step of gradient descent; it returns the cost."""
        slopes = T.grad(cost, self._weights)
        updates = [(w, w - RATE * slope) for w, slope in zip(self._weights, slopes)]  # noqa: B905  # Python 3.8
        function = theano.function(inputs, cost, updates=updates)
        return lambda: function(*values)


def _classes(net: Net, features: Variable, width: int, y: Variable) -> Variable:
    probabilities = T.nnet.softmax(T.dot(features, net.weights(width, 10)) + net.weights(10))
    return -T.mean(T.log(probabilities)[T.arange(y.shape[0]), y])


def logistic() -> Call:
    """Make a logistic regression: 600 pictures of 784 pixels, ten classes."""
    net, x, y = Net(), T.fmatrix(), T.ivector()
    return net.step([x, y], _classes(net, x, 784, y), [net.data(600, 784), net.labels(600)])


def mlp() -> Call:
    """Make a perceptron with 500 hidden units: 20 pictures of 784 pixels, weight decay."""
    net, x, y = Net(), T.fmatrix(), T.ivector()
    w = net.weights(784, 500)
    hidden = T.tanh(T.dot(x, w) + net.weights(500))
    cost = _classes(net, hidden, 500, y) + np.float32(1e-4) * (w**2).sum()
    return net.step([x, y], cost, [net.data(20, 784), net.labels(20)])


def lenet() -> Call:
    """Make LeNet: 50 pictures of 28 x 28 pixels, 20 and 50 filters of 5 x 5, 500 hidden units."""
    net, x, y = Net(), T.ftensor4(), T.ivector()

    def layer(below: Variable, filters: int, channels: int) -> Variable:
        folded = T.nnet.conv2d(below, net.weights(filters, channels, 5, 5))
        pooled = pool_2d(folded, (2, 2), ignore_border=True)
        return T.tanh(pooled + net.weights(filters).dimshuffle("x", 0, "x", "x"))

    top = layer(layer(x, 20, 1), 50, 20).flatten(2)
    hidden = T.tanh(T.dot(top, net.weights(800, 500)) + net.weights(500))
    return net.step(
        [x, y], _classes(net, hidden, 500, y), [net.data(50, 1, 28, 28), net.labels(50)]
    )


def rnn() -> Call:
    """Make a recurrent net over 50 steps of 10 numbers, 50 hidden units, one sequence."""
    net, x, y = Net(), T.fmatrix(), T.fmatrix()
    inward, inside, outward = net.weights(10, 50), net.weights(50, 50), net.weights(50, 10)

    def step(now: Variable, before: Variable) -> Variable:
        return T.tanh(T.dot(now, inward) + T.dot(before, inside))

    states, _ = theano.scan(step, sequences=x, outputs_info=T.zeros((50,), FLOAT))
    cost = ((T.dot(states, outward) - y) ** 2).mean()
    return net.step([x, y], cost, [net.data(50, 10), net.data(50, 10)])


def lstm() -> Call:
    """Make an LSTM over 50 steps, 64 units, 16 sequences of 32 numbers."""
    net, x, y = Net(), T.ftensor3(), T.ivector()
    inward, inside, bias = net.weights(32, 256), net.weights(64, 256), net.weights(256)

    def step(now: Variable, state: Variable, memory: Variable) -> tuple:
        gates = now + T.dot(state, inside)
        opened = T.nnet.sigmoid(gates[:, :192])
        memory = opened[:, :64] * memory + opened[:, 64:128] * T.tanh(gates[:, 192:])
        return opened[:, 128:] * T.tanh(memory), memory

    zeros = T.zeros((x.shape[1], 64), FLOAT)
    (states, _), _ = theano.scan(
        step, sequences=T.dot(x, inward) + bias, outputs_info=[zeros, zeros]
    )
    return net.step(
        [x, y], _classes(net, states[-1], 64, y), [net.data(50, 16, 32), net.labels(16)]
    )


def _gemm_data() -> list:
    return [np.ones((2000, 2000), FLOAT) for _ in range(3)]


def check_blas() -> Call:
    """Make what ``theano.misc.check_blas`` times: C = 0.4 C + 0.8 A B, 2000 x 2000."""
    a, b, c = (theano.shared(one) for one in _gemm_data())
    return theano.function([], updates=[(c, 0.4 * c + 0.8 * T.dot(a, b))])


def numpy_gemm() -> Call:
    """Make NumPy's own product of the same matrices, into an array that is there."""
    a, b, c = _gemm_data()
    return lambda: np.dot(a, b, out=c)
