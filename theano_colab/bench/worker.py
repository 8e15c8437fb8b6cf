"""The process that measures on one device: orders on stdin, events on stdout, one a line.

Theano's device is chosen once per process, by the THEANO_FLAGS that the parent put into the
environment. Theano and NumPy are measured in this one process and in turns (`timer.take_turns`),
after the thread pools of their BLAS libraries have gone to sleep (`timer.settle`) and with the
same number of threads, which the parent set. It ends when stdin does, or with its parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import math
import os
import platform
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import numpy as np
import psutil

from theano_colab.bench import peers, place, timer
from theano_colab.bench.events import Event, Order
from theano_colab.bench.point import Point, needed_bytes, prepare, prepare_peer
from theano_colab.bench.results import Failure, Result
from theano_colab.bench.workloads import max_rel_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from theano_colab.bench.networks import Array
    from theano_colab.bench.programs import Program

THREADS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""The environment variables that OpenBLAS, MKL and OpenMP programs take their threads from."""

PEER_VARIABLE = "THEANO_COLAB_BENCH_PEER"
"""The environment variable that names what measures in Theano's place."""

CHECKED_CALLS = 3
"""So many calls on either side before the results are compared: updates have to add up alike."""

MEMORY_FACTOR = 2
"""Of a workload's bytes; the data and what Theano and NumPy keep of it while they compute."""

NOTABLE_LOAD = 0.2
"""Processors that others may use before that is given as a reason."""

INTERRUPTED = 130
_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    """Measure what comes in on stdin until it ends; return the exit status."""
    _end_with_the_parent()
    _be_the_first_to_be_killed()
    orders, sys.stdin = sys.stdin, Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115  # for good
    with _own_stdout() as out:

        def say(event: Event) -> None:
            out.write(json.dumps(event.to_json()) + "\n")
            out.flush()

        try:
            peer = os.environ.get(PEER_VARIABLE, "")
            worker: _Worker = Peer(peer) if peer else InTheano()
            say(worker.started())
            for line in orders:
                for event in worker.obey(Order(**json.loads(line))):
                    say(event)
        except KeyboardInterrupt:
            return INTERRUPTED
    return 0


class _Worker:
    """Obeys orders; what computes is the subclass's.

    ``_mine`` and ``_numpys`` are the fields that its rows and NumPy's have in common.
    """

    _mine: dict[str, Any]
    _numpys: dict[str, Any]

    def started(self) -> Event:
        """Return what measures here."""
        raise NotImplementedError

    def _prepare(self, order: Order) -> tuple[Point, str]:
        """Make one point ready; return it, and where its graph's operations run."""
        raise NotImplementedError

    def obey(self, order: Order) -> Iterator[Event]:
        """Measure one point; whatever goes wrong is this point's row."""
        try:
            yield from self._point(order)
        except Exception as error:  # noqa: BLE001  # as said
            reason = _REASONS.get(type(error).__name__, "the call failed")
            lines = str(error).strip().splitlines() or [""]
            evidence = f"{type(error).__name__}: {lines[0]}"[:EVIDENCE]
            if type(error).__name__ == "XlaRuntimeError" and "RESOURCE_EXHAUSTED" in evidence:
                reason = "the device has not enough memory"
            head = (order.workload, order.size, self._mine["device"], self._mine["backend"])
            failure = Failure(*head, self._mine["floatX"], reason, evidence)
            yield Event("failed", order.workload, order.size, (failure,))
        gc.collect()  # what is measured next, here or in another process, wants the memory
        timer.settle()

    def _point(self, order: Order) -> Iterator[Event]:
        moved = needed_bytes(order, self._mine["floatX"])
        free = psutil.virtual_memory().available
        if MEMORY_FACTOR * moved > free:
            need = MEMORY_FACTOR * moved
            raise MemoryError(f"it needs about {need:.1e} bytes, {free:.1e} are free")

        yield Event("compiling", order.workload, order.size)
        point, ops = self._prepare(order)
        compared = _compare(point, order, self._mine["device"])
        common = {
            "workload": order.workload,
            "size": order.size,
            "flops": point.flops,
            "bytes": point.bytes,
        }
        mine = {**self._mine, **common, **compared, "compile_s": point.compile_s, "ops": ops}
        complaint = _disagreement(compared)
        timed = [point.mine, *filter(None, [point.sent])]
        if point.reference is not None and order.numpy:
            timed.append(point.reference)
        rows: tuple[Result, ...] = ()
        load = _OtherLoad()
        for timings in timer.take_turns(
            [one.call for one in timed], budget_s=order.seconds, settle=timer.settle
        ):
            transfer_s = timings[1].median_s if point.sent is not None else None
            rows = (_row({**mine, "transfer_s": transfer_s}, timings[0], complaint, load),)
            if timed[-1] is point.reference:
                rows += (_row({**self._numpys, **common}, timings[-1], "", load),)
            yield Event("measuring", order.workload, order.size, rows)
        yield Event("result", order.workload, order.size, rows)


class InTheano(_Worker):
    """Theano, imported on its device.

    Raises
    ------
    ImportError
        If there is no Theano.
    """

    def __init__(self) -> None:
        start = time.perf_counter()
        import theano

        self._import_s = time.perf_counter() - start
        self._theano = theano
        self._on_cpu = theano.config.device == "cpu"
        about: dict[str, Any] = {"floatX": theano.config.floatX, "threads": _threads()}
        blas = theano_blas(theano.config.blas.ldflags) if self._on_cpu else ""
        device, backend = theano.config.device, place.backend(theano)
        self._mine = {**about, "device": device, "backend": backend, "blas": blas}
        self._numpys = {**about, "device": "cpu", "backend": "numpy", "blas": numpy_blas()}

    def started(self) -> Event:
        """Return what measures here."""
        info = {
            **place.about(self._theano),
            "device": self._mine["device"],
            "backend": self._mine["backend"],
            "theano": self._theano.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "theano BLAS": self._mine["blas"],
            "numpy BLAS": self._numpys["blas"],
            "threads": self._mine["threads"] or 0,
            "import_s": round(self._import_s, 3),
            "pid": os.getpid(),
        }
        return Event("started", info=info)

    def _prepare(self, order: Order) -> tuple[Point, str]:
        point = prepare(order, self._mine["floatX"], on_cpu=self._on_cpu)
        return point, place.ops(point.mine.function, on_cpu=self._on_cpu)


class Peer(_Worker):
    """Another library, imported: "jax", "torch".

    Raises
    ------
    ImportError
        If it is not installed.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._about = peers.about(name)
        # The parent asks for the precision in Theano's own way.
        floatX = os.environ["THEANO_FLAGS"].rpartition("floatX=")[2].split(",")[0]  # noqa: N806
        self._mine = {
            "floatX": floatX,
            "threads": _threads(),
            "device": name,
            "backend": self._about["backend"],
            "blas": "",
        }
        self._numpys = {**self._mine, "device": "cpu", "backend": "numpy", "blas": numpy_blas()}

    def started(self) -> Event:
        """Return what measures here."""
        known = {"device": self._name, "threads": self._mine["threads"] or 0, "pid": os.getpid()}
        return Event("started", info={**self._about, **known})

    def _prepare(self, order: Order) -> tuple[Point, str]:
        return prepare_peer(self._name, order, self._mine["floatX"]), ""


_REASONS = {
    "LookupError": "it is not written for this",
    "MemoryError": "not enough memory",
    "CheckFailed": "it does not run where it should",
}
EVIDENCE = 300


def _compare(point: Point, order: Order, device: str) -> dict[str, Any]:
    """Return whether the results agree, after one call of ``point.mine``: fields of a `Result`."""
    results = _after(point.mine, CHECKED_CALLS - 1)
    references: dict[str, Sequence[Array]] = {}
    if point.reference is not None and point.comparable:
        references["NumPy"] = _after(point.reference, CHECKED_CALLS)
    if order.keep:
        kept = Path(order.keep)
        if kept.exists():
            with np.load(kept) as file:
                name, *rest = (file[key] for key in file.files)
            references[str(name)] = rest
        else:
            np.savez(kept, np.array(device), *results)
    if point.sent is not None:
        references["itself, with its data sent"] = _after(point.sent, CHECKED_CALLS)
    if not references:
        return {}
    errors = {name: max_rel_error(results, other) for name, other in references.items()}
    worst = max(errors, key=lambda name: math.inf if math.isnan(errors[name]) else errors[name])
    error = errors[worst]
    agrees = error <= point.tolerance
    named = [name for name in references if not name.startswith("itself")]
    return {
        "agrees": agrees if named or not agrees else None,
        "max_rel_error": error if math.isfinite(error) else None,
        "reference": " and ".join(named) if agrees else worst,
        "tolerance": point.tolerance,
    }


def _disagreement(compared: dict[str, Any]) -> str:
    if compared.get("agrees") is not False:
        return ""
    error = compared["max_rel_error"]
    by = "is not a number" if error is None else f"differs by {error:.1e}"
    return f"{by} from {compared['reference']}, allowed is {compared['tolerance']:.0e}"


def _row(known: dict[str, Any], timing: timer.Timing, complaint: str, load: _OtherLoad) -> Result:
    reasons = (complaint, timing.detail, "" if timing.stable else load.in_words())
    lower, upper = timing.quartiles
    return Result(
        **known,
        median_s=timing.median_s,
        iqr_s=timing.iqr_s,
        lower_s=lower,
        upper_s=upper,
        repeats=len(timing.seconds),
        calls_per_repeat=timing.calls_per_repeat,
        stable=timing.stable,
        detail="; ".join(filter(None, reasons)),
    )


def _after(program: Program, calls: int) -> Sequence[Array]:
    """Return the arrays after so many more calls."""
    for _ in range(calls):
        program.call()
    return program.arrays()


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


def _end_with_the_parent() -> None:
    """Have Linux end this process when its parent does, whatever ends the parent."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
