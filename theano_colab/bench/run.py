"""The parent's side: one worker per device gets orders; what they say is passed on at once."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from theano_colab import children
from theano_colab.bench.events import Event, Order
from theano_colab.bench.peers import PEERS
from theano_colab.bench.point import CELL
from theano_colab.bench.process import Child, how_it_ended
from theano_colab.bench.results import Failure
from theano_colab.bench.worker import PEER_VARIABLE, THREADS_VARIABLES
from theano_colab.bench.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

START_LIMIT_S = 180.0
POINT_LIMIT_S = 600.0
"""How long a worker may take to start, and for a point beyond its time, before it is ended.

Both are far more than is usual: a first import of Theano compiles for some 20 s, LeNet and the LSTM
for as long, and several times as long where other programs are busy.
"""

TICK_S = 0.2
"""How often something is said, whatever the workers do: a panel's clock goes on."""

LEAST_S = 0.3
"""The least time that a point is worth measuring for, in seconds."""

WORKER = (sys.executable, "-P", "-u", "-m", "theano_colab.bench.worker")
WATCHER = (sys.executable, "-P", "-u", "-m", "theano_colab.bench.gpu_watch")


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What to measure.

    Parameters
    ----------
    workloads
        Names from `workloads.WORKLOADS`, or "cell" for ``code``.
    sizes
        The sizes of each; empty for each workload's own, or every other one of them where
        ``total_s`` is short.
    floatX
        The precision.
    seconds
        Wall time for each size on each device, shared by Theano and NumPy.
    devices
        What Theano is asked to compute on, each in a worker of its own: "cpu", "cuda", "xla"; or a
        peer that does the same: "torch", "jax".
    batch
        Examples in a minibatch, for the workloads that have one; None for their own.
    total_s
        Wall time for all of it: what does not fit is left out. None for as long as it takes.
    code
        A cell's code that makes ``f``, a Theano function, and its arguments ``args``.
    watch
        Whether NVML is asked how busy the GPU is.
    threads
        Threads for every BLAS in the worker; None for what the environment says
        (`OPENBLAS_NUM_THREADS`, `MKL_NUM_THREADS`, `OMP_NUM_THREADS`, in this order), else one for
        each processor that this process may use.
    limit_s
        Wall time after which a worker that starts or measures a point is ended; None for a generous
        multiple of ``seconds``.

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
    batch: int | None = None
    total_s: float | None = None
    code: str = ""
    watch: bool = False
    threads: int | None = None
    limit_s: float | None = None

    def __post_init__(self) -> None:
        known = WORKLOADS.keys() | ({CELL} if self.code else set())
        unknown = sorted(set(self.workloads) - known)
        if unknown or not self.workloads:
            raise ValueError(
                f"unknown workload {', '.join(unknown)!r}; there are: {', '.join(WORKLOADS)}"
            )
        if any(size < 1 for size in self.sizes) or self.seconds <= 0:
            raise ValueError("sizes are at least 1 and the time is above 0")
        if self.batch is not None:
            without = [w for w in self.workloads if w == CELL or WORKLOADS[w].batch is None]
            if without:
                raise ValueError(f"{', '.join(without)} has no --batch beside its size")
            if self.batch < 1:
                raise ValueError("a batch is at least 1")

    def sizes_of(self, workload: str) -> tuple[int, ...]:
        """Return the sizes that a workload is measured at."""
        if self.sizes or workload == CELL:
            return self.sizes or (1,)
        own = WORKLOADS[workload].sizes
        return own if self.total_s is None else own[::2]

    def points(self) -> list[tuple[str, int]]:
        """Return every workload and size, in the order in which they are measured."""
        return [(name, size) for name in self.workloads for size in self.sizes_of(name)]


def run(
    request: BenchRequest, *, command: Sequence[str] = WORKER, watcher: Sequence[str] = WATCHER
) -> Generator[Event, None, None]:
    """Measure, size by size, on one device after the other, and give each event as it comes in.

    All workers are started at once and wait for each other: CPU and GPU are never measured at the
    same time. A worker that dies, or that is not through in its time, gives a "failed" event with
    the reason; a new one takes its place. One that never said "started" is the last for its
    device: the next would fare no better. Something is said every `TICK_S` at least.

    On KeyboardInterrupt the workers are ended, a "failed" event says that the run was interrupted,
    and KeyboardInterrupt is raised again. The caller may be the one who is interrupted, between
    two events: iterate inside ``contextlib.closing(run(...))`` so that the workers are ended then
    too.
    """
    with tempfile.TemporaryDirectory(prefix="theano-bench-") as folder:
        session = _Session(request, command, watcher, Path(folder))
        try:
            yield from session.events()
        finally:
            session.end()


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
    if device in PEERS:
        env[PEER_VARIABLE] = device
    return env


class _Session:
    """A run: its workers, and the one selector that hears all of them."""

    def __init__(
        self, request: BenchRequest, command: Sequence[str], watcher: Sequence[str], folder: Path
    ) -> None:
        self._request = request
        self._command = command
        self._folder = folder
        self._selector = selectors.DefaultSelector()
        self._workers: dict[str, Child] = {}
        self._unfit: set[str] = set()
        self._watcher: Child | None = None
        self._ends = None if request.total_s is None else time.monotonic() + request.total_s
        if request.watch:
            self._watcher = Child("", watcher, children.environment(os.environ))
            self._watcher.watch(self._selector)

    def events(self) -> Iterator[Event]:
        """Give everything that happens, to the end."""
        request = self._request
        yield from self._start(request.devices)
        for number, (name, size) in enumerate(request.points()):
            seconds = self._seconds(number)
            for device in request.devices:
                if device in self._unfit:
                    continue
                if seconds < LEAST_S and seconds < request.seconds:
                    yield Event("left out", name, size, device=device)
                    continue
                if device not in self._workers:
                    yield from self._start((device,))
                if device in self._workers:
                    yield from self._point(device, self._order(name, size, seconds, device))
        yield Event("done")

    def end(self) -> None:
        """End every process; all are asked at once, for JAX takes a second to end."""
        children = (*self._workers.values(), *filter(None, [self._watcher]))
        for child in children:
            child.ask()
        for child in children:
            child.end()
            child.close()
        self._workers.clear()
        self._selector.close()

    def _seconds(self, number: int) -> float:
        """Return the time for the next point, the one at this place in the list of points."""
        if self._ends is None:
            return self._request.seconds
        left = (len(self._request.points()) - number) * len(self._request.devices)
        # Half of what remains is for compiling and checking. All devices get the same.
        return min(self._request.seconds, (self._ends - time.monotonic()) / left / 2)

    def _order(self, name: str, size: int, seconds: float, device: str) -> Order:
        return Order(
            name,
            size,
            seconds,
            batch=self._request.batch,
            numpy=device == self._request.devices[0],
            keep=str(self._folder / f"{name}-{size}.npz"),
            code=self._request.code if name == CELL else "",
        )

    def _start(self, devices: Sequence[str]) -> Iterator[Event]:
        """Start workers at once and wait until each has said that it is there, or will not be."""
        for device in devices:
            env = environment(self._request, device, os.environ)
            self._workers[device] = Child(device, self._command, env)
            self._workers[device].watch(self._selector)
        waiting = set(devices)
        deadline = time.monotonic() + (self._request.limit_s or START_LIMIT_S)
        try:
            while waiting:
                for event in self._heard(deadline):
                    if event.kind == "started":
                        waiting.discard(event.device)
                    yield event
                for device in sorted(waiting):
                    reason = self._reason(device, deadline)
                    if reason:
                        waiting.discard(device)
                        self._unfit.add(device)
                        yield self._failure(device, None, reason)
        except KeyboardInterrupt:
            for device in devices:
                yield self._failure(device, None, "interrupted")
            raise

    def _point(self, device: str, order: Order) -> Iterator[Event]:
        """Have one point measured; give events up to its result or failure."""
        self._workers[device].write(json.dumps(order.to_json()))
        limit = self._request.limit_s or order.seconds + POINT_LIMIT_S
        deadline = time.monotonic() + limit
        if self._ends is not None:
            deadline = min(deadline, self._ends)
        try:
            while True:
                for event in self._heard(deadline):
                    yield event
                    if event.device == device and event.kind in {"result", "failed"}:
                        return
                if reason := self._reason(device, deadline):
                    if self._ends is not None and time.monotonic() >= self._ends:
                        yield Event("left out", order.workload, order.size, device=device)
                    else:
                        yield self._failure(device, order, reason)
                    return
        except KeyboardInterrupt:
            yield self._failure(device, order, "interrupted")
            raise

    def _heard(self, deadline: float) -> Iterator[Event]:
        """Give what comes in within a tick, before the deadline; a "tick" if that is nothing."""
        wait = max(0.0, min(TICK_S, deadline - time.monotonic()))
        # With nothing left to read, select would return at once for ever.
        if not self._selector.get_map():
            with contextlib.suppress(InterruptedError):
                time.sleep(wait)
        quiet = True
        for key, _ in self._selector.select(wait) if self._selector.get_map() else ():
            child, stream = key.data
            for line in child.read(stream, self._selector):
                event = _event(line, child.name) if stream == "stdout" else None
                if event is None:
                    child.remember(line)
                else:
                    quiet = False
                    yield event
        if quiet:
            yield Event("tick")

    def _reason(self, device: str, deadline: float) -> str:
        """Return why a worker will say no more; "" if it may. The worker is gone then."""
        child = self._workers[device]
        status = child.status()
        if status is None and time.monotonic() < deadline:
            return ""
        if status is None:
            limit = self._request.limit_s
            within = "in its time" if limit is None else f"after {limit:.0f} s"
            return f"the worker was not through {within} and was ended"
        # What it wrote last may still be in the pipes.
        if any(key.data[0] is child for key, _ in self._selector.select(0)):
            return ""
        return how_it_ended(status)

    def _failure(self, device: str, order: Order | None, reason: str) -> Event:
        """End a worker; return what is to be said of it."""
        child = self._workers.pop(device)
        child.unwatch(self._selector)
        words = "" if child.status() is None else child.last_words()
        child.end()
        child.close()
        name, size = (
            (self._request.workloads[0], None)
            if order is None
            else (
                order.workload,
                order.size,
            )
        )
        row = Failure(name, size, device, "theano", self._request.floatX, reason, words)
        return Event("failed", name, size, (row,), device=device)


def _event(line: bytes, device: str) -> Event | None:
    try:
        return Event.from_json(json.loads(line), device)
    except ValueError:
        return None
