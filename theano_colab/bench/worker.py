"""The process that measures: one workload on one device, one JSON line on stdout for each event.

``python -m theano_colab.bench.worker --workload dot --sizes 256,1000 --floatX float32 --time 3``

Theano's device is chosen once per process, by the THEANO_FLAGS that the parent put into the
environment. Theano and NumPy are measured in this one process and in turns (`timer.take_turns`),
after the thread pools of their BLAS libraries have gone to sleep (`timer.settle`) and with the
same number of threads, which the parent set.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import numpy as np
import psutil

from theano_colab.bench import timer
from theano_colab.bench.events import Event
from theano_colab.bench.results import Failure, Result
from theano_colab.bench.workloads import WORKLOADS, Program, Workload, max_rel_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

THREADS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""The environment variables that OpenBLAS, MKL and OpenMP programs take their threads from."""

CHECKED_CALLS = 3
"""So many calls on either side before the results are compared: updates have to add up alike."""

MEMORY_FACTOR = 2
"""Of a workload's bytes; the data and what Theano and NumPy keep of it while they compute."""

NOTABLE_LOAD = 0.2
"""Processors that others may use before that is given as a reason."""

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for; return the exit status."""
    options = _parse(argv)
    _be_the_first_to_be_killed()
    with _own_stdout() as out:
        try:
            for event in measure(
                WORKLOADS[options.workload], options.sizes, options.floatX, options.time
            ):
                out.write(json.dumps(event.to_json()) + "\n")
                out.flush()
        except KeyboardInterrupt:
            return INTERRUPTED
    return 0


def measure(
    workload: Workload,
    sizes: Sequence[int],
    floatX: str,  # noqa: N803  # Theano's name
    seconds: float,
) -> Iterator[Event]:
    """Measure one workload at these sizes; ``seconds`` of wall time are for each.

    A size that fails is an event, and the next one follows.

    Raises
    ------
    ImportError
        If there is no Theano.
    """
    start = time.perf_counter()
    import theano

    import_s = time.perf_counter() - start
    config = theano.config
    on_cpu = config.device == "cpu"
    linker = "theano C linker" if config.cxx else "theano without a compiler"
    if not on_cpu:
        old_backend = getattr(sys.modules.get("theano.gpuarray"), "pygpu_activated", False)
        linker = "theano GPU backend" if old_backend else "theano XLA"
    about: dict[str, Any] = {
        "workload": workload.name,
        "device": config.device,
        "floatX": floatX,
        "threads": _threads(),
    }
    blas = theano_blas(config.blas.ldflags) if on_cpu else ""
    theano_row = {**about, "backend": linker, "blas": blas}
    numpy_row = {**about, "device": "cpu", "backend": "numpy", "blas": numpy_blas()}
    yield Event(
        "started",
        workload.name,
        info={
            "device": config.device,
            "backend": linker,
            "theano": theano.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "theano BLAS": theano_row["blas"],
            "numpy BLAS": numpy_row["blas"],
            "threads": about["threads"] or 0,
            "import_s": round(import_s, 3),
            "pid": os.getpid(),
        },
    )
    for size in sizes:
        try:
            yield from _point(workload, size, seconds, theano_row, numpy_row)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this size's row
            reason = "not enough memory" if isinstance(error, MemoryError) else "the call failed"
            lines = str(error).strip().splitlines() or [""]
            failure = Failure(
                workload.name,
                size,
                config.device,
                linker,
                floatX,
                reason,
                f"{type(error).__name__}: {lines[0]}",
            )
            yield Event("failed", workload.name, size, (failure,))
    yield Event("done", workload.name)


def _point(
    workload: Workload,
    size: int,
    seconds: float,
    theano_row: dict[str, Any],
    numpy_row: dict[str, Any],
) -> Iterator[Event]:
    """Compile, check and time one size."""
    floatX = theano_row["floatX"]  # noqa: N806  # Theano's name
    moved = workload.bytes(size, np.dtype(floatX).itemsize)
    free = psutil.virtual_memory().available
    if MEMORY_FACTOR * moved > free:
        raise MemoryError(f"it needs about {MEMORY_FACTOR * moved:.1e} bytes, {free:.1e} are free")

    yield Event("compiling", workload.name, size)
    problem = workload.prepare(size, floatX)
    start = time.perf_counter()
    mine = problem.theano()
    if theano_row["device"] != "cpu":
        mine.call()  # a device's code is compiled when it is first called
    compile_s = time.perf_counter() - start
    reference = problem.reference()

    done = int(theano_row["device"] != "cpu")
    error = max_rel_error(_after_some_calls(mine, done), _after_some_calls(reference))
    agrees = error <= workload.tolerance[floatX]
    common = {"size": size, "flops": workload.flops(size), "bytes": moved}
    theano_row = {
        **theano_row,
        **common,
        "compile_s": compile_s,
        "agrees": agrees,
        "max_rel_error": error if math.isfinite(error) else None,
    }
    disagreement = (
        ""
        if agrees
        else f"differs from NumPy by {error:.1e}, allowed is {workload.tolerance[floatX]:.0e}"
    )
    rows: tuple[Result, ...] = ()
    load = _OtherLoad()
    for timings in timer.take_turns(
        [mine.call, reference.call], budget_s=seconds, settle=timer.settle
    ):
        rows = (
            _row(theano_row, timings[0], disagreement, load),
            _row({**numpy_row, **common}, timings[1], "", load),
        )
        yield Event("measuring", workload.name, size, rows)
    yield Event("result", workload.name, size, rows)


def _row(
    known: dict[str, Any], timing: timer.Timing, disagreement: str, load: _OtherLoad
) -> Result:
    reasons = (disagreement, timing.detail, "" if timing.stable else load.in_words())
    return Result(
        **known,
        median_s=timing.median_s,
        iqr_s=timing.iqr_s,
        repeats=len(timing.seconds),
        calls_per_repeat=timing.calls_per_repeat,
        stable=timing.stable,
        detail="; ".join(filter(None, reasons)),
    )


class _OtherLoad:
    """How much of the processors everything but this process has used since this was made."""

    def __init__(self) -> None:
        self._start = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        """Return wall time, and the CPU time of all other processes, in seconds."""
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # Linux counts a guest's time twice: in "guest" and in "user".
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return time.perf_counter(), total - idle - time.process_time()

    def in_words(self) -> str:
        """Return how many processors the others took; "" if few, or if it cannot be told."""
        cpus = len(os.sched_getaffinity(0))
        if psutil.cpu_count() != cpus:  # a container's share of a larger machine
            return ""
        wall, others = (now - then for now, then in zip(self._now(), self._start, strict=True))
        taken = others / wall
        if taken < NOTABLE_LOAD:
            return ""
        return f"other programs used {taken:.1f} of the {cpus} processors meanwhile"


def _after_some_calls(program: Program, done: int = 0) -> Sequence[np.ndarray[Any, Any]]:
    """Return the arrays after `CHECKED_CALLS` calls, of which so many were made before."""
    result = None
    for _ in range(CHECKED_CALLS - done):
        result = program.call()
    return program.arrays(result)


def numpy_blas() -> str:
    """Return the name and version of the BLAS that NumPy was built with; "" if it does not say."""
    # NumPy's own annotations do not know the argument that its documentation gives.
    config = cast("Any", np.show_config)(mode="dicts") or {}
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', '')} {blas.get('version', '')}".strip()


def theano_blas(ldflags: str) -> str:
    """Return the libraries that Theano's ``blas.ldflags`` link, by name; "none" without any.

    >>> theano_blas("-L/usr/lib -lopenblas -lm")
    'openblas'
    >>> theano_blas("/site-packages/scipy.libs/libscipy_openblas-68440149.so")
    'scipy_openblas-68440149'
    """
    named = re.findall(r"(?:-l:?|/)(?:lib)?([^\s/]+?)(?:\.so[.\d]*|\.a)?(?=[\s\"']|$)", ldflags)
    return ", ".join(n for n in named if re.search("blas|mkl|atlas|blis", n)) or "none"


def _threads() -> int | None:
    """Return the number of threads that the parent gave to the BLAS libraries, if it did."""
    given = {os.environ.get(name, "") for name in THREADS_VARIABLES}
    (first, *rest) = given
    return int(first) if not rest and first.isdigit() else None


def _be_the_first_to_be_killed() -> None:
    """Ask Linux to end this process, not the notebook's kernel, when memory runs out."""
    # A process may always raise its own score (proc_pid_oom_score_adj(5)).
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


@contextlib.contextmanager
def _own_stdout() -> Iterator[TextIO]:
    """Keep the real stdout for the events; what anything else prints goes to stderr."""
    sys.stdout.flush()
    events = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(events, "w", encoding="utf-8") as out:
        yield out


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m theano_colab.bench.worker", description=__doc__
    )
    parser.add_argument("--workload", required=True, choices=sorted(WORKLOADS))
    parser.add_argument("--sizes", required=True, type=_sizes, help="such as 256,512")
    parser.add_argument("--floatX", default="float32", choices=["float32", "float64"])
    parser.add_argument("--time", type=float, default=3.0, help="seconds for each size")
    return parser.parse_args(argv)


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(int(part) for part in text.split(","))
    if any(size < 1 for size in sizes):
        raise ValueError("a size is at least 1")
    return sizes


if __name__ == "__main__":
    sys.exit(main())
