"""What is measured: each workload once in Theano and once in NumPy, with how to compare them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Array = np.ndarray[Any, Any]

FEATURES = 784
"""The logistic regression's number of features: the pixels of an MNIST digit."""

LEARNING_RATE = 0.1
L2 = 0.01


@dataclass(frozen=True, slots=True)
class Program:
    """A computation that is ready to run.

    ``call`` runs it once and returns when it is finished. ``arrays`` turns what the last call
    returned into the arrays to compare, shared variables that it updated included.
    """

    call: Callable[[], Any]
    arrays: Callable[[Any], Sequence[Array]]


@dataclass(frozen=True, slots=True)
class Problem:
    """One workload at one size: the same data for both sides.

    ``theano`` imports Theano and compiles the function, which is what compile time means;
    ``reference`` prepares NumPy's. Either may be asked for more than once, and starts afresh.
    """

    theano: Callable[[], Program]
    reference: Callable[[], Program]


@dataclass(frozen=True, slots=True)
class Workload:
    """A computation people use, at the sizes that show how it scales.

    Parameters
    ----------
    name, doc
        What it is called, and one sentence that says what it does.
    size_means
        What ``size`` counts.
    sizes
        The sizes measured by default, in rising order.
    prepare
        ``prepare(size, floatX)`` makes the data. Its memory is about ``bytes``.
    flops
        ``flops(size)``: floating-point operations of one call, or None where that is a guess (an
        ``exp`` is no fixed number of them).
    bytes
        ``bytes(size, itemsize)``: what one call moves when every pass over an array goes to memory
        once.
    tolerance
        By floatX, the largest difference from NumPy's result that counts as agreement, relative to
        the largest magnitude in the result. It allows for another order of summation, no more.
    """

    name: str
    doc: str
    size_means: str
    sizes: tuple[int, ...]
    prepare: Callable[[int, str], Problem]
    flops: Callable[[int], float | None]
    bytes: Callable[[int, int], float]
    tolerance: Mapping[str, float]


def max_rel_error(got: Sequence[Array], expected: Sequence[Array]) -> float:
    """Return the largest difference relative to the largest magnitude, over all pairs of arrays.

    Each pair is scaled by its own reference. NaN if anything is not a number.

    Raises
    ------
    ValueError
        If a shape differs.
    """
    worst = 0.0
    for mine, reference in zip(got, expected, strict=True):
        a, b = np.asarray(mine, np.float64), np.asarray(reference, np.float64)
        if a.shape != b.shape:
            raise ValueError(f"the result has shape {a.shape} where NumPy's has {b.shape}")
        scale = float(np.max(np.abs(b), initial=0.0)) or 1.0
        error = float(np.max(np.abs(a - b), initial=0.0)) / scale
        if not error <= worst:  # true for NaN too
            worst = error
        if np.isnan(worst):
            return worst
    return worst


def _only(result: Any) -> tuple[Array, ...]:  # noqa: ANN401  # Theano is not typed
    return (np.asarray(result),)


def _waiting_for(function: Callable[[], Any], *updated: Any) -> Callable[[], Any]:  # noqa: ANN401
    """Return a call that ends when the shared variables are updated: a device goes on by itself."""
    there = [v.container for v in updated if hasattr(v.container.value, "block_until_ready")]
    if not there:
        return function

    def call() -> Any:  # noqa: ANN401  # Theano is not typed
        result = function()
        for container in there:
            container.value.block_until_ready()
        return result

    return call


def _dot(size: int, floatX: str) -> Problem:  # noqa: N803  # Theano's name
    rng = np.random.default_rng(size)
    a, b = (rng.standard_normal((size, size)).astype(floatX) for _ in range(2))

    def in_theano() -> Program:
        import theano
        import theano.tensor as T  # noqa: N812  # everyone's name for it

        function = theano.function([], T.dot(theano.shared(a), theano.shared(b)))
        return Program(function, _only)

    return Problem(in_theano, lambda: Program(lambda: np.dot(a, b), _only))


def _elemwise(size: int, floatX: str) -> Problem:  # noqa: N803  # Theano's name
    x = np.random.default_rng(size).random(size).astype(floatX)

    def in_theano() -> Program:
        import theano
        import theano.tensor as T  # noqa: N812  # everyone's name for it

        return Program(theano.function([], T.exp(theano.shared(x))), _only)

    return Problem(in_theano, lambda: Program(lambda: np.exp(x), _only))


def _logreg(size: int, floatX: str) -> Problem:  # noqa: N803  # Theano's name
    rng = np.random.default_rng(size)
    x = rng.standard_normal((size, FEATURES)).astype(floatX)
    y = (x[:, 0] + rng.standard_normal(size) > 0).astype(floatX)
    start = (rng.standard_normal(FEATURES) / FEATURES).astype(floatX)

    def in_theano() -> Program:
        import theano
        import theano.tensor as T  # noqa: N812  # everyone's name for it

        w = theano.shared(start.copy())
        bias = theano.shared(np.zeros((), floatX))
        probability = T.nnet.sigmoid(T.dot(theano.shared(x), w) + bias)
        error = T.nnet.binary_crossentropy(probability, theano.shared(y)).mean()
        loss = error + L2 * (w**2).sum()
        slopes = T.grad(loss, [w, bias])
        steps = [(p, p - LEARNING_RATE * g) for p, g in zip((w, bias), slopes, strict=True)]
        function = theano.function([], loss, updates=steps)
        return Program(
            _waiting_for(function, w, bias),
            lambda out: (np.asarray(out), w.get_value(), bias.get_value()),
        )

    def in_numpy() -> Program:
        w, bias = start.copy(), np.zeros((), floatX)

        def step() -> Array:
            z = x @ w
            z += bias
            # log(1 + exp(z)) - y z is the cross-entropy of sigmoid(z), and never overflows.
            loss = np.mean(np.logaddexp(0, z) - y * z) + L2 * (w @ w)
            residual = (1 / (1 + np.exp(-z)) - y) / size
            gradient = residual @ x
            gradient += 2 * L2 * w
            w[...] -= LEARNING_RATE * gradient
            bias[...] -= LEARNING_RATE * residual.sum()
            return np.asarray(loss)

        return Program(step, lambda loss: (loss, w.copy(), bias.copy()))

    return Problem(in_theano, in_numpy)


_CATALOGUE = (
    Workload(
        name="dot",
        doc="The product of two n x n matrices: one call of the BLAS (GEMM).",
        size_means="rows and columns n",
        sizes=(256, 512, 1000, 2000),
        prepare=_dot,
        flops=lambda n: 2.0 * n**3,
        bytes=lambda n, item: 3.0 * n * n * item,
        tolerance={"float32": 1e-5, "float64": 1e-13},
    ),
    Workload(
        name="elemwise",
        doc="The exponential of every element of a long vector: little work for each byte.",
        size_means="elements",
        sizes=(10_000, 100_000, 1_000_000, 10_000_000),
        prepare=_elemwise,
        flops=lambda _: None,
        bytes=lambda n, item: 2.0 * n * item,
        tolerance={"float32": 1e-6, "float64": 1e-15},
    ),
    Workload(
        name="logreg",
        doc=f"One step of gradient descent of a logistic regression on {FEATURES} features.",
        size_means="samples",
        sizes=(100, 1_000, 10_000),
        prepare=_logreg,
        flops=lambda n: 4.0 * n * FEATURES,
        bytes=lambda n, item: 2.0 * n * FEATURES * item,
        tolerance={"float32": 1e-4, "float64": 1e-12},
    ),
)

WORKLOADS: dict[str, Workload] = {workload.name: workload for workload in _CATALOGUE}
"""All workloads by name."""
