"""The timer against a clock that only calls move."""

from __future__ import annotations

import gc
import itertools
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from theano_colab.bench import timer
from theano_colab.bench.timer import Timing, measure, settle, take_turns


class Machine:
    """Time that passes only when something is called."""

    def __init__(self) -> None:
        self.now = 100.0
        self.log: list[str] = []

    def clock(self) -> float:
        return self.now

    def job(self, seconds, name="job"):
        """Return a call that takes these seconds, one after the other, again and again."""
        times = itertools.cycle(seconds if isinstance(seconds, list) else [seconds])

        def call() -> None:
            self.log.append(name)
            self.now += next(times)

        return call


@given(st.floats(1e-7, 2.0))
def test_a_block_is_long_enough_and_no_longer_than_needed(seconds):
    machine = Machine()
    timing = measure(machine.job(seconds), budget_s=3.0, clock=machine.clock)
    block_s = timing.calls_per_repeat * seconds
    assert block_s >= timer.MIN_BLOCK_S * 0.999
    assert timing.calls_per_repeat == 1 or block_s <= 1.3 * timer.MIN_BLOCK_S + seconds
    assert timing.median_s == pytest.approx(seconds, rel=1e-3)
    assert timing.iqr_s <= 1e-3 * seconds


def test_a_single_wait_for_the_processor_does_not_set_the_block():
    machine = Machine()
    waits = iter([0.0, 0.05])

    def call() -> None:
        machine.now += 1e-4 + next(waits, 0.0)

    timing = measure(call, budget_s=1.0, clock=machine.clock)
    assert timing.calls_per_repeat >= 50


def test_a_call_the_clock_cannot_see_still_gets_a_block():
    machine = Machine()

    def coarse() -> float:  # ticks of 1 ms
        return math.floor(machine.now * 1e3) / 1e3

    timing = measure(machine.job(1e-6), budget_s=1.0, clock=coarse)
    assert timing.median_s == pytest.approx(1e-6, rel=0.25)


@given(st.floats(1e-5, 0.5), st.floats(0.01, 4.0))
def test_the_budget_holds_but_for_what_was_begun(seconds, budget):
    machine = Machine()
    # Never steady, so that only the budget can end it.
    job = machine.job([seconds, 3 * seconds])
    measure(job, budget_s=budget, clock=machine.clock)
    block = max(2 * timer.MIN_BLOCK_S, 3 * seconds)
    assert machine.now - 100.0 <= budget + 30 * block


def test_a_call_longer_than_the_budget_is_timed_once_and_not_called_stable():
    machine = Machine()
    timing = measure(machine.job(60.0), budget_s=1.0, clock=machine.clock)
    assert timing.seconds == (60.0,)
    assert timing.iqr_s == 0.0
    assert not timing.stable
    assert timing.detail == "only 1 of at least 5 blocks fitted into the time"


def test_a_steady_call_ends_before_the_budget():
    machine = Machine()
    timing = measure(machine.job(0.01), budget_s=1000.0, clock=machine.clock)
    assert timing.stable
    assert timing.detail == ""
    assert len(timing.seconds) >= timer.ENOUGH_REPEATS
    assert machine.now - 100.0 < 2.0


def test_warm_up_is_not_among_the_values():
    machine = Machine()
    first = iter([30.0])

    def call() -> None:
        machine.now += next(first, 1e-4)

    timing = measure(call, budget_s=100.0, clock=machine.clock)
    assert max(timing.seconds) == pytest.approx(1e-4)
    assert timing.calls_per_repeat >= 50


def test_a_noisy_call_is_unstable_and_says_how_much():
    machine = Machine()
    timing = measure(machine.job([0.01, 0.02, 0.03]), budget_s=2.0, clock=machine.clock)
    assert not timing.stable
    assert "of the median after" in timing.detail


def test_drift_is_named():
    timing = Timing((1.0,) * 10 + (1.5,) * 10, 1)
    assert not timing.stable
    assert timing.detail.endswith("the second half was 50% slower than the first")
    back = Timing(tuple(reversed(timing.seconds)), 1)
    assert "33% faster" in back.detail


@given(st.lists(st.floats(1e-6, 1e3), min_size=5, max_size=60))
def test_statistics_are_numpys(seconds):
    timing = Timing(tuple(seconds), 1)
    low, high = np.percentile(seconds, [25, 75])
    assert timing.median_s == pytest.approx(float(np.median(seconds)))
    assert timing.iqr_s == pytest.approx(float(high - low), abs=1e-9)
    share = float(high - low) / float(np.median(seconds))
    assume(abs(share - 0.1) > 1e-6)
    assert timing.stable == (share < 0.1)


def test_turns_alternate_with_a_wait_and_a_wake_up_call_before_each():
    machine = Machine()
    calls = [machine.job(0.06, "a"), machine.job(0.06, "b")]

    def wait() -> None:
        machine.log.append("wait")

    rounds = take_turns(calls, budget_s=10.0, clock=machine.clock, settle=wait)
    next(rounds)
    machine.log.clear()
    next(rounds)
    # One untimed call, then two timed blocks make a turn of 0.1 s; this round runs b first.
    assert machine.log == ["wait", "b", "b", "b", "wait", "a", "a", "a"]


def test_steady_calls_still_get_turns_forth_and_back():
    machine = Machine()
    calls = [machine.job(0.005, "a"), machine.job(0.005, "b")]
    rounds = list(take_turns(calls, budget_s=100.0, clock=machine.clock))
    assert len(rounds) == timer.MIN_ROUNDS


def test_a_drift_of_the_machine_does_not_touch_the_ratio():
    machine = Machine()

    def job(seconds):
        def call() -> None:
            machine.now += seconds * (1 + 0.02 * (machine.now - 100.0))

        return call

    calls = [job(0.01), job(0.02)]
    *_, (a, b) = take_turns(calls, budget_s=20.0, clock=machine.clock)
    assert b.median_s / a.median_s == pytest.approx(2.0, rel=0.02)


def test_every_round_gives_the_timings_so_far():
    machine = Machine()
    calls = [machine.job([0.01, 0.02]), machine.job(0.01)]
    counts = [
        len(timings[0].seconds) for timings in take_turns(calls, budget_s=2.0, clock=machine.clock)
    ]
    assert counts == sorted(set(counts))
    assert len(counts) > 3


def test_the_collector_is_off_in_a_block_and_on_again_after_it():
    seen = set()
    machine = Machine()

    def call() -> None:
        seen.add(gc.isenabled())
        machine.now += 0.01
        if len(machine.log) > 3:
            raise ValueError("broken")
        machine.log.append("x")

    with pytest.raises(ValueError, match="broken"):
        measure(call, budget_s=1.0, clock=machine.clock)
    assert False in seen
    assert gc.isenabled()


@pytest.mark.parametrize(("sleeps_at", "quiet"), [(0.0, True), (0.12, True), (9.0, False)])
def test_settle_waits_for_spinning_threads_but_not_for_ever(sleeps_at, quiet):
    machine = Machine()
    start = machine.now

    def sleep(seconds: float) -> None:
        machine.now += seconds

    def busy() -> bool:
        return machine.now - start < sleeps_at

    assert settle(busy=busy, clock=machine.clock, sleep=sleep) is quiet
    waited = machine.now - start
    assert waited <= timer.SETTLE_LIMIT_S + timer.SETTLE_STEP_S
    if quiet:
        assert sleeps_at <= waited + 1e-9
        assert waited <= sleeps_at + timer.SETTLE_STEP_S


OBSERVED = """
import threading, zlib
from theano_colab.bench.timer import another_thread_runs

def wait_for(state):
    # Bounded by the test's own time limit, not by a count.
    while another_thread_runs() is not state:
        pass

wait_for(False)
stop, done = threading.Event(), threading.Event()
data = bytes(1 << 22)

def spin():
    while not stop.is_set():
        zlib.adler32(data)  # runs without the interpreter's lock
    done.wait()

thread = threading.Thread(target=spin)
thread.start()
wait_for(True)
stop.set()
wait_for(False)  # it is there, and waits
assert thread.is_alive()
done.set()
thread.join()
"""


def test_a_running_thread_is_told_from_a_waiting_one():
    """In a process of its own, whose only threads are known."""
    subprocess.run(
        [sys.executable, "-c", OBSERVED],
        env={**os.environ, "PYTHONPATH": str(Path(timer.__file__).parents[2])},
        check=True,
        timeout=60,
    )


def test_a_real_wait_is_measured():
    """Against the operating system's own clock: a wait of 20 ms on an event that never comes."""
    event = threading.Event()
    timing = measure(lambda: event.wait(0.02), budget_s=0.5)
    assert 0.02 <= timing.median_s < 0.1
