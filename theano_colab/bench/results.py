"""What a benchmark found: one row for each point that was measured, or that failed and why."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

STABLE_SPREAD = 0.10
"""The IQR of a stable point is below this share of its median, as in torch.utils.benchmark."""


@dataclass(frozen=True, slots=True)
class Result:
    """One measured point.

    Parameters
    ----------
    workload
        The workload's name: "dot", "elemwise", "logreg".
    size
        The problem's size, in the workload's own unit (`Workload.size_means`).
    device
        Where it ran, in Theano's words: "cpu", "cuda0", "xla".
    backend
        What computed: "theano C linker", "theano XLA", "theano GPU backend" (pygpu) or "numpy".
    floatX
        "float32" or "float64".
    median_s, iqr_s
        Median and interquartile range of the time of one call, in seconds, over the blocks.
    repeats
        How many blocks were timed.
    calls_per_repeat
        How many calls one block held.
    stable
        Whether ``iqr_s`` is below `STABLE_SPREAD` of ``median_s``.
    compile_s
        Wall time of building the function, in seconds, on a device with its first call; None where
        nothing is compiled. Never part of ``median_s``.
    flops, bytes
        Floating-point operations, and bytes that must at least be read and written, of one call;
        None where the count would be a guess.
    agrees
        Whether the result agreed with the reference's within ``tolerance``; None for the reference
        itself, and where there is none.
    max_rel_error
        The largest difference, relative to the reference's largest magnitude; None where nothing
        was compared, or where the difference is not finite.
    blas, threads
        The BLAS that was linked and how many threads it was given; "" and None where unknown.
    detail
        Why the point is unstable or disagrees; "" otherwise.
    lower_s, upper_s
        The quartiles that ``iqr_s`` is the distance of; None in files of older versions.
    transfer_s
        The median where every call takes its data from the host's memory and brings its result
        back there; None on the CPU. ``median_s`` is with data and result on the device.
    reference, tolerance
        What the result was compared with ("NumPy", "cpu"), and the largest ``max_rel_error`` that
        counts as agreement; "" and None where nothing was compared.
    ops
        Where the graph's operations run: "1 XlaCluster", "3 ops, 1 on the host: Sort".
    """

    workload: str
    size: int
    device: str
    backend: str
    floatX: str  # noqa: N815  # Theano's name
    median_s: float
    iqr_s: float
    repeats: int
    calls_per_repeat: int
    stable: bool
    compile_s: float | None = None
    flops: float | None = None
    bytes: float | None = None
    agrees: bool | None = None
    max_rel_error: float | None = None
    blas: str = ""
    threads: int | None = None
    detail: str = ""
    lower_s: float | None = None
    upper_s: float | None = None
    transfer_s: float | None = None
    reference: str = ""
    tolerance: float | None = None
    ops: str = ""

    @property
    def quartiles(self) -> tuple[float, float]:
        """Return the first and the third quartile of the time of one call, in seconds."""
        if self.lower_s is None or self.upper_s is None:
            half = self.iqr_s / 2
            return max(self.median_s - half, 0.0), self.median_s + half
        return self.lower_s, self.upper_s

    @property
    def gflops(self) -> float | None:
        """Return 1e9 floating-point operations per second, or None where they are not counted."""
        return None if self.flops is None else self.flops / self.median_s / 1e9

    @property
    def gbytes(self) -> float | None:
        """Return 1e9 bytes per second, or None where they are not counted."""
        return None if self.bytes is None else self.bytes / self.median_s / 1e9

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain JSON values, with ``"row": "result"``."""
        return {"row": "result", **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Result:
        """Read what ``to_json`` wrote; raise ValueError on anything else."""
        return cls(**_fields(cls, record, "result"))


@dataclass(frozen=True, slots=True)
class Failure:
    """A point that could not be measured.

    ``size`` is None where the worker failed before its first size. ``reason`` is one line in the
    user's terms ("killed by SIGKILL, which Linux sends when memory runs out"); ``evidence`` is what
    it was concluded from, such as the worker's last line on stderr.
    """

    workload: str
    size: int | None
    device: str
    backend: str
    floatX: str  # noqa: N815  # Theano's name
    reason: str
    evidence: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain JSON values, with ``"row": "failure"``."""
        return {"row": "failure", **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Failure:
        """Read what ``to_json`` wrote; raise ValueError on anything else."""
        return cls(**_fields(cls, record, "failure"))


Row = Result | Failure


def row_from_json(record: dict[str, Any]) -> Row:
    """Read a row of either kind; raise ValueError if it is neither."""
    return (Failure if record.get("row") == "failure" else Result).from_json(record)


def ratio(result: Result, reference: Result) -> float:
    """Return how many times as long ``result`` takes as ``reference``: below 1 is faster.

    Raises
    ------
    ValueError
        If they are not the same workload, size and precision.
    """
    if (result.workload, result.size, result.floatX) != (
        reference.workload,
        reference.size,
        reference.floatX,
    ):
        raise ValueError(f"not the same problem: {result} and {reference}")
    return result.median_s / reference.median_s


def _fields(cls: type[Result | Failure], record: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the record without its tag, or raise ValueError if it is not a row of that kind."""
    fields = {name: value for name, value in record.items() if name != "row"}
    names = {field.name: field for field in dataclasses.fields(cls)}
    required = {name for name, f in names.items() if f.default is dataclasses.MISSING}
    if record.get("row") != kind or not required <= fields.keys() <= names.keys():
        raise ValueError(f"not a {kind}: {record}")
    if any(isinstance(value, float) and not math.isfinite(value) for value in fields.values()):
        raise ValueError(f"a number that is not finite: {record}")
    return fields
