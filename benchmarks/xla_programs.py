"""The training steps that xla.py measures, written for Theano and, as the same steps, for JAX.

Each program is a function of a generator of random numbers that returns a `Program`. Both steps
take the minibatch as NumPy arrays and return the cost as one.
"""

# ruff: noqa: ANN401  # neither Theano nor JAX publishes the types of what is symbolic or traced

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import theano
import theano.tensor as tt
from jax import lax
from theano.tensor.nnet import conv2d
from theano.tensor.signal.pool import pool_2d

if TYPE_CHECKING:
    from collections.abc import Callable

RATE = np.float32(0.05)


@dataclass(frozen=True, slots=True)
class Program:
    """One training step, twice.

    ``parameters`` are the initial values, ``batch`` one minibatch. ``theano(shared, *inputs)``
    gives the symbolic cost, ``jax(parameters, *batch)`` the traced one; ``for_jax`` turns
    the parameters into what the JAX code holds them as.
    """

    name: str
    parameters: list[np.ndarray]
    batch: list[np.ndarray]
    theano: Callable[..., Any]
    jax: Callable[..., Any]
    for_jax: Callable[[list[np.ndarray]], list[np.ndarray]] = lambda values: values


def theano_step(program: Program) -> Any:
    """Compile the step as a Theano function that updates shared variables."""
    shared = [theano.shared(value) for value in program.parameters]
    inputs = [tt.TensorType(str(one.dtype), (False,) * one.ndim)() for one in program.batch]
    cost = program.theano(shared, *inputs)
    grads = tt.grad(cost, shared)
    updates = [(p, p - RATE * g) for p, g in zip(shared, grads, strict=True)]
    return theano.function(inputs, cost, updates=updates)


def jax_step(program: Program) -> Callable[..., Any]:
    """Return the step as a jitted function over parameters that it keeps."""

    @jax.jit
    def step(parameters: list[Any], *batch: Any) -> tuple[Any, list[Any]]:
        cost, grads = jax.value_and_grad(program.jax)(parameters, *batch)
        return cost, [p - RATE * g for p, g in zip(parameters, grads, strict=True)]

    state = [jnp.asarray(value) for value in program.for_jax(program.parameters)]

    def call(*batch: Any) -> np.ndarray:
        nonlocal state
        cost, state = step(state, *batch)
        return np.array(cost)

    return call


def _weights(random: np.random.Generator, *shape: int) -> np.ndarray:
    scale = 1 / np.sqrt(np.prod(shape[1:]) if len(shape) > 2 else shape[0])  # noqa: PLR2004  # filters
    return (random.normal(size=shape) * scale).astype("float32")


def _zeros(size: int) -> np.ndarray:
    return np.zeros(size, "float32")


def _batch(random: np.random.Generator, *shape: int, classes: int = 10) -> list[np.ndarray]:
    labels = random.integers(0, classes, size=shape[0]).astype("int32")
    return [random.uniform(size=shape).astype("float32"), labels]


def _theano_nll(scores: Any, labels: Any) -> Any:
    return tt.nnet.categorical_crossentropy(tt.nnet.softmax(scores), labels).mean()


def _jax_nll(scores: Any, labels: Any) -> Any:
    chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], axis=1)
    return -chosen.mean()


def logistic(random: np.random.Generator) -> Program:
    """Return logistic regression: 784 inputs, 10 classes, batch 600."""

    def with_theano(parameters: list[Any], x: Any, y: Any) -> Any:
        w, b = parameters
        return _theano_nll(x.dot(w) + b, y)

    def with_jax(parameters: list[Any], x: Any, y: Any) -> Any:
        w, b = parameters
        return _jax_nll(x @ w + b, y)

    parameters = [_weights(random, 784, 10), _zeros(10)]
    return Program("logistic", parameters, _batch(random, 600, 784), with_theano, with_jax)


def mlp(random: np.random.Generator) -> Program:
    """Return a perceptron, 784-500-10 with tanh, batch 128."""

    def with_theano(parameters: list[Any], x: Any, y: Any) -> Any:
        w, b, v, c = parameters
        return _theano_nll(tt.tanh(x.dot(w) + b).dot(v) + c, y)

    def with_jax(parameters: list[Any], x: Any, y: Any) -> Any:
        w, b, v, c = parameters
        return _jax_nll(jnp.tanh(x @ w + b) @ v + c, y)

    parameters = [_weights(random, 784, 500), _zeros(500), _weights(random, 500, 10), _zeros(10)]
    return Program("mlp", parameters, _batch(random, 128, 784), with_theano, with_jax)


def lenet(random: np.random.Generator) -> Program:
    """Return the Deep Learning Tutorials' LeNet: 20 and 50 filters of 5 x 5, batch 128."""

    def with_theano(parameters: list[Any], x: Any, y: Any) -> Any:
        w0, b0, w1, b1, w2, b2, w3, b3 = parameters
        for w, b in ((w0, b0), (w1, b1)):
            pooled = pool_2d(conv2d(x, w), (2, 2), ignore_border=True)
            x = tt.tanh(pooled + b.dimshuffle("x", 0, "x", "x"))
        return _theano_nll(tt.tanh(x.flatten(2).dot(w2) + b2).dot(w3) + b3, y)

    def with_jax(parameters: list[Any], x: Any, y: Any) -> Any:
        w0, b0, w1, b1, w2, b2, w3, b3 = parameters
        for w, b in ((w0, b0), (w1, b1)):
            filtered = lax.conv(x, w, (1, 1), "VALID")
            window = (1, 1, 2, 2)
            pooled = lax.reduce_window(filtered, -np.inf, lax.max, window, window, "VALID")
            x = jnp.tanh(pooled + b[:, None, None])
        return _jax_nll(jnp.tanh(x.reshape(len(x), -1) @ w2 + b2) @ w3 + b3, y)

    parameters = [_weights(random, 20, 1, 5, 5), _zeros(20)]
    parameters += [_weights(random, 50, 20, 5, 5), _zeros(50)]
    parameters += [_weights(random, 800, 500), _zeros(500), _weights(random, 500, 10), _zeros(10)]

    def turned(values: list[np.ndarray]) -> list[np.ndarray]:
        """Turn the filters around: JAX correlates where Theano convolves."""
        return [np.ascontiguousarray(v[..., ::-1, ::-1]) if v.ndim == 4 else v for v in values]  # noqa: PLR2004  # filters

    batch = _batch(random, 128, 1, 28, 28)
    return Program("lenet", parameters, batch, with_theano, with_jax, turned)


def rnn(random: np.random.Generator) -> Program:
    """Return a recurrent network of 100 steps: 32 inputs, 128 units, batch 32."""

    def with_theano(parameters: list[Any], x: Any, y: Any) -> Any:
        w, u, b, v, c = parameters
        start = tt.zeros((x.shape[1], u.shape[0]), dtype="float32")
        states, _ = theano.scan(
            lambda z, h, u: tt.tanh(z + h.dot(u)), [x.dot(w) + b], [start], [u], strict=True
        )
        return _theano_nll(states[-1].dot(v) + c, y)

    def with_jax(parameters: list[Any], x: Any, y: Any) -> Any:
        w, u, b, v, c = parameters

        def step(h: Any, z: Any) -> tuple[Any, None]:
            return jnp.tanh(z + h @ u), None

        last, _ = lax.scan(step, jnp.zeros((x.shape[1], len(u)), "float32"), x @ w + b)
        return _jax_nll(last @ v + c, y)

    parameters = [_weights(random, 32, 128), _weights(random, 128, 128), _zeros(128)]
    parameters += [_weights(random, 128, 10), _zeros(10)]
    x, _ = _batch(random, 100, 32, 32)
    y = random.integers(0, 10, size=32).astype("int32")
    return Program("rnn", parameters, [x, y], with_theano, with_jax)


def lstm(random: np.random.Generator) -> Program:
    """Return an LSTM of 50 steps: 32 inputs, 128 units, batch 32."""

    def with_theano(parameters: list[Any], x: Any, y: Any) -> Any:
        w, u, b, v, c0 = parameters
        size = u.shape[0]

        def step(z: Any, h: Any, c: Any, u: Any) -> list[Any]:
            gates = z + h.dot(u)
            i, f, o = (tt.nnet.sigmoid(gates[:, n * size : (n + 1) * size]) for n in range(3))
            c = f * c + i * tt.tanh(gates[:, 3 * size :])
            return [o * tt.tanh(c), c]

        start = tt.zeros((x.shape[1], size), dtype="float32")
        (states, _), _ = theano.scan(step, [x.dot(w) + b], [start, start], [u])
        return _theano_nll(states.mean(axis=0).dot(v) + c0, y)

    def with_jax(parameters: list[Any], x: Any, y: Any) -> Any:
        w, u, b, v, c0 = parameters
        size = len(u)

        def step(carry: tuple[Any, Any], z: Any) -> tuple[tuple[Any, Any], Any]:
            h, c = carry
            gates = z + h @ u
            i, f, o = (jax.nn.sigmoid(gates[:, n * size : (n + 1) * size]) for n in range(3))
            c = f * c + i * jnp.tanh(gates[:, 3 * size :])
            h = o * jnp.tanh(c)
            return (h, c), h

        start = jnp.zeros((x.shape[1], size), "float32")
        _, states = lax.scan(step, (start, start), x @ w + b)
        return _jax_nll(states.mean(axis=0) @ v + c0, y)

    parameters = [_weights(random, 32, 512), _weights(random, 128, 512), _zeros(512)]
    parameters += [_weights(random, 128, 10), _zeros(10)]
    x, _ = _batch(random, 50, 32, 32)
    y = random.integers(0, 10, size=32).astype("int32")
    return Program("lstm", parameters, [x, y], with_theano, with_jax)


def overhead(random: np.random.Generator) -> Program:
    """Return ten parameters of ten numbers: what a call costs that computes next to nothing."""

    def with_theano(parameters: list[Any], x: Any) -> Any:
        return sum((p * x).sum() for p in parameters)

    def with_jax(parameters: list[Any], x: Any) -> Any:
        return sum((p * x).sum() for p in parameters)

    parameters = [_weights(random, 10) for _ in range(10)]
    batch = [random.uniform(size=10).astype("float32")]
    return Program("overhead", parameters, batch, with_theano, with_jax)


PROGRAMS = {one.__name__: one for one in (logistic, mlp, lenet, rnn, lstm, overhead)}
