"""The panel of a benchmark, the same while it goes on and after it: head, figure, chart, table."""

from __future__ import annotations

import base64
import dataclasses
from typing import TYPE_CHECKING, Final

from theano_colab.bench import compare
from theano_colab.bench.results import Failure, Result
from theano_colab.bench.workloads import WORKLOADS
from theano_colab.show import bench_table, png
from theano_colab.show.chart import Chart, Line, Mark, Unit
from theano_colab.show.panel import (
    Block,
    Bundle,
    Figure,
    Headline,
    Key,
    Meters,
    Notes,
    Panel,
    Plot,
    bundle,
)
from theano_colab.show.units import count, elapsed, gibibytes, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theano_colab.bench.compare import Curve, Pair
    from theano_colab.bench.progress import Bench, Facts

NO_GPU: Final = (
    "none here. On Colab: Runtime > Change runtime type > T4 GPU, then run the setup cell again."
)

_MEANS: Final = "Times are medians ± half the interquartile range."
_UNITS: Final = {"utilisation": "%", "power": "W", "temperature": "°C"}


def bench_bundle(panel: Panel) -> dict[str, str]:
    """Return a panel as a MIME bundle; with its charts as a PNG where they have one."""
    shown: Bundle = bundle(panel)
    charts = [block.chart for block in panel.blocks if isinstance(block, Plot) and block.png]
    if charts:
        shown["image/png"] = base64.b64encode(png.write(charts)).decode("ascii")
    return shown


def describe_bench(
    bench: Bench, *, unit: Unit = "time", pictures: bool = False, beside: Sequence[Bench] = ()
) -> Panel:
    """Return what the panel says.

    Parameters
    ----------
    bench
        The run.
    unit
        What the charts show over size.
    pictures
        Whether the charts are drawn as PNG as well, for readers that show no SVG.
    beside
        Other runs, whose curves stand in the same charts.
    """
    runs = (bench, *beside)
    blocks: list[Block] = [_headline(bench), _key(runs), *_meters(bench)]
    names = dict.fromkeys(name for run in runs for name, _ in run.workloads)
    here = [bench.now[0]] if bench.now else list(names)
    if bench.verdict == "running" and not bench.now:
        here = here[:1]
    for name in here:
        curves, numpy = _curves(runs, name)
        if not beside and bench.verdict == "running":
            blocks += _section(bench, name, curves, numpy, unit, pictures=False)
        elif any(curve.rows or curve.failures for curve in curves):
            blocks += _section(bench, name, curves, numpy, unit, pictures=pictures)
    if len(names) > 1 and len(here) < len(names):
        blocks += bench_table.overview(bench, [name for name in names if name not in here])
    if notes := bench_table.notes(bench):
        blocks.append(Notes(notes))
    return Panel("Theano bench", tuple(blocks), bench.machine, elapsed(bench.seconds))


def _headline(bench: Bench) -> Headline:
    if bench.verdict == "running":
        return _busy(bench)
    measured = [r for r in bench.rows if isinstance(r, Result) and r.backend != compare.NUMPY]
    wrong = sum(row.agrees is False for row in measured)
    failed = sum(isinstance(row, Failure) for row in bench.rows)
    text = f"{count(len(measured), 'point')} measured"
    if wrong:
        return Headline("error", f"{text}, {wrong} with a wrong result")
    if bench.verdict == "interrupted":
        return Headline("warn", f"Interrupted: {text} of {bench.points}", "What was found stays.")
    if failed:
        return Headline("warn", f"{text}, {failed} could not be measured")
    unsteady = sum(not row.stable for row in measured)
    if 2 * unsteady > len(measured):
        return Headline("warn", f"{text}, {unsteady} with unsteady times", _MEANS)
    return Headline("ok", text, _MEANS) if measured else Headline("plain", "Nothing was measured")


def _busy(bench: Bench) -> Headline:
    share = bench.ended / bench.points if bench.points else 0.0
    left = f"about {elapsed(bench.left_s)} left" if bench.left_s else ""
    done = f"{bench.ended} of {count(bench.points, 'point')}"
    detail = ", ".join(filter(None, (done, left)))
    if bench.now is None:
        names = " and ".join(compare.short_name(device) for device in bench.devices)
        return Headline("busy", f"Starting Theano: {names}", detail, share)
    name, size, device = bench.now
    doing = "compiling" if bench.compiling else "measuring"
    where = compare.short_name(device, bench.about.get(device))
    return Headline("busy", f"{name}, n = {size:,}: {doing} on {where}", detail, share)


def _key(runs: Sequence[Bench]) -> Key:
    items: list[tuple[int | None, str, str]] = []
    for run, device in [(one, device) for one in runs for device in one.devices]:
        about = run.about.get(device, {})
        said = _about_device(run, device, about)
        said += f" [{run.label}]" if run.label else ""
        items.append((len(items), compare.short_name(device, about), said))
    platforms = {run.about.get(d, {}).get("platform") for run in runs for d in run.devices}
    if all(run.about for run in runs) and not platforms & {"gpu", "tpu"}:
        items.append((None, "GPU", NO_GPU))
    return Key(tuple(items))


def _about_device(run: Bench, device: str, about: Facts) -> str:
    """Return a device in words: "Tesla T4, driver 550.54, XLA (JAX 0.7.2), float32"."""
    if not about:
        return "starting" if run.verdict == "running" else "did not start"
    parts = [compare.model(run, device), bench_table.computes(about)]
    blas, threads = about.get("theano BLAS"), about.get("threads")
    if device == "cpu":
        parts += [
            "no BLAS" if blas == "none" else str(blas or ""),
            count(int(threads), "thread") if threads else "",
        ]
    precision = about.get("precision", "")
    parts.append("TF32" if precision == "tf32" else run.floatX)
    return ", ".join(filter(None, parts))


def _curves(runs: Sequence[Bench], workload: str) -> tuple[list[Curve], Curve | None]:
    """Return the curves of all runs, under names that tell them apart, and NumPy's of the first."""
    found: list[Curve] = []
    numpy = None
    for run in runs:
        curves, reference = compare.curves(run, workload)
        numpy = numpy or reference
        found += [
            dataclasses.replace(c, name=f"{c.name}, {run.label}" if run.label else c.name)
            for c in curves
        ]
    return found, numpy


def _section(  # noqa: PLR0913  # what a section is made of
    bench: Bench,
    name: str,
    curves: list[Curve],
    numpy: Curve | None,
    unit: Unit,
    *,
    pictures: bool,
) -> list[Block]:
    """Return a workload's figure, chart and table."""
    base, others = _sides(curves)
    compared = {other.name: compare.pairs(base, other) for other in others}
    chart = _chart(bench, name, curves, numpy, unit, compared, base)
    blocks: list[Block] = []
    styles = {curve.name: i for i, curve in enumerate(curves)}
    blocks += [
        _figure(compared[other.name], base, other, styles[other.name])
        for other in others[:1]
        if compared[other.name]
    ]
    picture = png.write([chart]) if pictures and png.available() else b""
    blocks.append(Plot(chart, picture))
    if any(curve.rows or curve.failures for curve in curves):
        blocks += bench_table.tables(base, others, compared, numpy)
    return blocks


def _sides(curves: list[Curve]) -> tuple[Curve, list[Curve]]:
    """Return what the others are compared with, and the others: the CPU, or the first run's GPU."""
    labelled = [c for c in curves if ", " in c.name]
    runs = dict.fromkeys(c.name.split(", ", 1)[1] for c in labelled)
    if len(runs) > 1:
        last = {c.name.split(", ", 1)[1]: c for c in labelled}
        base, *others = last.values()
        return base, others
    return curves[0], curves[1:]


def _figure(found: list[Pair], base: Curve, other: Curve, style: int) -> Figure:
    last = found[-1]
    sentence = compare.crossing(found, other.name)[1]
    speedups = [pair.speedup for pair in found]
    spread = f"{times(last.low)} to {times(last.high)} by the quartiles"
    lines = [f"{sentence}."]
    if len(found) > 1:
        spread += f"; {times(min(speedups))} to {times(max(speedups))} over all sizes"
    lines.append(spread)
    if last.transfer is not None:
        lines.append(f"{times(last.transfer)} times with its data sent and its result fetched")
    slower = "" if last.speedup >= 1 else ": slower"
    text = f"as fast as the {base.name} at n = {last.size:,}{slower}"
    return Figure(f"{times(last.speedup)}×", style, text, tuple(lines))  # noqa: RUF001  # meant


def _chart(  # noqa: PLR0913, PLR0917  # what a chart is made of
    bench: Bench,
    name: str,
    curves: list[Curve],
    numpy: Curve | None,
    unit: Unit,
    compared: dict[str, list[Pair]],
    base: Curve,
) -> Chart:
    workload = WORKLOADS.get(name)
    sizes = dict(bench.workloads).get(name, ())
    measured = {row.size for curve in curves for row in curve.rows}
    lines = [Line(curve.name, style, _marks(curve, unit)) for style, curve in enumerate(curves)]
    if numpy is not None:
        lines.insert(0, Line("NumPy", None, _marks(numpy, unit)))
    crossing, said = None, ""
    for other, found in list(compared.items())[:1]:
        size, said = compare.crossing(found, other)
        crossing = None if size is None else (size, said)
    doc = workload.doc if workload else "The function of the cell."
    return Chart(
        title=f"{name}: {doc}",
        x_label=f"size: {workload.size_means}" if workload else "n",
        unit=unit,
        sizes=tuple(sorted({*sizes, *measured})),
        lines=tuple(lines),
        crossing=crossing,
        summary=f"{said}." if said else f"Time of {base.name} by size.",
    )


def _marks(curve: Curve, unit: Unit) -> tuple[Mark, ...]:
    return tuple(
        Mark(row.size, *values, hollow=row.size in curve.provisional)
        for row in curve.rows
        if (values := _values(row, unit)) is not None
    )


def _values(row: Result, unit: Unit) -> tuple[float, float, float] | None:
    """Return a row's median and quartiles, low and high, in the unit; None where it has none."""
    low, high = row.quartiles
    if unit == "time":
        return row.median_s, low, high
    amount = row.flops if unit == "GFLOP/s" else row.bytes
    if amount is None:
        return None
    median, high, low = (
        amount / max(seconds, 1e-12) / 1e9 for seconds in (row.median_s, low, high)
    )
    return median, low, high


def _meters(bench: Bench) -> list[Meters]:
    """Return the GPU's last looks; a value that the card does not tell is blank."""
    if not bench.gpu:
        return []
    newest = bench.gpu[-1]
    items = []
    for key, name, full in (
        ("utilisation", "GPU busy", 100.0),
        ("memory", "Memory", float(newest.get("memory_total", 0))),
        ("power", "Power", float(newest.get("power_limit", 0))),
        ("temperature", "Temperature", 100.0),
    ):
        values = tuple(float(look[key]) for look in bench.gpu if key in look)
        text = _told(key, float(newest[key])) if key in newest else ""
        items.append((name, text, values, full))
    return [Meters(tuple(items))]


def _told(key: str, value: float) -> str:
    if key == "memory":
        return gibibytes(int(value))
    return f"{value:.0f} {_UNITS[key]}"
