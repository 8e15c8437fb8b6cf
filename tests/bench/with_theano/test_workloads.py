"""Each workload on the CPU and by XLA: it runs where it should, and everybody agrees."""

from __future__ import annotations

import pytest

from theano_colab.bench.results import Failure
from theano_colab.bench.run import BenchRequest, run
from theano_colab.bench.workloads import WORKLOADS

SMALL = {
    "dot": 65,
    "elemwise": 1000,
    "softmax": 5,
    "logreg": 50,
    "mlp": 17,
    "lenet": 4,
    "lstm": 7,
    "mrg": 1000,
}


def measured(request):
    """Return the final rows of Theano and NumPy, after failures have been shown."""
    events = list(run(request))
    rows = [row for event in events if event.kind in {"result", "failed"} for row in event.rows]
    assert [row for row in rows if isinstance(row, Failure)] == []
    return rows


def test_every_workload_is_tried():
    assert SMALL.keys() == WORKLOADS.keys()


# Networks are compiled in one precision only: that takes most of the time.
@pytest.mark.parametrize(
    ("name", "precision"),
    [(name, "float32") for name in WORKLOADS]
    + [(name, "float64") for name in ("dot", "softmax", "logreg", "mrg")],
)
def test_both_devices_compute_the_same_and_each_in_its_place(name, precision):
    request = BenchRequest(
        (name,), (SMALL[name],), floatX=precision, seconds=0.4, devices=("cpu", "xla")
    )
    rows = measured(request)
    mine, theirs = (row for row in rows if row.backend != "numpy")
    assert (mine.device, mine.backend) == ("cpu", "theano C linker")
    assert (theirs.device, theirs.backend) == ("xla", "theano XLA")
    assert "XlaCluster" in theirs.ops
    assert "on the host" not in theirs.ops
    assert theirs.agrees is True
    assert theirs.max_rel_error <= theirs.tolerance == WORKLOADS[name].tolerance[precision]
    assert "cpu" in theirs.reference
    assert (mine.transfer_s, theirs.transfer_s > 0) == (None, True)
    assert mine.compile_s > 0
    assert theirs.compile_s > 0
    numpys = [row for row in rows if row.backend == "numpy"]
    assert len(numpys) == (name not in {"lenet", "lstm"})
    if numpys and name != "mrg":
        assert mine.agrees is True
        assert mine.reference == "NumPy"
