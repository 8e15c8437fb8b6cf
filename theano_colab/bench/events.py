"""What parent and worker say to each other while they measure: one JSON object on a line each."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from theano_colab.bench.results import Failure, Result, Row, row_from_json

Kind = Literal[
    "started", "compiling", "measuring", "result", "failed", "left out", "gpu", "tick", "done"
]


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to measure next.

    Parameters
    ----------
    workload
        Its name in `workloads.WORKLOADS`; "cell" for code of the user's own.
    size
        The problem's size.
    seconds
        Wall time for measuring.
    batch
        Examples in a minibatch; None for the workload's own.
    numpy
        Whether NumPy is timed beside it.
    keep
        The file that the result is kept in, if it is not there yet, and compared with, if it is;
        "" for neither.
    code
        The user's own code, of the workload "cell".
    """

    workload: str
    size: int
    seconds: float
    batch: int | None = None
    numpy: bool = True
    keep: str = ""
    code: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the order as plain JSON values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened while measuring.

    Parameters
    ----------
    kind
        A worker says "started" once Theano is imported; then for every order "compiling", any
        number of "measuring", and one "result" or "failed". The parent adds "failed" for a worker
        that died, "left out" for a point that there was no time for, "gpu" for a look at the GPU,
        "tick" when nothing else happened for a moment, "done" when all is through.
    workload
        The workload's name; "" where it is about none.
    size
        The problem's size; None for "started", "done", and a failure outside any size.
    rows
        "measuring": the values so far; "result": the final ones. Theano's row first, then NumPy's.
        "failed": one `Failure`.
    info
        "started": what measures, by name: versions, device, BLAS libraries, threads, import time.
        "gpu": what NVML tells; see `gpu_watch`.
    device
        What Theano was asked to compute on, as in the request; "" where it is about none.
    """

    kind: Kind
    workload: str = ""
    size: int | None = None
    rows: tuple[Row, ...] = ()
    info: dict[str, str | int | float] = field(default_factory=dict)
    device: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the event as plain JSON values, with its kind under "event"."""
        return {
            "event": self.kind,
            "workload": self.workload,
            "size": self.size,
            "rows": [row.to_json() for row in self.rows],
            "info": self.info,
        }

    @classmethod
    def from_json(cls, record: Any, device: str = "") -> Event:  # noqa: ANN401  # a line of JSON
        """Read what ``to_json`` wrote; raise ValueError on anything else."""
        if not isinstance(record, dict) or record.get("event") not in get_args(Kind):
            raise ValueError(f"not an event: {record!r:.200}")
        try:
            rows = tuple(row_from_json(row) for row in record["rows"])
            head = record["event"], record["workload"], record["size"]
            return cls(*head, rows, record["info"], device)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an event: {record!r:.200}") from error


def results(events: list[Event]) -> list[Row]:
    """Return the final rows of a run, in the order they were measured."""
    return [row for e in events if e.kind in {"result", "failed"} for row in e.rows]


__all__ = ["Event", "Failure", "Kind", "Order", "Result", "Row", "results"]
