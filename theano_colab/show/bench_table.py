"""The tables and notes of a benchmark: every point with its times, its result, and what was odd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from theano_colab.bench import compare
from theano_colab.bench.results import Failure, Result
from theano_colab.show.panel import Block, Cell, Table, Tone, cell
from theano_colab.show.units import count, duration, elapsed, three, times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from theano_colab.bench.compare import Curve, Pair
    from theano_colab.bench.progress import Bench, Facts

TIMES: Final = "×"  # noqa: RUF001  # the sign is meant


def computes(about: Facts) -> str:
    """Return what computes, in a reader's words: "Theano's C code", "XLA (JAX 0.7.2)"."""
    backend = str(about.get("backend", ""))
    jax = about.get("jax")
    known = {
        "theano C linker": "Theano's C code",
        "theano XLA": f"Theano by XLA (JAX {jax})" if jax else "Theano by XLA",
        "theano GPU backend": "Theano's GPU backend (pygpu)",
    }
    return known.get(backend, backend)


def tables(
    base: Curve,
    others: Sequence[Curve],
    compared: dict[str, list[Pair]],
    numpy: Curve | None,
) -> list[Block]:
    """Return one table for each device that is compared with the base; else the base's own."""
    if not others:
        return [_alone(base, numpy)]
    return [_table(base, other, compared[other.name], numpy) for other in others]


def overview(bench: Bench, names: Iterable[str]) -> list[Block]:
    """Return a table with a line for each other workload of which something is known."""
    rows = []
    for name in names:
        curves, _ = compare.curves(bench, name)
        if not any(curve.rows or curve.failures for curve in curves):
            continue
        said = []
        for other in curves[1:]:
            found = compare.pairs(curves[0], other)
            if found:
                last = f"{times(found[-1].speedup)}{TIMES} at n = {found[-1].size:,}"
                said.append(f"{compare.crossing(found, other.name)[1]}; {last}")
        rows.append((cell(name), Cell(tuple(said) or (count(len(curves[0].rows), "point"),))))
    return [Table("Measured before", ("Workload", "Found"), tuple(rows))] if rows else []


def notes(bench: Bench) -> tuple[str, ...]:
    """Return what the reader should know: disagreements, unsteady points, what was left out."""
    found = list(bench.notes)
    measured = [row for row in bench.rows if isinstance(row, Result)]
    found += _agreements(measured)
    found += [f"{_point(row)}: {row.detail}" for row in measured if row.agrees is False]
    unsteady = [row for row in measured if not row.stable and row.agrees is not False]
    if unsteady:
        worst = max(unsteady, key=lambda row: row.iqr_s / row.median_s if row.median_s else 0.0)
        where = f"{_point(worst)}: {worst.detail}"
        if len(unsteady) == 1:
            found.append(where)
        else:
            points = count(len(measured), "measurement")
            found.append(f"{len(unsteady)} of {points} are unsteady; the worst is {where}")
    found += [
        f"{compare.short_name(row.device)}: {_why(row)}"
        for row in bench.rows
        if isinstance(row, Failure) and row.size is None
    ]
    if bench.left_out:
        points = ", ".join(
            f"{name} {size:,} on {compare.short_name(device, bench.about.get(device))}"
            for name, size, device in bench.left_out
        )
        found.append(f"No time was left for {points}.")
    return tuple(found)


def _agreements(rows: Sequence[Result]) -> list[str]:
    """Say what "agrees" means: with whom, and how much was allowed."""
    agreed: dict[tuple[str, float], list[str]] = {}
    for row in rows:
        if row.agrees and row.tolerance is not None:
            names = agreed.setdefault((row.reference, row.tolerance), [])
            names += [] if row.workload in names else [row.workload]
    allowed: dict[tuple[float, str], str] = {}
    for (reference, tolerance), names in agreed.items():
        allowed[tolerance, ", ".join(names)] = reference  # the last says most: NumPy and the CPU
    return [
        f"{names}: agrees with {reference.replace('cpu', 'the CPU')}: no result differs by more "
        f"than {tolerance:.0e} of the largest."
        for (tolerance, names), reference in allowed.items()
    ]


def _point(row: Result) -> str:
    who = "NumPy" if row.backend == compare.NUMPY else compare.short_name(row.device)
    return f"{row.workload} {row.size:,}, {who}"


def _why(row: Failure) -> str:
    return f"{row.reason} ({row.evidence})" if row.evidence else row.reason


def _sizes(*curves: Curve) -> list[int]:
    measured = {row.size for curve in curves for row in curve.rows}
    failed = {row.size for curve in curves for row in curve.failures if row.size is not None}
    return sorted(measured | failed)


def _table(base: Curve, other: Curve, found: Sequence[Pair], numpy: Curve | None) -> Table:
    by_size = {pair.size: pair for pair in found}
    sent = any(row.transfer_s is not None for row in other.rows)
    header = [
        "Size",
        base.name,
        other.name,
        "+ transfer",
        "Speed-up",
        "NumPy",
        "Compiling",
        "Result",
    ]
    rows = []
    for size in _sizes(base, other):
        mine, theirs, pair = base.at(size), other.at(size), by_size.get(size)
        rows.append(
            (
                cell(f"{size:,}"),
                _time(mine, base),
                _time(theirs, other),
                _sent(theirs, pair),
                _speedup(pair),
                _plain(numpy.at(size) if numpy else None),
                _compile((base, mine), (other, theirs)),
                _result(base, other, size, pair),
            )
        )
    dropped = {
        i for i, there in ((3, sent), (5, numpy is not None and bool(numpy.rows))) if not there
    }
    kept = [i for i in range(len(header)) if i not in dropped]
    numbers = frozenset(n for n, i in enumerate(kept) if i in range(1, 7))
    return Table(
        "",
        tuple(header[i] for i in kept),
        tuple(tuple(row[i] for i in kept) for row in rows),
        numbers,
        below=True,
    )


def _alone(base: Curve, numpy: Curve | None) -> Table:
    rows = []
    for size in _sizes(base):
        mine, ours = base.at(size), numpy.at(size) if numpy else None
        share = "" if mine is None or ours is None else three(mine.median_s / ours.median_s)
        rows.append(
            (
                cell(f"{size:,}"),
                _time(mine, base),
                cell("" if mine is None or mine.gflops is None else three(mine.gflops)),
                _plain(ours),
                cell(share),
                _compile((base, mine)),
                _result(base, None, size, None),
            )
        )
    header = ("Size", base.name, "GFLOP/s", "NumPy", "Time / NumPy's", "Compiling", "Result")
    return Table("", header, tuple(rows), frozenset({1, 2, 3, 4, 5}), below=True)


def _time(row: Result | None, curve: Curve) -> Cell:
    if row is None:
        return cell("")
    tone: Tone = "plain" if row.stable or row.size in curve.provisional else "warn"
    return cell(duration(row.median_s, row.iqr_s / 2), tone)


def _plain(row: Result | None) -> Cell:
    return cell("" if row is None else duration(row.median_s), "muted")


def _sent(row: Result | None, pair: Pair | None) -> Cell:
    if row is None or row.transfer_s is None:
        return cell("")
    ratio = () if pair is None or pair.transfer is None else (f"{times(pair.transfer)}{TIMES}",)
    return Cell((duration(row.transfer_s), *ratio))


def _speedup(pair: Pair | None) -> Cell:
    return cell("" if pair is None else f"{times(pair.speedup)}{TIMES}")


def _compile(*sides: tuple[Curve, Result | None]) -> Cell:
    return Cell(
        tuple(
            f"{curve.name.split(', ')[-1].split(' ')[0]} {elapsed(row.compile_s)}"
            for curve, row in sides
            if row is not None and row.compile_s is not None
        ),
        "muted",
    )


def _result(base: Curve, other: Curve | None, size: int, pair: Pair | None) -> Cell:
    """Return whether the results agree, and why a point is missing, unsteady or slower."""
    lines: list[str] = []
    tone: Tone = "plain"
    for curve in filter(None, (base, other)):
        row = curve.at(size)
        failures = [failure for failure in curve.failures if failure.size == size]
        if row is None and failures:
            lines.append(f"{curve.name}: {_why(failures[-1])}")
            tone = "error"
        elif row is not None and row.agrees is False:
            lines.append(f"{curve.name} {row.detail}")
            tone = "error"
    judged = [row for c in (base, other) if c for row in [c.at(size)] if row and row.agrees]
    if judged and tone == "plain":
        error = max(row.max_rel_error or 0.0 for row in judged)
        lines.append(f"agrees ({error:.0e})" if error else "agrees to the last bit")
    if pair is not None and pair.why:
        lines.append(pair.why)
    if other is not None and (row := other.at(size)) and "on the host" in row.ops:
        lines.append(row.ops)
    unsteady = [
        c.name
        for c in (base, other)
        if c
        for row in [c.at(size)]
        if row and not row.stable and size not in c.provisional
    ]
    if unsteady:
        lines.append(f"times unsteady: {', '.join(unsteady)}")
        tone = "warn" if tone == "plain" else tone
    return Cell(tuple(lines) or ("",), tone)
