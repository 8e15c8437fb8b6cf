"""What a worker says while it measures: one JSON object on a line for each event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from theano_colab.bench.results import Failure, Result, Row, row_from_json

Kind = Literal["started", "compiling", "measuring", "result", "failed", "done"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a worker.

    Parameters
    ----------
    kind
        "started" once Theano is imported; then for every size "compiling", any number of
        "measuring", and one "result" or "failed"; "done" when the workload is through. A worker
        that dies ends with "failed" and no "done".
    workload
        The workload's name.
    size
        The problem's size; None for "started", "done", and a failure outside any size.
    rows
        "measuring": the values so far; "result": the final ones. Theano's row first, then NumPy's.
        "failed": one `Failure`.
    info
        "started": what measures, by name: versions, device, BLAS libraries, threads, import time.
    """

    kind: Kind
    workload: str
    size: int | None = None
    rows: tuple[Row, ...] = ()
    info: dict[str, str | int | float] = field(default_factory=dict)

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
    def from_json(cls, record: Any) -> Event:  # noqa: ANN401  # whatever a line of JSON holds
        """Read what ``to_json`` wrote; raise ValueError on anything else."""
        if not isinstance(record, dict) or record.get("event") not in get_args(Kind):
            raise ValueError(f"not an event: {record!r:.200}")
        try:
            rows = tuple(row_from_json(row) for row in record["rows"])
            return cls(record["event"], record["workload"], record["size"], rows, record["info"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an event: {record!r:.200}") from error


def results(events: list[Event]) -> list[Row]:
    """Return the final rows of a run, in the order they were measured."""
    return [row for e in events if e.kind in {"result", "failed"} for row in e.rows]


__all__ = ["Event", "Failure", "Kind", "Result", "Row", "results"]
