"""How long a call takes: blocks that are long against the clock, medians, and an honest verdict.

The practice is that of `torch.utils.benchmark
<https://docs.pytorch.org/docs/stable/benchmark_utils.html>`_ (blocks grown until the clock does not
matter, median and interquartile range, a warning above 10%) and of `pyperf
<https://pyperf.readthedocs.io/en/latest/run_benchmark.html>`_ (calibration and warm-up apart from
the values, a result that is unstable says so and why). Calls that are to be compared take turns in
one run, so that a machine that slows down slows down all of them.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import math
import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab.bench.results import STABLE_SPREAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MIN_BLOCK_S = 0.005
"""A block is at least this long, or a single call: 5 ms is 1e5 times what perf_counter resolves."""

TURN_S = 0.1
"""How long one call is timed before the next one has its turn."""

FEW_REPEATS = 5
"""Fewer blocks than this say nothing about the spread, so they are never called stable."""

ENOUGH_REPEATS = 15
ENOUGH_SPREAD = 0.03
MIN_ROUNDS = 4
"""With so many blocks, an IQR below this share of the median, and so many turns for each call (two
forth, two back), more time brings nothing."""

SETTLE_STEP_S = 0.002
SETTLE_LIMIT_S = 0.5
"""How often, and how long, to look whether the idle threads of this process have gone to sleep."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What the blocks of one call gave.

    ``seconds`` holds the time of one call for every block, in the order they were taken, each the
    time of a block over its ``calls_per_repeat`` calls.
    """

    seconds: tuple[float, ...]
    calls_per_repeat: int

    @property
    def median_s(self) -> float:
        """Return the median over the blocks, in seconds for one call."""
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Return the first and the third quartile (linear interpolation, as SciPy), in seconds."""
        if len(self.seconds) == 1:
            return self.seconds[0], self.seconds[0]
        lower, _, upper = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return lower, upper

    @property
    def iqr_s(self) -> float:
        """Return the interquartile range, in seconds."""
        lower, upper = self.quartiles
        return upper - lower

    @property
    def spread(self) -> float:
        """Return the IQR as a share of the median; 0 where the median is 0."""
        return self.iqr_s / self.median_s if self.median_s else 0.0

    @property
    def stable(self) -> bool:
        """Return whether the median can be relied on."""
        return len(self.seconds) >= FEW_REPEATS and self.spread < STABLE_SPREAD

    @property
    def detail(self) -> str:
        """Return why the timing is not stable, in one sentence; "" if it is."""
        if self.stable:
            return ""
        blocks = len(self.seconds)
        if blocks < FEW_REPEATS:
            return f"only {blocks} of at least {FEW_REPEATS} blocks fitted into the time"
        text = f"the IQR is {self.spread:.0%} of the median after {blocks} blocks"
        drift = self._drift()
        if abs(drift) >= STABLE_SPREAD:
            pace = "slower" if drift > 0 else "faster"
            text += f"; the second half was {abs(drift):.0%} {pace} than the first"
        return text

    def _drift(self) -> float:
        """Return how much longer the second half's median is than the first's, as a share."""
        half = len(self.seconds) // 2
        first = statistics.median(self.seconds[:half])
        return statistics.median(self.seconds[half:]) / first - 1 if first else 0.0


def measure(
    call: Callable[[], object],
    *,
    budget_s: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Timing:
    """Time one call alone: the last value of `take_turns` with nothing beside it."""
    *_, (timing,) = take_turns([call], budget_s=budget_s, clock=clock)
    return timing


def take_turns(
    calls: Sequence[Callable[[], object]],
    *,
    budget_s: float,
    clock: Callable[[], float] = time.perf_counter,
    settle: Callable[[], object] | None = None,
) -> Iterator[tuple[Timing, ...]]:
    """Time several calls in turn, and give the timings so far after every round.

    Parameters
    ----------
    calls
        What to time. Each must be finished when it returns: a call that starts work on a device
        has to wait for it.
    budget_s
        Wall time for all of it, warm-up included. It is checked between blocks; every call has at
        least one block, however long that takes.
    clock
        Seconds, monotonic.
    settle
        Called before every turn: waits until what the last call left running is over (`settle`).

    Yields
    ------
    tuple of Timing
        One for each call, in their order. The last one is the result: after `MIN_ROUNDS` all are
        steady (IQR below `ENOUGH_SPREAD` of the median over `ENOUGH_REPEATS` blocks), or the time
        is spent.

    Notes
    -----
    Every turn begins with one call that is not timed: it wakes the thread pool of its library and
    brings its data back into the caches. Rounds run forth and back (A B, B A, ...), so that a
    steady drift of the machine adds the same to each.
    """
    deadline = clock() + budget_s
    blocks = [_block_size(call, clock) for call in calls]
    seconds: list[list[float]] = [[] for _ in calls]
    order = list(range(len(calls)))
    for rounds in itertools.count(1):
        for i in order:
            if settle is not None:
                settle()
            calls[i]()
            turn_ends = min(clock() + TURN_S, deadline)
            seconds[i].append(_block(calls[i], blocks[i], clock) / blocks[i])
            while clock() < turn_ends:
                seconds[i].append(_block(calls[i], blocks[i], clock) / blocks[i])
        timings = tuple(Timing(tuple(s), n) for s, n in zip(seconds, blocks, strict=True))
        yield timings
        if clock() >= deadline or (rounds >= MIN_ROUNDS and all(map(_steady, timings))):
            return
        order.reverse()


def another_thread_runs() -> bool:
    """Return whether any thread of this process but the calling one is running or ready to run.

    Read from the states in ``/proc/self/task`` (proc_pid_stat(5)); True where that cannot be read.
    A thread that spins is in state R even while other programs keep it off the processor, so this
    tells the truth on a busy machine, where the CPU time of the process does not.
    """
    me = str(threading.get_native_id())
    try:
        tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != me]
    except OSError:
        return True
    for task in tasks:
        with contextlib.suppress(OSError):  # the thread has ended meanwhile
            # The name, in parentheses, may hold anything; the state follows the last of them.
            if (task / "stat").read_text().rpartition(")")[2].split()[0] == "R":
                return True
    return False


def settle(
    *,
    busy: Callable[[], bool] = another_thread_runs,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until the idle threads of this process sleep; return whether they do.

    A BLAS keeps its threads spinning for a while after a call, waiting for the next (OpenBLAS for
    2**26 or 2**28 clock ticks, https://github.com/OpenMathLib/OpenBLAS/issues/5171; MKL for
    KMP_BLOCKTIME, 200 ms). NumPy and Theano may be linked to two libraries with two pools, and a
    pool that spins takes a core from the one that is being timed. So this waits until no other
    thread runs, for at most `SETTLE_LIMIT_S`. The libraries' own settings stay as the user has
    them.
    """
    deadline = clock() + SETTLE_LIMIT_S
    while busy():
        if clock() >= deadline:
            return False
        sleep(SETTLE_STEP_S)
    return True


def _steady(timing: Timing) -> bool:
    return len(timing.seconds) >= ENOUGH_REPEATS and timing.spread < ENOUGH_SPREAD


def _block_size(call: Callable[[], object], clock: Callable[[], float]) -> int:
    """Return how many calls make a block of `MIN_BLOCK_S`. The calls made to find out warm up.

    The first call is left out of the judgement: it may compile, allocate, or start threads. A block
    passes only if it is long enough twice: once, it may just have waited for a processor.
    """
    call()
    size = 1
    while (elapsed := _shorter_of_two(call, size, clock)) < MIN_BLOCK_S:
        # At most tenfold at a time: a first block that the clock barely sees says little.
        factor = MIN_BLOCK_S / elapsed if elapsed > 0 else 10
        size = max(size + 1, math.ceil(size * min(10.0, 1.1 * factor)))
    return size


def _shorter_of_two(call: Callable[[], object], size: int, clock: Callable[[], float]) -> float:
    """Return the time of a block; of the shorter of two where the first looks long enough."""
    first = _block(call, size, clock)
    # A call as long as a whole turn needs no second look, which would cost more than it tells.
    return first if not MIN_BLOCK_S <= first < TURN_S else min(first, _block(call, size, clock))


def _block(call: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    """Return the time of so many calls in a row, in seconds, with the cyclic collector held off."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = clock()
        for _ in itertools.repeat(None, calls):
            call()
        return clock() - start
    finally:
        if collecting:
            gc.enable()
