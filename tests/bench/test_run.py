"""The parent against real processes that die, hang, and talk nonsense."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import psutil
import pytest

from theano_colab.bench import run as module
from theano_colab.bench.results import Failure, Result
from theano_colab.bench.run import BenchRequest, environment, run

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in_worker.py")))
REQUEST = BenchRequest(("dot",), sizes=(1, 2, 3), limit_s=20.0)


@pytest.fixture
def scenario(monkeypatch):
    return lambda text: monkeypatch.setenv("SCENARIO", text)


def kinds(events):
    return [(event.kind, event.size) for event in events]


def failures(events):
    return [row for e in events if e.kind == "failed" for row in e.rows]


def alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def pids(events):
    return [event.info["pid"] for event in events if event.kind == "started"]


POINTS = [("compiling", 1), ("result", 1), ("compiling", 2), ("result", 2)]


def test_a_run_that_goes_well(scenario):
    scenario("well")
    events = list(run(REQUEST, command=STAND_IN))
    assert kinds(events) == [
        ("started", None),
        *POINTS,
        ("compiling", 3),
        ("result", 3),
        ("done", None),
    ]
    assert isinstance(events[2].rows[0], Result)
    assert events[2].rows[0].size == 1


def test_each_device_has_a_worker_of_its_own(scenario):
    scenario("well")
    request = BenchRequest(("dot",), sizes=(1,), limit_s=20.0, devices=("cpu", "xla"))
    events = list(run(request, command=STAND_IN))
    once = [("started", None), ("compiling", 1), ("result", 1), ("done", None)]
    assert kinds(events) == once * 2
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
        ("compiling", 1),
        ("result", 1),
        ("compiling", 2),
        ("failed", 2),
        ("started", None),
        ("compiling", 3),
        ("result", 3),
        ("done", None),
    ]
    (failure,) = failures(events)
    assert isinstance(failure, Failure)
    assert reason in failure.reason
    assert failure.evidence == evidence
    assert len(set(pids(events))) == 2


def test_a_worker_that_never_starts_ends_the_run(scenario):
    scenario("no-theano")
    request = BenchRequest(("dot", "elemwise"), sizes=(1, 2))
    events = list(run(request, command=STAND_IN))
    assert kinds(events) == [("failed", None)]
    (failure,) = failures(events)
    assert failure.reason == "the worker ended with exit status 1"
    assert failure.evidence == "ModuleNotFoundError: No module named 'theano'"


@pytest.mark.parametrize("what", ["hangs@2", "closes@2"])
def test_a_worker_that_hangs_is_ended_and_the_next_goes_on(scenario, what):
    scenario(what)
    request = BenchRequest(sizes=(1, 2, 3), limit_s=1.0)
    events = list(run(request, command=STAND_IN))
    (failure,) = failures(events)
    assert failure.size == 2
    assert failure.reason == "the worker was not through after 1 s and was ended"
    assert kinds(events)[-2:] == [("result", 3), ("done", None)]
    assert not any(map(alive, pids(events)))


def test_a_worker_that_says_nothing_at_all(scenario):
    scenario("mute")
    events = list(run(BenchRequest(sizes=(1, 2), limit_s=0.5), command=STAND_IN))
    assert kinds(events) == [("failed", None)]


def test_a_worker_that_will_not_hear_is_killed(scenario, monkeypatch):
    monkeypatch.setattr(module, "GRACE_S", 0.2)
    scenario("deaf@1")
    events = list(run(BenchRequest(sizes=(1,), limit_s=1.0), command=STAND_IN))
    assert kinds(events)[-1] == ("failed", 1)
    assert not any(map(alive, pids(events)))


def test_garbage_is_passed_over(scenario):
    scenario("garbage@2")
    events = list(run(REQUEST, command=STAND_IN))
    assert kinds(events)[-4:] == [*POINTS[3:], ("compiling", 3), ("result", 3), ("done", None)]
    assert not failures(events)


def test_an_interrupt_gives_what_is_there_ends_the_worker_and_is_raised(scenario):
    scenario("interrupts@2")
    seen = []

    def consume():
        for event in run(REQUEST, command=STAND_IN):
            seen.append(event)  # noqa: PERF402  # what was seen before the interrupt is the point

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert kinds(seen)[:3] == [("started", None), ("compiling", 1), ("result", 1)]
    assert kinds(seen)[-1] == ("failed", 2)
    assert failures(seen)[0].reason == "interrupted"
    assert not any(map(alive, pids(seen)))


def test_a_caller_that_stops_listening_leaves_no_process(scenario):
    scenario("hangs@1")
    with contextlib.closing(run(REQUEST, command=STAND_IN)) as events:
        first = next(events)
    assert first.kind == "started"
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
        ({"workloads": ("dott",)}, "unknown workload 'dott'; there are: dot, elemwise, logreg"),
        ({"workloads": ()}, "unknown workload"),
        ({"sizes": (10, 0)}, "sizes are at least 1"),
        ({"seconds": 0.0}, "time is above 0"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        BenchRequest(**arguments)
