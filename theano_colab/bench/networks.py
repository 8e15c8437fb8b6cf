"""Training steps that are measured: logistic regression, perceptron, LeNet, LSTM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Array = np.ndarray[Any, Any]

FEATURES = 784
"""The pixels of an MNIST digit."""

DIGITS = 10
LEARNING_RATE = 0.1
L2 = 0.01

STEPS = 20
SIGNALS = 32
"""The LSTM's time steps, and what it reads at each of them."""

LENET_VALUES = 20 * 24 * 24 + 50 * 8 * 8
LENET_FLOPS = 2.0 * (20 * 24 * 24 * 25 + 50 * 8 * 8 * 20 * 25 + 800 * 500 + 500 * 10)
"""Values that the convolutions of one image give, and the operations of its forward pass."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One workload at one size: the data, and the same computation for both sides.

    Parameters
    ----------
    inputs
        What a call reads: examples, matrices. They are on the device before the call, or are sent
        with it.
    state
        What a call changes: parameters.
    theano
        ``theano(inputs, state)`` takes symbolic variables and returns the symbolic output and the
        new values of the state.
    numpy
        The same with arrays, returning new ones; None where there is no short way to write it.
    same
        Whether NumPy's result is to be the same (random numbers are not).
    """

    inputs: tuple[Array, ...]
    state: tuple[Array, ...]
    theano: Callable[[Sequence[Any], Sequence[Any]], tuple[Any, Sequence[Any]]]
    numpy: Callable[[Sequence[Array], Sequence[Array]], tuple[Array, Sequence[Array]]] | None
    same: bool = True


def _descend(loss: Any, state: Sequence[Any]) -> tuple[Any, Sequence[Any]]:  # noqa: ANN401  # Theano has no types
    """Return the loss and the state after one step down its gradient."""
    import theano.tensor as T  # noqa: N812  # everyone's name for it

    rate = np.asarray(LEARNING_RATE, loss.dtype)
    return loss, [p - rate * g for p, g in zip(state, T.grad(loss, list(state)), strict=True)]


def _of_digits(scores: Any, labels: Any) -> Any:  # noqa: ANN401  # Theano has no types
    """Return the mean cross-entropy of the classes' scores."""
    import theano.tensor as T  # noqa: N812  # everyone's name for it

    return T.nnet.categorical_crossentropy(T.nnet.softmax(scores), labels).mean()


def _weights(rng: np.random.Generator, floatX: str, *shape: int) -> Array:  # noqa: N803  # Theano's
    """Return weights of Glorot's scale; of filters, the inputs are all dimensions but the first."""
    inputs = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))  # noqa: PLR2004  # a matrix
    return np.asarray(rng.standard_normal(shape) / np.sqrt(inputs), floatX)


def _labels(rng: np.random.Generator, count: int) -> Array:
    return rng.integers(0, DIGITS, count).astype("int32")


def logreg(size: int, floatX: str, _: int) -> Problem:  # noqa: N803  # Theano's name
    """Return a logistic regression with two classes and a penalty, on ``size`` samples."""
    rng = np.random.default_rng(size)
    x = rng.standard_normal((size, FEATURES)).astype(floatX)
    y = (x[:, 0] + rng.standard_normal(size) > 0).astype(floatX)
    start = (rng.standard_normal(FEATURES) / FEATURES).astype(floatX)

    def theano(inputs: Sequence[Any], state: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        import theano.tensor as T  # noqa: N812  # everyone's name for it

        (x, y), (w, bias) = inputs, state
        error = T.nnet.binary_crossentropy(T.nnet.sigmoid(T.dot(x, w) + bias), y).mean()
        return _descend(error + np.asarray(L2, floatX) * (w**2).sum(), state)

    def numpy(inputs: Sequence[Array], state: Sequence[Array]) -> tuple[Array, Sequence[Array]]:
        (x, y), (w, bias) = inputs, state
        z = x @ w
        z += bias
        # log(1 + exp(z)) - y z is the cross-entropy of sigmoid(z), and never overflows.
        loss = np.mean(np.logaddexp(0, z) - y * z) + L2 * (w @ w)
        residual = (1 / (1 + np.exp(-z)) - y) / size
        new = w - LEARNING_RATE * (residual @ x + 2 * L2 * w)
        return np.asarray(loss), (new, np.asarray(bias - LEARNING_RATE * residual.sum(), floatX))

    return Problem((x, y), (start, np.zeros((), floatX)), theano, numpy)


def mlp(size: int, floatX: str, batch: int) -> Problem:  # noqa: N803  # Theano's name
    """Return a perceptron 784-n-n-10 with tanh, ``size`` = n, on ``batch`` digits."""
    rng = np.random.default_rng(size)
    x, y = rng.random((batch, FEATURES)).astype(floatX), _labels(rng, batch)
    layers = ((FEATURES, size), (size, size), (size, DIGITS))
    state = [p for n, m in layers for p in (_weights(rng, floatX, n, m), np.zeros(m, floatX))]

    def theano(inputs: Sequence[Any], state: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        import theano.tensor as T  # noqa: N812  # everyone's name for it

        (x, y), (w, b, v, c, u, d) = inputs, state
        hidden = T.tanh(T.tanh(x.dot(w) + b).dot(v) + c)
        return _descend(_of_digits(hidden.dot(u) + d, y), state)

    def numpy(inputs: Sequence[Array], state: Sequence[Array]) -> tuple[Array, Sequence[Array]]:
        (x, y), (w, b, v, c, u, d) = inputs, state
        h = np.tanh(x @ w + b)
        g = np.tanh(h @ v + c)
        scores = g @ u + d
        scores -= scores.max(axis=1, keepdims=True)
        e = np.exp(scores)
        p = e / e.sum(axis=1, keepdims=True)
        chosen = np.arange(batch), y
        loss = -np.log(p[chosen]).mean()
        p[chosen] -= 1
        p /= batch
        at_g = (p @ u.T) * (1 - g * g)
        at_h = (at_g @ v.T) * (1 - h * h)
        slopes = (x.T @ at_h, at_h.sum(0), h.T @ at_g, at_g.sum(0), g.T @ p, p.sum(0))
        new = [old - LEARNING_RATE * s for old, s in zip(state, slopes, strict=True)]
        return np.asarray(loss), new

    return Problem((x, y), tuple(state), theano, numpy)


def lenet(size: int, floatX: str, _: int) -> Problem:  # noqa: N803  # Theano's name
    """Return the Deep Learning Tutorials' LeNet, 20 and 50 filters of 5 x 5, on ``size`` images.

    http://deeplearning.net/tutorial/lenet.html
    """
    rng = np.random.default_rng(size)
    x, y = rng.random((size, 1, 28, 28)).astype(floatX), _labels(rng, size)
    shapes = ((20, 1, 5, 5), (20,), (50, 20, 5, 5), (50,), (800, 500), (500,), (500, 10), (10,))
    state = tuple(np.zeros(s, floatX) if len(s) == 1 else _weights(rng, floatX, *s) for s in shapes)

    def theano(inputs: Sequence[Any], state: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        import theano.tensor as T  # noqa: N812  # everyone's name for it
        from theano.tensor.signal.pool import pool_2d

        x, y = inputs
        *filters, w2, b2, w3, b3 = state
        for w, b in (filters[:2], filters[2:]):
            pooled = pool_2d(T.nnet.conv2d(x, w), (2, 2), ignore_border=True)
            x = T.tanh(pooled + b.dimshuffle("x", 0, "x", "x"))
        hidden = T.tanh(x.flatten(2).dot(w2) + b2)
        return _descend(_of_digits(hidden.dot(w3) + b3, y), state)

    return Problem((x, y), state, theano, None)


def lstm(size: int, floatX: str, batch: int) -> Problem:  # noqa: N803  # Theano's name
    """Return an LSTM of `STEPS` steps with ``size`` units that classifies ``batch`` sequences."""
    rng = np.random.default_rng(size)
    x = rng.random((STEPS, batch, SIGNALS)).astype(floatX)
    shapes = ((SIGNALS, 4 * size), (size, 4 * size), (4 * size,), (size, DIGITS), (DIGITS,))
    state = tuple(np.zeros(s, floatX) if len(s) == 1 else _weights(rng, floatX, *s) for s in shapes)

    def theano(inputs: Sequence[Any], state: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        import theano
        import theano.tensor as T  # noqa: N812  # everyone's name for it

        (x, y), (w, u, b, v, d) = inputs, state

        def step(z: Any, h: Any, c: Any, u: Any) -> list[Any]:  # noqa: ANN401  # Theano has no types
            gates = z + h.dot(u)
            i, f, o = (T.nnet.sigmoid(gates[:, n * size : (n + 1) * size]) for n in range(3))
            c = f * c + i * T.tanh(gates[:, 3 * size :])
            return [o * T.tanh(c), c]

        start = T.zeros((x.shape[1], size), dtype=floatX)
        (states, _), _ = theano.scan(step, [x.dot(w) + b], [start, start], [u])
        return _descend(_of_digits(states.mean(axis=0).dot(v) + d, y), state)

    return Problem((x, _labels(rng, batch)), state, theano, None)
