"""How far a run is: the value that is shown while it goes on and kept when it has ended."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from theano_colab.bench.results import Failure, Result, Row, row_from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from theano_colab.bench.events import Event
    from theano_colab.bench.run import BenchRequest

Facts: TypeAlias = "dict[str, str | int | float]"
Verdict = Literal["running", "done", "interrupted"]

FORMAT = "theano_colab bench 1"
GPU_LOOKS = 120
"""So many looks at the GPU are kept: a minute of them."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A run and what it has found.

    Parameters
    ----------
    machine, cpu
        The runtime in one line; the CPU's name.
    floatX
        The precision.
    workloads
        What is measured, and its sizes: ("dot", (128, 256)).
    devices
        What Theano is asked to compute on, in this order.
    about
        For each device that started, what its worker said of itself.
    rows
        Final rows, in the order they came in.
    current
        The rows of the point that is being measured.
    now
        What is being done: workload, size and device; None before the first and after the last.
    compiling
        Whether that point is being compiled, not yet measured.
    left_out
        Points that there was no time for: workload, size, device.
    seconds, left_s
        Wall time since the start, and an estimate of what is left.
    gpu
        The last looks at the GPU, oldest first; see `gpu_watch.look`.
    notes
        Sentences that the reader should know.
    verdict
        Whether it goes on.
    label
        What tells this run from another beside it: a file's name; "" for a run of its own.
    """

    machine: str
    cpu: str
    floatX: str  # noqa: N815  # Theano's name
    workloads: tuple[tuple[str, tuple[int, ...]], ...]
    devices: tuple[str, ...]
    about: Mapping[str, Facts] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    current: tuple[Row, ...] = ()
    now: tuple[str, int, str] | None = None
    compiling: bool = False
    left_out: tuple[tuple[str, int, str], ...] = ()
    seconds: float = 0.0
    left_s: float | None = None
    gpu: tuple[Facts, ...] = ()
    notes: tuple[str, ...] = ()
    verdict: Verdict = "running"
    label: str = ""

    @property
    def points(self) -> int:
        """Return how many points are to be measured, each device's own."""
        return sum(len(sizes) for _, sizes in self.workloads) * len(self.devices)

    @property
    def ended(self) -> int:
        """Return how many of them are through, one way or another."""
        through = sum(isinstance(row, Failure) or row.backend != "numpy" for row in self.rows)
        return min(through + len(self.left_out), self.points)

    def to_json(self) -> dict[str, Any]:
        """Return what is worth keeping as plain JSON values."""
        kept = ("machine", "cpu", "floatX", "devices", "seconds", "notes", "verdict")
        return {
            "format": FORMAT,
            **{name: getattr(self, name) for name in kept},
            "workloads": [[name, list(sizes)] for name, sizes in self.workloads],
            "about": {name: dict(facts) for name, facts in self.about.items()},
            "left_out": [list(point) for point in self.left_out],
            "rows": [row.to_json() for row in self.rows],
        }

    @classmethod
    def from_json(cls, record: Any, label: str = "") -> Bench:  # noqa: ANN401  # a file's content
        """Read what ``to_json`` wrote; raise ValueError on anything else."""
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise ValueError(f'it has no "format": "{FORMAT}"')
        try:
            return cls(
                machine=record["machine"],
                cpu=record["cpu"],
                floatX=record["floatX"],
                workloads=tuple((name, tuple(sizes)) for name, sizes in record["workloads"]),
                devices=tuple(record["devices"]),
                about=record["about"],
                rows=tuple(row_from_json(row) for row in record["rows"]),
                left_out=tuple((name, size, device) for name, size, device in record["left_out"]),
                seconds=record["seconds"],
                notes=tuple(record["notes"]),
                verdict=record["verdict"],
                label=label,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"it lacks what a benchmark has: {error}") from error


def beginning(request: BenchRequest, machine: str, cpu: str, notes: Iterable[str] = ()) -> Bench:
    """Return a run of which nothing is known yet."""
    sizes = tuple((name, request.sizes_of(name)) for name in request.workloads)
    return Bench(machine, cpu, request.floatX, sizes, request.devices, notes=tuple(notes))


def follow(
    first: Bench,
    events: Iterable[Event],
    seconds: float,
    total_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Bench]:
    """Give the run after each event; ``seconds`` of measuring are planned for a point.

    ``total_s`` is when a run ends that is short of time; None if it is not.
    """
    start = clock()
    bench = first
    for event in events:
        passed = clock() - start
        bench = dataclasses.replace(_after(bench, event), seconds=passed)
        left_s = _left(bench, seconds)
        if total_s is not None:
            left_s = min(left_s, max(total_s - passed, 0.0))
        bench = dataclasses.replace(bench, left_s=left_s)
        yield bench


def ended(bench: Bench, *, interrupted: bool) -> Bench:
    """Return the run as it stays. What was being measured stays too, if it had a first value."""
    rows = bench.rows
    if interrupted:
        rows = tuple(row for row in rows if not _is_interruption(row)) + tuple(
            dataclasses.replace(row, stable=False, detail="interrupted while it was measured")
            for row in bench.current
            if isinstance(row, Result)
        )
    verdict: Verdict = "interrupted" if interrupted else "done"
    changes: dict[str, Any] = {"now": None, "current": (), "left_s": None, "compiling": False}
    return dataclasses.replace(bench, rows=rows, verdict=verdict, **changes)


def _after(bench: Bench, event: Event) -> Bench:
    here = (event.workload, event.size or 0, event.device)
    change: dict[str, Any] = {}
    match event.kind:
        case "started":
            change = {"about": {**bench.about, event.device: event.info}}
        case "compiling":
            change = {"now": here, "compiling": True, "current": ()}
        case "measuring":
            change = {"now": here, "compiling": False, "current": event.rows}
        case "result":
            change = {"rows": (*bench.rows, *event.rows), "current": (), "compiling": True}
        case "failed":
            kept = bench.current if any(map(_is_interruption, event.rows)) else ()
            change = {"rows": (*bench.rows, *event.rows), "current": kept}
        case "left out":
            change = {"left_out": (*bench.left_out, here), "current": ()}
        case "gpu":
            change = {"gpu": (*bench.gpu, event.info)[-GPU_LOOKS:]}
        case "done":
            change = {"now": None, "current": ()}
    return dataclasses.replace(bench, **change)


def _left(bench: Bench, seconds: float) -> float:
    """Return the wall time that is left, as the points so far took it; at first as planned."""
    left = bench.points - bench.ended
    each = bench.seconds / bench.ended if bench.ended else seconds
    return left * each


def _is_interruption(row: Row) -> bool:
    return isinstance(row, Failure) and row.reason == "interrupted"
