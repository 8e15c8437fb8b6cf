"""The catalogue, NumPy's side of it, and what says whether two results agree."""

from __future__ import annotations

import numpy as np
import pytest

from theano_colab.bench.networks import FEATURES
from theano_colab.bench.programs import in_numpy
from theano_colab.bench.workloads import WORKLOADS, Workload, max_rel_error
from theano_colab.commands import WORKLOADS as NAMES

WRITTEN = ("dot", "elemwise", "softmax", "logreg", "mlp")
"""The workloads that NumPy computes too, with the same result."""


def start(name, dtype, size=50):
    workload = WORKLOADS[name]
    return in_numpy(workload.prepare(size, dtype, workload.batch_of(None)))


def after(program, calls):
    for _ in range(calls):
        program.call()
    return program.arrays()


def test_the_catalogue_is_complete():
    assert tuple(WORKLOADS) == NAMES
    for workload in WORKLOADS.values():
        assert isinstance(workload, Workload)
        assert workload.sizes == tuple(sorted(set(workload.sizes)))
        assert workload.doc.endswith(".")
        assert set(workload.tolerance) == {"float32", "float64"}
        assert workload.bytes(1000, 8, 4) == 2 * workload.bytes(1000, 4, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", WRITTEN)
def test_numpy_keeps_the_precision(name, dtype):
    assert {array.dtype for array in after(start(name, dtype), 3)} == {np.dtype(dtype)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_tolerance_tells_a_wrong_result(dtype):
    """One step too many, or one element of the matrix left out, must not pass."""
    for name in ("logreg", "mlp"):
        error = max_rel_error(after(start(name, dtype), 3), after(start(name, dtype), 4))
        assert error > 100 * WORKLOADS[name].tolerance[dtype]
    product = after(start("dot", dtype, 65), 1)[0]
    wrong = product.copy()
    wrong[3, 4] *= 1.01
    assert max_rel_error([wrong], [product]) > WORKLOADS["dot"].tolerance[dtype]


def test_the_loss_of_a_reference_falls():
    """That its step is the gradient's is what the agreement with Theano's own gradient shows."""
    program = start("logreg", "float64")
    losses = [float(program.call()) for _ in range(20)]
    assert losses == sorted(losses, reverse=True)
    assert program.arrays()[1].shape[0] == FEATURES


def test_prepare_gives_the_same_data_every_time():
    for name in WRITTEN:
        one, two = (after(start(name, "float32"), 1) for _ in range(2))
        assert max_rel_error(one, two) == 0.0


def test_a_batch_is_the_one_asked_for():
    mlp = WORKLOADS["mlp"]
    assert mlp.batch_of(None) == 128
    assert mlp.prepare(8, "float32", mlp.batch_of(3)).inputs[0].shape == (3, FEATURES)


def test_max_rel_error():
    one = np.array([1.0, -4.0])
    assert max_rel_error([one], [one]) == 0.0
    assert max_rel_error([one + 0.5], [one]) == pytest.approx(0.5 / 4)
    assert max_rel_error([one, one], [one, one * 2]) == pytest.approx(0.5)
    assert np.isnan(max_rel_error([np.array([np.nan, 0.0]), one], [one, one]))
    assert np.isnan(max_rel_error([one, np.array([np.nan, 0.0])], [one + 1, one]))
    assert max_rel_error([np.array([np.inf])], [np.array([1.0])]) == np.inf
    assert max_rel_error([np.zeros(0)], [np.zeros(0)]) == 0.0
    assert max_rel_error([np.ones(2)], [np.zeros(2)]) == 1.0
    with pytest.raises(ValueError, match="shape"):
        max_rel_error([np.ones(3)], [np.ones((3, 1))])
    with pytest.raises(ValueError, match="zip"):
        max_rel_error([one], [one, one])
