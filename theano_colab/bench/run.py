"""The parent's side: start a worker, pass on what it says, and survive what happens to it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal

from theano_colab import children
from theano_colab.bench.events import Event
from theano_colab.bench.results import Failure
from theano_colab.bench.worker import THREADS_VARIABLES
from theano_colab.bench.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

START_LIMIT_S = 180.0
POINT_LIMIT_S = 60.0
"""How long a worker may take to start, and for a point beyond its time, before it is ended.

Both are far more than is usual: a first import of Theano compiles for some 20 s.
"""

POLL_S = 0.5
"""How often to look whether a silent worker is still there."""

GRACE_S = 3.0
"""How long a worker has to end by itself once it was asked to."""

LINE_LIMIT = 1 << 20
"""No event is longer; what is longer was never one of ours."""

WORKER = (sys.executable, "-P", "-u", "-m", "theano_colab.bench.worker")


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What to measure.

    Parameters
    ----------
    workloads
        Names from `workloads.WORKLOADS`.
    sizes
        The sizes of each; empty for each workload's own.
    floatX
        The precision.
    seconds
        Wall time for each size, shared by Theano and NumPy.
    devices
        What Theano is asked to compute on, one after the other, each in a worker of its own.
    threads
        Threads for every BLAS in the worker; None for what the environment says
        (`OPENBLAS_NUM_THREADS`, `MKL_NUM_THREADS`, `OMP_NUM_THREADS`, in this order), else one for
        each processor that this process may use.
    limit_s
        Wall time after which a worker is ended; None for a generous multiple of ``seconds``.

    Raises
    ------
    ValueError
        If a workload is unknown or a number is out of range.
    """

    workloads: tuple[str, ...] = ("dot",)
    sizes: tuple[int, ...] = ()
    floatX: Literal["float32", "float64"] = "float32"  # noqa: N815  # Theano's name
    seconds: float = 3.0
    devices: tuple[str, ...] = ("cpu",)
    threads: int | None = None
    limit_s: float | None = None

    def __post_init__(self) -> None:
        unknown = sorted(set(self.workloads) - WORKLOADS.keys())
        if unknown or not self.workloads:
            known = ", ".join(sorted(WORKLOADS))
            raise ValueError(f"unknown workload {', '.join(unknown)!r}; there are: {known}")
        if any(size < 1 for size in self.sizes) or self.seconds <= 0:
            raise ValueError("sizes are at least 1 and the time is above 0")

    def limit(self, points: int) -> float:
        """Return the wall time a worker has for so many sizes, in seconds."""
        if self.limit_s is not None:
            return self.limit_s
        return START_LIMIT_S + points * (self.seconds + POINT_LIMIT_S)


def run(request: BenchRequest, *, command: Sequence[str] = WORKER) -> Generator[Event, None, None]:
    """Measure, one worker process after the other, and give each event as it comes in.

    A worker that dies, or that is not through in its time, gives a "failed" event with the reason;
    a new worker goes on with the sizes that are left. One that never said "started" is the last for
    its device: the next would fare no better.

    On KeyboardInterrupt the worker is ended, what it had said is still given, a "failed" event
    says that the run was interrupted, and KeyboardInterrupt is raised again. The caller may be
    the one who is interrupted, between two events: iterate inside ``contextlib.closing(run(...))``
    so that the worker is ended then too.
    """
    unfit: set[str] = set()
    for name, device in itertools.product(request.workloads, request.devices):
        sizes = () if device in unfit else request.sizes or WORKLOADS[name].sizes
        while sizes:
            started, finished = False, 0
            for event in _one_worker(request, name, device, sizes, command):
                started = started or event.kind == "started"
                finished += event.kind in {"result", "failed"}
                yield event
            if not started:
                unfit.add(device)
                break
            sizes = sizes[finished:]


def environment(request: BenchRequest, device: str, base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a worker for this device, made from this process's."""
    env = children.environment(base)
    # Of a flag that is given twice Theano takes the last. Where a device cannot be used, the CPU
    # must not be measured in its place.
    asked = f"device={device},floatX={request.floatX}"
    asked += "" if device == "cpu" else ",force_device=True"
    env["THEANO_FLAGS"] = ",".join(filter(None, (env.get("THEANO_FLAGS", "").strip(" ,"), asked)))
    threads = request.threads or next(
        (int(env[name]) for name in THREADS_VARIABLES if env.get(name, "").isdigit()),
        len(os.sched_getaffinity(0)),
    )
    env.update(dict.fromkeys(THREADS_VARIABLES, str(threads)))
    return env


def _one_worker(
    request: BenchRequest, name: str, device: str, sizes: tuple[int, ...], command: Sequence[str]
) -> Iterator[Event]:
    """Give a worker's events; where it ended before it was through, a failure in their place."""
    limit = request.limit(len(sizes))
    options = ["--workload", name, "--sizes", ",".join(map(str, sizes))]
    options += ["--floatX", request.floatX, "--time", str(request.seconds)]
    worker = _Worker([*command, *options], environment(request, device, os.environ))
    started, finished = False, 0

    def failure(reason: str) -> Event:
        size = sizes[finished] if started else None
        row = Failure(name, size, device, "theano", request.floatX, reason, worker.last_words())
        return Event("failed", name, size, (row,))

    try:
        try:
            for event in worker.events(time.monotonic() + limit):
                started = started or event.kind == "started"
                finished += event.kind in {"result", "failed"}
                yield event
            reason = _how_it_ended(worker.process.wait())
        except TimeoutError:
            worker.end()
            reason = f"the worker was not through after {limit:.0f} s and was ended"
        if not started or finished < len(sizes):
            yield failure(reason)
    except KeyboardInterrupt:
        worker.end()
        for event in worker.events(0.0):
            finished += event.kind in {"result", "failed"}
            yield event
        if finished < len(sizes):
            yield failure("interrupted")
        raise
    finally:
        worker.end()
        worker.close()


class _Worker:
    """A worker process in a session of its own, so that an interrupt of the kernel misses it."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._lines = {"stdout": bytearray(), "stderr": bytearray()}
        self._chatter: deque[str] = deque(maxlen=20)
        self._selector = selectors.DefaultSelector()
        for name in self._lines:
            pipe: IO[bytes] = getattr(self.process, name)
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, name)

    def events(self, deadline: float) -> Iterator[Event]:
        """Give events until the worker has ended and all it wrote is read.

        ``deadline`` is on ``time.monotonic``'s clock. The worker's end is asked for, not waited
        for as the end of its output: a compiler that it started may hold the pipes open.

        Raises
        ------
        TimeoutError
            If the worker still runs at the deadline.
        """
        while True:
            ended = self.process.poll() is not None
            wait = 0.0 if ended else min(POLL_S, deadline - time.monotonic())
            if wait < 0:
                raise TimeoutError
            # With nothing left to read, select would return at once for ever.
            ready = self._selector.select(wait) if self._selector.get_map() else []
            if not ready and not ended and not self._selector.get_map():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(wait)
            if not ready and ended:
                return
            for key, _ in ready:
                yield from self._read(key)

    def _read(self, key: selectors.SelectorKey) -> Iterator[Event]:
        """Read what is there on one pipe: events from stdout, last words from both."""
        chunk = os.read(key.fd, 1 << 16)
        buffer = self._lines[key.data]
        buffer += chunk or b"\n"
        if not chunk:
            self._selector.unregister(key.fileobj)
        *lines, rest = buffer.split(b"\n")
        buffer[:] = rest[-LINE_LIMIT:]
        for line in lines:
            event = _event(bytes(line)) if key.data == "stdout" else None
            if event is not None:
                yield event
            elif text := line.decode(errors="replace").strip():
                self._chatter.append(text[:500])

    def last_words(self) -> str:
        """Return the last line that was no event; "" if there was none."""
        return self._chatter[-1] if self._chatter else ""

    def end(self) -> None:
        """End the worker and all it started, first by asking: so Theano's locks are released."""
        try:
            if self.process.poll() is None:
                self._signal(signal.SIGINT)
                self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._signal(signal.SIGKILL)
            self.process.wait()

    def close(self) -> None:
        """Close the pipes, read or not."""
        self._selector.close()
        for name in self._lines:
            getattr(self.process, name).close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def _event(line: bytes) -> Event | None:
    try:
        return Event.from_json(json.loads(line))
    except ValueError:
        return None


def _how_it_ended(status: int) -> str:
    """Say in words what a worker's exit status means."""
    if status == -signal.SIGKILL:
        return "the worker was killed by SIGKILL, as Linux does when memory runs out"
    if status < 0:
        return f"the worker was killed by {signal.Signals(-status).name}"
    if status > 0:
        return f"the worker ended with exit status {status}"
    return "the worker ended before it was through"
