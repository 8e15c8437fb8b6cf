"""The parent against real processes that die, hang, and talk nonsense."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from theano_colab.bench import process
from theano_colab.bench.results import Failure, Result
from theano_colab.bench.run import BenchRequest, environment, run

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in_worker.py")))
REQUEST = BenchRequest(("dot",), sizes=(1, 2, 3), limit_s=20.0)


@pytest.fixture
def scenario(monkeypatch):
    return lambda text: monkeypatch.setenv("SCENARIO", text)


def kinds(events):
    """Return what happened in order, but for ticks, of which there are as many as it took."""
    return [(event.kind, event.size) for event in events if event.kind != "tick"]


def failures(events):
    return [row for e in events if e.kind == "failed" for row in e.rows]


def alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def pids(events):
    return [event.info["pid"] for event in events if event.kind == "started"]


def point(size):
    return [("compiling", size), ("result", size)]


def test_a_run_that_goes_well(scenario):
    scenario("well")
    events = list(run(REQUEST, command=STAND_IN))
    assert kinds(events) == [
        ("started", None),
        *point(1),
        *point(2),
        *point(3),
        ("done", None),
    ]
    (row,) = [row for event in events if event.size == 1 for row in event.rows]
    assert isinstance(row, Result)
    assert not any(map(alive, pids(events)))


def test_devices_take_turns_at_every_size_each_in_one_worker(scenario):
    scenario("well")
    request = BenchRequest(("dot", "mrg"), sizes=(1, 2), limit_s=20.0, devices=("cpu", "xla"))
    events = list(run(request, command=STAND_IN))
    order = [(e.workload, e.size, e.device) for e in events if e.kind == "result"]
    assert order == [(w, n, d) for w in ("dot", "mrg") for n in (1, 2) for d in ("cpu", "xla")]
    assert kinds(events)[:2] == [("started", None)] * 2
    assert len(set(pids(events))) == 2


@pytest.mark.parametrize(
    ("what", "reason", "evidence"),
    [
        ("killed@2", "killed by SIGKILL, as Linux does when memory runs out", "last words"),
        ("segfault@2", "killed by SIGSEGV", ""),
        ("status@2", "exit status 3", ""),
        ("quits@2", "ended before it was through", ""),
        ("orphan@2", "killed by SIGKILL", ""),
    ],
)
def test_a_worker_that_dies_is_a_row_and_the_run_goes_on(scenario, what, reason, evidence):
    scenario(what)
    events = list(run(REQUEST, command=STAND_IN))
    assert kinds(events) == [
        ("started", None),
        *point(1),
        ("compiling", 2),
        ("failed", 2),
        ("started", None),
        *point(3),
        ("done", None),
    ]
    (failure,) = failures(events)
    assert isinstance(failure, Failure)
    assert reason in failure.reason
    assert failure.evidence == evidence
    assert len(set(pids(events))) == 2


def test_the_other_device_goes_on_in_its_own_worker_when_one_dies(scenario, monkeypatch):
    scenario("killed@2")
    monkeypatch.setenv("ON", "xla")
    request = BenchRequest(("dot",), sizes=(1, 2, 3), limit_s=20.0, devices=("cpu", "xla"))
    events = list(run(request, command=STAND_IN))
    found = [(e.kind, e.size, e.device) for e in events if e.kind in {"result", "failed"}]
    assert found == [
        *(("result", 1, "cpu"), ("result", 1, "xla")),
        *(("result", 2, "cpu"), ("failed", 2, "xla")),
        *(("result", 3, "cpu"), ("result", 3, "xla")),
    ]
    started = [e.device for e in events if e.kind == "started"]
    assert (sorted(started[:2]), started[2:]) == (["cpu", "xla"], ["xla"])


def test_a_device_that_never_starts_is_left_out(scenario, monkeypatch):
    scenario("no-theano")
    monkeypatch.setenv("ON", "xla")
    request = BenchRequest(("dot", "mrg"), sizes=(1, 2), devices=("cpu", "xla"))
    events = list(run(request, command=STAND_IN))
    (failure,) = failures(events)
    assert (failure.size, failure.device) == (None, "xla")
    assert failure.reason == "the worker ended with exit status 1"
    assert failure.evidence == "ModuleNotFoundError: No module named 'theano'"
    assert [e.device for e in events if e.kind == "result"] == ["cpu"] * 4


def test_without_any_worker_nothing_is_measured(scenario):
    scenario("no-theano")
    events = list(run(BenchRequest(("dot",), sizes=(1, 2)), command=STAND_IN))
    assert kinds(events) == [("failed", None), ("done", None)]


@pytest.mark.parametrize("what", ["hangs@2", "closes@2"])
def test_a_worker_that_hangs_is_ended_and_the_next_goes_on(scenario, what):
    scenario(what)
    request = BenchRequest(sizes=(1, 2, 3), limit_s=3.0)
    events = list(run(request, command=STAND_IN))
    (failure,) = failures(events)
    assert failure.size == 2
    assert failure.reason == "the worker was not through after 3 s and was ended"
    assert kinds(events)[-2:] == [("result", 3), ("done", None)]
    assert not any(map(alive, pids(events)))


def test_while_a_worker_is_silent_something_is_said_four_times_a_second(scenario):
    scenario("hangs@1")
    events = list(run(BenchRequest(sizes=(1,), limit_s=3.0), command=STAND_IN))
    assert sum(event.kind == "tick" for event in events) >= 12


def test_a_worker_that_says_nothing_at_all(scenario):
    scenario("mute")
    events = list(run(BenchRequest(sizes=(1, 2), limit_s=0.5), command=STAND_IN))
    assert kinds(events) == [("failed", None), ("done", None)]


def test_a_worker_that_will_not_hear_is_killed(scenario, monkeypatch):
    monkeypatch.setattr(process, "GRACE_S", 0.2)
    scenario("deaf@1")
    events = list(run(BenchRequest(sizes=(1,), limit_s=3.0), command=STAND_IN))
    assert kinds(events)[-2:] == [("failed", 1), ("done", None)]
    assert not any(map(alive, pids(events)))


def test_garbage_is_passed_over(scenario):
    scenario("garbage@2")
    events = list(run(REQUEST, command=STAND_IN))
    assert kinds(events)[-5:] == [*point(2), *point(3), ("done", None)]
    assert not failures(events)


def test_what_does_not_fit_into_the_time_is_left_out_and_all_ends_in_it(scenario):
    scenario("hangs@2")
    request = BenchRequest(sizes=(1, 2, 3), seconds=1.0, total_s=6.0)
    start = time.monotonic()
    events = list(run(request, command=STAND_IN))
    assert time.monotonic() - start < 6.0 + process.GRACE_S + 3.0
    left_out = [event.size for event in events if event.kind == "left out"]
    assert left_out == [2, 3]
    assert not failures(events)
    assert kinds(events)[-1] == ("done", None)
    assert not any(map(alive, pids(events)))


def test_time_that_is_short_is_shared_by_what_is_left(scenario):
    scenario("well")
    request = BenchRequest(sizes=(1, 2), seconds=100.0, total_s=20.0, devices=("cpu", "xla"))
    events = list(run(request, command=STAND_IN))
    planned = [event.info["seconds"] for event in events if event.kind == "result"]
    assert planned[0] <= 2.5
    assert all(seconds <= 10 for seconds in planned)


def test_an_interrupt_is_a_row_ends_the_workers_and_is_raised(scenario):
    scenario("interrupts@2")
    seen = []

    def consume():
        for event in run(REQUEST, command=STAND_IN):
            seen.append(event)  # noqa: PERF402  # what was seen before the interrupt is the point

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert kinds(seen)[:3] == [("started", None), *point(1)]
    assert kinds(seen)[-1] == ("failed", 2)
    assert failures(seen)[0].reason == "interrupted"
    assert not any(map(alive, pids(seen)))


def test_a_caller_that_stops_listening_leaves_no_process(scenario):
    scenario("hangs@1")
    with contextlib.closing(run(REQUEST, command=STAND_IN)) as events:
        first = next(event for event in events if event.kind == "started")
    assert not alive(first.info["pid"])


def test_the_orphan_of_a_dead_worker_is_ended_too(scenario):
    scenario("orphan@1")
    events = list(run(BenchRequest(sizes=(1,), limit_s=20.0), command=STAND_IN))
    (pid,) = pids(events)
    members = [p for p in psutil.process_iter() if _group(p.pid) == pid and alive(p.pid)]
    # SIGKILL has been sent; the kernel may still be at it.
    _, left = psutil.wait_procs(members, timeout=5)
    assert not [p for p in left if alive(p.pid)]


def _group(pid):
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)
    return None


def test_the_workers_environment(monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/content/drive/lib", "/usr/lib/python3"])
    base = {
        "THEANO_FLAGS": "floatX=float64, device=cuda,blas.ldflags=-lopenblas,",
        "THEANO_GPU_IS_ALREADY_ACTIVE": "Yes",
        "OMP_NUM_THREADS": "4",
        "HOME": "/root",
    }
    env = environment(BenchRequest(), "cpu", base)
    assert env == {
        "THEANO_FLAGS": "floatX=float64, device=cuda,blas.ldflags=-lopenblas,"
        "device=cpu,floatX=float32",
        "OPENBLAS_NUM_THREADS": "4",
        "MKL_NUM_THREADS": "4",
        "OMP_NUM_THREADS": "4",
        "HOME": "/root",
        "PYTHONPATH": os.pathsep.join([str(Path.cwd()), "/content/drive/lib", "/usr/lib/python3"]),
    }
    assert base["THEANO_GPU_IS_ALREADY_ACTIVE"] == "Yes"
    on_gpu = environment(BenchRequest(), "cuda0", base)
    assert on_gpu["THEANO_FLAGS"].endswith(",device=cuda0,floatX=float32,force_device=True")
    assert environment(BenchRequest(threads=1), "cpu", base)["MKL_NUM_THREADS"] == "1"
    processors = str(len(os.sched_getaffinity(0)))
    assert environment(BenchRequest(), "cpu", {})["MKL_NUM_THREADS"] == processors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workloads": ("dott",)}, "unknown workload 'dott'; there are: dot, elemwise, softmax"),
        ({"workloads": ()}, "unknown workload"),
        ({"sizes": (10, 0)}, "sizes are at least 1"),
        ({"seconds": 0.0}, "time is above 0"),
        ({"workloads": ("cell",)}, "unknown workload"),
        ({"workloads": ("mlp", "dot"), "batch": 8}, "dot has no --batch"),
        ({"workloads": ("mlp",), "batch": 0}, "a batch is at least 1"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        BenchRequest(**arguments)
