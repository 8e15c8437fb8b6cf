"""What is measured: each workload once in Theano and, where that is short, once in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from theano_colab.bench import networks
from theano_colab.bench.networks import Array, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CLASSES = 1000
"""The columns that softmax runs over: the classes of ImageNet."""


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
        ``prepare(size, floatX, batch)`` makes the data. Its memory is about ``bytes``.
    flops
        ``flops(size, batch)``: floating-point operations of one call, or None where that is a guess
        (an ``exp`` is no fixed number of them).
    bytes
        ``bytes(size, itemsize, batch)``: what one call moves when every pass over an array goes to
        memory once.
    tolerance
        By floatX, the largest difference from the reference's result that counts as agreement,
        relative to the largest magnitude in the result. It allows for another order of summation
        and other roundings of ``exp``, no more.
    batch
        Examples in a minibatch, where ``size`` counts something else; None where it has none.
    """

    name: str
    doc: str
    size_means: str
    sizes: tuple[int, ...]
    prepare: Callable[[int, str, int], Problem]
    flops: Callable[[int, int], float | None]
    bytes: Callable[[int, int, int], float]
    tolerance: Mapping[str, float]
    batch: int | None = None

    def batch_of(self, asked: int | None) -> int:
        """Return the examples in a minibatch: those asked for, else the workload's own, else 1."""
        return asked or self.batch or 1


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


def _dot(size: int, floatX: str, _: int) -> Problem:  # noqa: N803  # Theano's name
    rng = np.random.default_rng(size)
    a, b = (rng.standard_normal((size, size)).astype(floatX) for _ in range(2))

    def theano(inputs: Sequence[Any], _: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        return inputs[0].dot(inputs[1]), ()

    return Problem((a, b), (), theano, lambda inputs, _: (np.dot(*inputs), ()))


def _elemwise(size: int, floatX: str, _: int) -> Problem:  # noqa: N803  # Theano's name
    x = np.random.default_rng(size).random(size).astype(floatX)

    def theano(inputs: Sequence[Any], _: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        import theano.tensor as T  # noqa: N812  # everyone's name for it

        (v,) = inputs
        return T.exp(v) * T.sin(v) + v, ()

    def numpy(inputs: Sequence[Array], _: Sequence[Array]) -> tuple[Array, Sequence[Array]]:
        (v,) = inputs
        return np.exp(v) * np.sin(v) + v, ()

    return Problem((x,), (), theano, numpy)


def _softmax(size: int, floatX: str, _: int) -> Problem:  # noqa: N803  # Theano's name
    x = np.random.default_rng(size).standard_normal((size, CLASSES)).astype(floatX)

    def theano(inputs: Sequence[Any], _: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        import theano.tensor as T  # noqa: N812  # everyone's name for it

        (v,) = inputs
        return (T.nnet.softmax(v) * v).sum(axis=1), ()

    def numpy(inputs: Sequence[Array], _: Sequence[Array]) -> tuple[Array, Sequence[Array]]:
        (v,) = inputs
        e = np.exp(v - v.max(axis=1, keepdims=True))
        return (e / e.sum(axis=1, keepdims=True) * v).sum(axis=1), ()

    return Problem((x,), (), theano, numpy)


def _mrg(size: int, floatX: str, _: int) -> Problem:  # noqa: N803  # Theano's name
    generator = np.random.default_rng(size)

    def theano(_: Sequence[Any], __: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        from theano.sandbox.rng_mrg import MRG_RandomStreams

        # Its state is a shared variable with an update of its own.
        return MRG_RandomStreams(seed=size).uniform((size,), dtype=floatX), ()

    def numpy(_: Sequence[Array], __: Sequence[Array]) -> tuple[Array, Sequence[Array]]:
        return generator.random(size, np.dtype(floatX)), ()

    return Problem((), (), theano, numpy, same=False)


_CATALOGUE = (
    Workload(
        name="dot",
        doc="The product of two n x n matrices: one call of the BLAS (GEMM).",
        size_means="rows and columns n",
        sizes=(128, 256, 512, 1024, 2048),
        prepare=_dot,
        flops=lambda n, _: 2.0 * n**3,
        bytes=lambda n, item, _: 3.0 * n * n * item,
        tolerance={"float32": 1e-5, "float64": 1e-13},
    ),
    Workload(
        name="elemwise",
        doc="exp(x) sin(x) + x of a long vector, in one loop: little work for each byte.",
        size_means="elements",
        sizes=(1_000, 10_000, 100_000, 1_000_000, 10_000_000),
        prepare=_elemwise,
        flops=lambda *_: None,
        bytes=lambda n, item, _: 2.0 * n * item,
        tolerance={"float32": 1e-6, "float64": 1e-15},
    ),
    Workload(
        name="softmax",
        doc=f"Softmax over {CLASSES} classes, and the mean that it weighs: a row is reduced twice.",
        size_means="rows",
        sizes=(8, 64, 512, 4096),
        prepare=_softmax,
        flops=lambda *_: None,
        bytes=lambda n, item, _: 1.0 * n * CLASSES * item,
        tolerance={"float32": 1e-5, "float64": 1e-13},
    ),
    Workload(
        name="logreg",
        doc=f"A step of gradient descent of a logistic regression on {networks.FEATURES} features.",
        size_means="samples",
        sizes=(100, 1_000, 10_000),
        prepare=networks.logreg,
        flops=lambda n, _: 4.0 * n * networks.FEATURES,
        bytes=lambda n, item, _: 2.0 * n * networks.FEATURES * item,
        tolerance={"float32": 1e-4, "float64": 1e-12},
    ),
    Workload(
        name="mlp",
        doc="A step of gradient descent of a perceptron with two hidden layers of n units.",
        size_means="units in a hidden layer",
        sizes=(64, 256, 1024, 2048),
        prepare=networks.mlp,
        flops=lambda n, batch: 6.0 * batch * (networks.FEATURES * n + n * n + networks.DIGITS * n),
        bytes=lambda n, item, _: 3.0 * item * (networks.FEATURES * n + n * n),
        tolerance={"float32": 1e-4, "float64": 1e-12},
        batch=128,
    ),
    Workload(
        name="lenet",
        doc="A step of the Deep Learning Tutorials' LeNet on images of 28 x 28.",
        size_means="images in a batch",
        sizes=(16, 64, 256),
        prepare=networks.lenet,
        flops=lambda n, _: 3.0 * n * networks.LENET_FLOPS,
        bytes=lambda n, item, _: 3.0 * item * n * networks.LENET_VALUES,
        tolerance={"float32": 1e-3, "float64": 1e-11},
    ),
    Workload(
        name="lstm",
        doc=f"A step through {networks.STEPS} time steps of an LSTM with n units.",
        size_means="units",
        sizes=(32, 128, 512),
        prepare=networks.lstm,
        flops=lambda n, batch: 24.0 * networks.STEPS * batch * n * (n + networks.SIGNALS),
        bytes=lambda n, item, _: 12.0 * item * networks.STEPS * n * n,
        tolerance={"float32": 1e-3, "float64": 1e-11},
        batch=32,
    ),
    Workload(
        name="mrg",
        doc="Uniform random numbers of MRG31k3p, which are the same on every device.",
        size_means="numbers",
        sizes=(10_000, 100_000, 1_000_000, 10_000_000),
        prepare=_mrg,
        flops=lambda *_: None,
        bytes=lambda n, item, _: 1.0 * n * item,
        tolerance={"float32": 1e-6, "float64": 1e-15},
    ),
)

WORKLOADS: dict[str, Workload] = {workload.name: workload for workload in _CATALOGUE}
"""All workloads by name."""
