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
    if notes := _notes(results):
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
    return Headline("ok", text, "Each time is a median ± half the interquartile range.")


def _reference(row: Row, results: Sequence[Row]) -> Result | None:
    if isinstance(row, Failure) or row.backend == REFERENCE:
        return None
    # The next one, if there are several: a worker measures both in turns, and gives its own first.
    at = results.index(row)
    same = (row.workload, row.size, row.floatX)
    for other in _measured([*results[at:], *results[:at]]):
        if other.backend == REFERENCE and (other.workload, other.size, other.floatX) == same:
            return other
    return None


def _name(row: Row) -> str:
    size = "" if row.size is None else f" {row.size:,}"
    return f"{row.workload}{size} {row.floatX}"


def _who(row: Row) -> str:
    return "NumPy" if row.backend == REFERENCE else f"{row.backend} ({row.device})"


def _notes(results: Sequence[Row]) -> tuple[str, ...]:
    """Return a line for every failure and every disagreement, and one for all unstable points."""
    unsteady = [row for row in _measured(results) if not row.stable and row.agrees is not False]
    notes = [
        f"{_name(row)}, {_who(row)}: {_why(row)}"
        for row in results
        if _why(row) and (row not in unsteady or len(unsteady) == 1)
    ]
    if len(unsteady) > 1:
        worst = max(unsteady, key=lambda row: row.iqr_s / row.median_s)
        where = f"{_name(worst)}, {_who(worst)}: {_why(worst)}"
        points = count(len(results), "point")
        notes.append(f"{len(unsteady)} of {points} are unsteady; the worst is {where}")
    return tuple(notes)


def _why(row: Row) -> str:
    if isinstance(row, Result):
        return row.detail
    return f"{row.reason} ({row.evidence})" if row.evidence else row.reason


def _row(row: Row, reference: Result | None) -> tuple[Cell, ...]:
    head = (cell(_name(row)), cell(_who(row)))
    if isinstance(row, Failure):
        return (*head, cell(""), cell(""), cell(""), cell("failed", "error"))
    return (
        *head,
        cell(duration(row.median_s, row.iqr_s / 2), "plain" if row.stable else "warn"),
        cell("" if row.gflops is None else three(row.gflops)),
        cell("" if reference is None else three(ratio(row, reference))),
        _agreement(row),
    )


def _agreement(row: Result) -> Cell:
    unstable = () if row.stable else ("times unstable",)
    if row.agrees is None:
        word = "reference" if row.backend == REFERENCE else "not compared"
        return Cell((word, *unstable), "muted" if row.stable else "warn")
    if not row.agrees:
        return Cell(("differs from NumPy", *unstable), "error")
    return Cell(("agrees with NumPy", *unstable), "plain" if row.stable else "warn")
