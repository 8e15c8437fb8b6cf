"""The timer beside others, in one run: known sleeps, timeit, pyperf; its statistics and SciPy's."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import timeit
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from theano_colab.bench.timer import Timing, measure, take_turns

HERE = Path(__file__).parent
# A machine that is busy may disturb one run of two timers; it does not disturb all of them alike.
TRIES = 8


@pytest.mark.parametrize("seconds", [0.0005, 0.006, 0.03])
def test_a_known_sleep_is_measured(seconds):
    """No shorter than it is, and as long as a hand-written loop finds it: nothing is added."""

    def by_hand():
        start = time.perf_counter()
        time.sleep(seconds)
        return time.perf_counter() - start

    def job():
        time.sleep(seconds)

    def ratio():
        before = [by_hand() for _ in range(9)]
        timing = measure(job, budget_s=0.4)
        after = [by_hand() for _ in range(9)]
        assert timing.quartiles[0] >= seconds
        return timing.median_s / statistics.median(before + after)

    agrees(ratio, within=0.03)


def test_sleeps_in_turns_have_the_ratio_of_their_lengths():
    def ratio():
        calls = [lambda: time.sleep(0.01), lambda: time.sleep(0.02)]
        *_, (short, long) = take_turns(calls, budget_s=0.8)
        return long.median_s / short.median_s / 2

    agrees(ratio, within=0.03)


def test_timeit_finds_the_same():
    """The fastest block, by the processor's time: others are slower by what else it had to do."""
    clock = time.thread_time
    number = max(1, round(0.005 / timeit.timeit(job, timer=clock, number=20) * 20))

    def theirs():
        return min(timeit.repeat(job, timer=clock, number=number, repeat=20)) / number

    agrees(fastest(theirs, clock), within=0.03)


def test_pyperf_finds_the_same(tmp_path):
    """In pyperf's own worker processes, with its own calibration and warm-up."""
    file = tmp_path / "both"
    root = str(Path(measure.__code__.co_filename).parents[2])

    def ratio():
        file.unlink(missing_ok=True)
        options = ("--processes=3", "--values=5", "--warmups=1", "--min-time=0.01", "--quiet")
        subprocess.run(
            [
                sys.executable,
                HERE / "pyperf_beside.py",
                file,
                *options,
                "--inherit-environ=PYTHONPATH",
            ],
            env={**os.environ, "PYTHONPATH": root},
            check=True,
            timeout=120,
            capture_output=True,
        )
        both = np.loadtxt(file)
        assert len(both) == 3
        return float(np.median(both[:, 1] / both[:, 0]))

    agrees(ratio, within=0.05)


def test_torch_finds_the_same():
    """Its blocked_autorange, in turns with ours; only where torch is: it is too large for CI."""
    benchmark = pytest.importorskip("torch.utils.benchmark", reason="torch is not installed")
    clock = time.thread_time
    timer = benchmark.Timer("job()", globals={"job": job}, timer=clock)

    def theirs():
        return min(timer.blocked_autorange(min_run_time=0.1).times)

    agrees(fastest(theirs, clock), within=0.03)


def job():
    return sum(i * i for i in range(2000))


def fastest(theirs, clock):
    """Return what gives the ratio of the fastest blocks so far: more tries find faster ones."""
    best = [float("inf")] * 2

    def ratio():
        for _ in range(3):
            best[0] = min(best[0], *measure(job, budget_s=0.1, clock=clock).seconds)
            best[1] = min(best[1], theirs())
        return best[0] / best[1]

    return ratio


def agrees(ratio, within):
    found = []
    for _ in range(TRIES):
        found.append(ratio())
        if abs(found[-1] - 1) < within:
            return
    raise AssertionError(f"the ratios to the other's figure are {found}")


@given(st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=80))
def test_statistics_are_scipys_and_numpys_to_the_last_bits(seconds):
    timing = Timing(tuple(seconds), 1)
    values = np.array(seconds)
    quartiles = np.percentile(values, [25, 75])
    # Two roundings of one number may differ in its last bits, and no more.
    bits = 4 * np.spacing(values.max())
    assert timing.median_s == np.median(values)
    assert np.abs(np.array(timing.quartiles) - quartiles).max() <= bits
    assert abs(timing.iqr_s - stats.iqr(values)) <= 2 * bits
    assert (
        np.abs(
            np.array(timing.quartiles) - stats.mstats.mquantiles(values, [0.25, 0.75], 1, 1)
        ).max()
        <= bits
    )
