"""A run with a real Theano: memory, kills, and a function of the user's own."""

from __future__ import annotations

import contextlib
import os
import signal

from theano_colab.bench.run import BenchRequest, run

CELL = """
import numpy as np, theano, theano.tensor as T
x = T.matrix()
f = theano.function([x], [T.tanh(x).sum(), x.max(axis=0)])
args = [np.random.rand(n, 3).astype("float32")]
"""


def rows(events, *kinds):
    return [row for event in events if event.kind in kinds for row in event.rows]


def test_a_size_that_memory_cannot_hold_is_a_row_and_the_next_is_measured():
    events = list(run(BenchRequest(("dot",), (10_000_000, 16), seconds=0.3)))
    (failure,) = rows(events, "failed")
    assert failure.size == 10_000_000
    assert failure.reason == "not enough memory"
    assert "bytes" in failure.evidence
    assert [event.size for event in events if event.kind == "result"] == [16]


def test_a_real_worker_killed_in_the_middle_is_a_row_and_the_run_goes_on():
    seen, killed = [], False
    with contextlib.closing(run(BenchRequest(("dot",), (64, 65), seconds=3.0))) as events:
        for event in events:
            seen.append(event)
            if event.kind == "measuring" and not killed:
                (pid,) = [e.info["pid"] for e in seen if e.kind == "started"]
                os.kill(pid, signal.SIGKILL)
                killed = True
    (failure,) = rows(seen, "failed")
    assert (failure.size, failure.workload) == (64, "dot")
    assert "SIGKILL" in failure.reason
    assert [event.size for event in seen if event.kind == "result"] == [65]


def cell(code, **more):
    request = BenchRequest(("cell",), code=code, seconds=0.3, devices=("cpu", "xla"), **more)
    return list(run(request))


def test_the_users_own_function_is_measured_and_compared_on_both_devices():
    mine, theirs = rows(cell(CELL, sizes=(200,)), "result", "failed")
    assert (mine.device, mine.agrees, mine.size) == ("cpu", None, 200)
    assert (theirs.device, theirs.agrees, theirs.reference) == ("xla", True, "cpu")
    assert theirs.tolerance == 1e-4
    assert "XlaCluster" in theirs.ops


def test_a_function_that_differs_between_devices_is_found():
    code = CELL + "f = theano.function([x], x + float(theano.config.device == 'xla'))"
    _, theirs = rows(cell(code), "result", "failed")
    assert theirs.agrees is False
    assert "from cpu" in theirs.detail


def test_a_function_that_stays_on_the_host_is_not_passed_off_as_the_devices():
    code = CELL.replace("x.max(axis=0)]", "x.max(axis=0)], mode=theano.Mode(optimizer=None)")
    _, theirs = rows(cell(code), "result", "failed")
    assert theirs.reason == "it does not run where it should"


def test_what_is_wrong_with_a_cell_is_said_in_its_own_words():
    (one, _) = rows(cell("f = nothing"), "failed")
    assert one.evidence == "NameError: name 'nothing' is not defined"
    (one, _) = rows(cell("g = 1"), "failed")
    assert one.evidence == "TypeError: the cell makes no f = theano.function(...)"
