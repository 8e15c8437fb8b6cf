"""JAX by hand beside Theano: the same results, in a worker of its own."""

from __future__ import annotations

import pytest

from theano_colab.bench.peers import WRITTEN
from theano_colab.bench.results import Failure
from theano_colab.bench.run import BenchRequest, run


def final(request):
    events = list(run(request))
    return [row for event in events if event.kind in {"result", "failed"} for row in event.rows]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_jax_gets_what_numpy_gets(precision):
    request = BenchRequest(WRITTEN, (6,), floatX=precision, seconds=0.3, devices=("jax",))
    rows = [row for row in final(request) if row.backend != "numpy"]
    assert [row for row in rows if isinstance(row, Failure)] == []
    assert [(row.workload, row.device, row.agrees) for row in rows] == [
        (name, "jax", True) for name in WRITTEN
    ]
    assert all(row.backend.startswith("JAX ") and row.floatX == precision for row in rows)


def test_a_workload_that_a_peer_lacks_is_a_row():
    (row,) = final(BenchRequest(("mrg",), (10,), seconds=0.3, devices=("jax",)))
    assert row.reason == "it is not written for this"
