"""The panel of a first measurement: time per call, rate, and how it compares with NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from theano_colab.bench.results import Failure, Result, Row, ratio
from theano_colab.show.panel import (
    Block,
    Bundle,
    Cell,
    Headline,
    Notes,
    Panel,
    Table,
    bundle,
    cell,
)
from theano_colab.show.units import count, duration, three

if TYPE_CHECKING:
    from collections.abc import Sequence

REFERENCE: Final = "numpy"
_HEADER: Final = ("Workload", "By", "Time per call", "GFLOP/s", "Time / NumPy's", "Result")


def bench_panel(results: Sequence[Row], machine_line: str, status: str = "") -> Bundle:
    """Return the table of what was measured so far.

    ``status`` is what is being measured now, and "" when the run has ended. The rows of backend
    "numpy" are the reference of the others of the same workload, size and floatX.
    """
    return bundle(describe_bench(results, machine_line, status))


def describe_bench(results: Sequence[Row], machine_line: str, status: str = "") -> Panel:
    """Return what the bench panel says."""
    blocks: list[Block] = [_headline(results, status)]
    if results:
        rows = tuple(_row(row, _reference(row, results)) for row in results)
        blocks.append(Table("", _HEADER, rows, frozenset({2, 3, 4})))
    notes = tuple(f"{_name(r)}, {r.backend}: {r.detail}" for r in _measured(results) if r.detail)
    if notes:
        blocks.append(Notes(notes))
    return Panel("Theano bench", tuple(blocks), line=machine_line)


def _measured(results: Sequence[Row]) -> list[Result]:
    return [row for row in results if isinstance(row, Result)]


def _headline(results: Sequence[Row], status: str) -> Headline:
    if status:
        return Headline("busy", "Measuring", status)
    measured = _measured(results)
    failed = len(results) - len(measured)
    wrong = sum(row.agrees is False for row in measured)
    text = f"{count(len(measured), 'point')} measured"
    if wrong:
        return Headline("error", f"{text}, {wrong} with a wrong result")
    if failed:
        return Headline("warn", f"{text}, {failed} could not be measured")
    if not measured:
        return Headline("plain", "Nothing was measured")
    return Headline("ok", text, "Times are medians; the half-width after ± is half the IQR.")


def _reference(row: Row, results: Sequence[Row]) -> Result | None:
    if isinstance(row, Failure) or row.backend == REFERENCE:
        return None
    same = (row.workload, row.size, row.floatX)
    for other in _measured(results):
        if other.backend == REFERENCE and (other.workload, other.size, other.floatX) == same:
            return other
    return None


def _name(row: Row) -> str:
    size = "" if row.size is None else f" {row.size}"
    return f"{row.workload}{size} {row.floatX}"


def _row(row: Row, reference: Result | None) -> tuple[Cell, ...]:
    who = row.backend if row.backend == REFERENCE else f"{row.backend}, {row.device}"
    if isinstance(row, Failure):
        why = tuple(line for line in (f"failed: {row.reason}", row.evidence) if line)
        return (cell(_name(row)), cell(who), cell(""), cell(""), cell(""), Cell(why, "error"))
    time = f"{duration(row.median_s)} ± {duration(row.iqr_s / 2)}"
    rate = "" if row.gflops is None else three(row.gflops)
    against = "" if reference is None else three(ratio(row, reference))
    return (
        cell(_name(row)),
        cell(who),
        cell(time, "plain" if row.stable else "warn"),
        cell(rate),
        cell(against),
        _agreement(row),
    )


def _agreement(row: Result) -> Cell:
    unstable = () if row.stable else ("times unstable",)
    if row.agrees is None:
        return Cell(("reference" if row.backend == REFERENCE else "not compared", *unstable))
    error = "" if row.max_rel_error is None else f" (to {row.max_rel_error:.0e})"
    if not row.agrees:
        return Cell((f"differs from NumPy{error}", *unstable), "error")
    return Cell((f"agrees with NumPy{error}", *unstable), "plain" if row.stable else "warn")
