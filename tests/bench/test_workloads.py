"""Theano and NumPy compute the same thing, and what says so can tell when they do not."""

from __future__ import annotations

import numpy as np
import pytest

from theano_colab.bench.workloads import FEATURES, WORKLOADS, Workload, max_rel_error

SMALL = {"dot": 65, "elemwise": 1000, "logreg": 50}


def after(program, calls):
    for _ in range(calls):
        result = program.call()
    return program.arrays(result)


def test_the_catalogue_is_complete():
    assert SMALL.keys() == WORKLOADS.keys()
    for workload in WORKLOADS.values():
        assert isinstance(workload, Workload)
        assert workload.sizes == tuple(sorted(set(workload.sizes)))
        assert workload.doc.endswith(".")
        assert set(workload.tolerance) == {"float32", "float64"}
        assert workload.bytes(1000, 8) == 2 * workload.bytes(1000, 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_theano_agrees_with_numpy_within_the_stated_tolerance(name, dtype, monkeypatch):
    theano = pytest.importorskip("theano")
    monkeypatch.setattr(theano.config, "floatX", dtype)
    workload = WORKLOADS[name]
    problem = workload.prepare(SMALL[name], dtype)
    got, expected = after(problem.theano(), 5), after(problem.reference(), 5)
    assert [a.dtype for a in got] == [dtype] * len(got)
    assert [a.dtype for a in expected] == [dtype] * len(expected)
    assert max_rel_error(got, expected) <= workload.tolerance[dtype]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_tolerance_tells_a_wrong_result(dtype):
    """One step too many, or one element of the matrix left out, must not pass."""
    logreg = WORKLOADS["logreg"]
    steps = logreg.prepare(50, dtype).reference
    assert max_rel_error(after(steps(), 3), after(steps(), 4)) > 100 * logreg.tolerance[dtype]
    dot = WORKLOADS["dot"]
    (product,) = after(dot.prepare(65, dtype).reference(), 1)
    wrong = product.copy()
    wrong[3, 4] *= 1.01
    assert max_rel_error([wrong], [product]) > dot.tolerance[dtype]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_loss_of_the_logreg_reference_falls(dtype):
    """That its step is the gradient's is what the agreement with Theano's own gradient shows."""
    program = WORKLOADS["logreg"].prepare(50, dtype).reference()
    losses = [float(program.call()) for _ in range(20)]
    assert losses == sorted(losses, reverse=True)
    _, w, bias = program.arrays(program.call())
    assert w.shape == (FEATURES,)
    assert bias.shape == ()


def test_prepare_gives_the_same_data_every_time():
    for name, size in SMALL.items():
        one, two = (WORKLOADS[name].prepare(size, "float32").reference() for _ in range(2))
        assert max_rel_error(after(one, 1), after(two, 1)) == 0.0


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
