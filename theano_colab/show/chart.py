"""A log-log chart laid out: what is to be drawn where, in pixels, for SVG and PNG alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from theano_colab.show.units import duration, three

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Unit = Literal["time", "GFLOP/s", "GB/s"]
Role: TypeAlias = str
"""How a shape is meant, which decides its colour: "c0" to "c5", "ink", "muted", "rule"."""

REFERENCE: Final = "muted"
COLORS: Final = 6
"""So many curves have a colour of their own; more begin again."""

MARKERS: Final = ("circle", "square", "triangle", "diamond")


@dataclass(frozen=True, slots=True)
class Mark:
    """A measured point: size, value and its quartiles; hollow while it is being measured."""

    size: int
    value: float
    low: float
    high: float
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A curve. ``style`` is its place among the curves, None for a thin reference line."""

    name: str
    style: int | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over problem size, both axes logarithmic.

    ``sizes`` are all that will be measured: the axis is as wide from the beginning. ``crossing`` is
    a size and the words that belong there. ``summary`` says the chart in a sentence, for who cannot
    see it.
    """

    title: str
    x_label: str
    unit: Unit
    sizes: tuple[int, ...]
    lines: tuple[Line, ...]
    crossing: tuple[int, str] | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points; filled, it is a band."""

    points: tuple[tuple[float, float], ...]
    role: Role
    width: float = 1.0
    filled: bool = False
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A marker with its centre; ``kind`` is one of `MARKERS`."""

    x: float
    y: float
    kind: str
    role: Role
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """Words; ``anchor`` is the side at which ``x`` lies, ``y`` the base line."""

    x: float
    y: float
    text: str
    role: Role = "ink"
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False


Shape: TypeAlias = Path | Dot | Label


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing's size, the height of its letters, and the room that is kept round the axes."""

    width: float
    height: float
    font: float
    left: float
    right: float
    top: float
    bottom: float


WIDE: Final = Layout(900, 430, 18, left=82, right=176, top=34, bottom=62)
NARROW: Final = Layout(360, 330, 13, left=54, right=12, top=64, bottom=46)


def color(style: int | None) -> Role:
    """Return the role of a curve's colour."""
    return REFERENCE if style is None else f"c{style % COLORS}"


def draw(chart: Chart, layout: Layout) -> list[Shape]:
    """Return the shapes of a chart, those in front last."""
    frame = _Frame(chart, layout)
    shapes: list[Shape] = [*_grid(chart, frame), *_crossing(chart, frame)]
    for line in chart.lines:
        shapes += _curve(line, frame)
    shapes += _names(chart, frame) if layout.right > layout.left else _legend(chart, frame)
    return shapes


class _Frame:
    """The axes: from sizes and values to pixels."""

    def __init__(self, chart: Chart, layout: Layout) -> None:
        self.layout = layout
        self.left, self.right = layout.left, layout.width - layout.right
        self.top, self.bottom = layout.top, layout.height - layout.bottom
        sizes = chart.sizes or (1,)
        low, high = math.log10(min(sizes)), math.log10(max(sizes))
        room = max(0.04 * (high - low), 0.08)
        self._x = (low - room, high + room)
        marks = [mark for line in chart.lines for mark in line.marks]
        ends = [math.log10(v) for m in marks for v in (m.low, m.high, m.value) if v > 0]
        if not ends:
            ends = [-4.0, -2.0] if chart.unit == "time" else [0.0, 2.0]
        # Whole decades: the axis rarely moves while points come in.
        self._y = (math.floor(min(ends)), max(math.ceil(max(ends)), math.floor(min(ends)) + 1))

    @property
    def decades(self) -> range:
        return range(self._y[0], self._y[1] + 1)

    def x(self, size: float) -> float:
        low, high = self._x
        share = (math.log10(size) - low) / (high - low)
        return round(self.left + share * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        low, high = self._y
        share = (math.log10(value) - low) / (high - low) if value > 0 else 0.0
        return round(self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - self.top), 1)


def _grid(chart: Chart, frame: _Frame) -> Iterator[Shape]:
    font = frame.layout.font
    decades = frame.decades
    every = max(1, math.ceil(len(decades) / 7))
    for decade in decades:
        value = 10.0**decade
        y = frame.y(value)
        yield Path(((frame.left, y), (frame.right, y)), "rule")
        if (decade - decades[0]) % every == 0:
            yield Label(frame.left - 8, y + 0.35 * font, _tick(value, chart.unit), "ink", "end")
    if len(decades) <= 3:  # noqa: PLR2004  # two decades leave room for more lines
        for value in (d * 10.0**decade for decade in decades[:-1] for d in (2, 5)):
            y = frame.y(value)
            yield Path(((frame.left, y), (frame.right, y)), "rule", 0.5)
            yield Label(frame.left - 8, y + 0.35 * font, _tick(value, chart.unit), "muted", "end")
    for size in _apart(chart.sizes, frame):
        x = frame.x(size)
        yield Path(((x, frame.bottom), (x, frame.bottom + 5)), "rule")
        yield Label(x, frame.bottom + 1.35 * font, size_name(size), "ink", "middle")
    yield Path(((frame.left, frame.bottom), (frame.right, frame.bottom)), "rule", 1.5)
    middle = (frame.left + frame.right) / 2
    yield Label(middle, frame.layout.height - 0.4 * font, chart.x_label, "muted", "middle")
    what = "time per call" if chart.unit == "time" else chart.unit
    yield Label(4, font, what, "muted")


def _apart(sizes: Sequence[int], frame: _Frame) -> list[int]:
    """Return the sizes whose names have room, the last always."""
    kept: list[int] = []
    for size in sorted(sizes, reverse=True):
        need = 0.62 * frame.layout.font * (len(size_name(size)) + 1)
        if not kept or frame.x(kept[-1]) - frame.x(size) >= need:
            kept.append(size)
    return kept


def _curve(line: Line, frame: _Frame) -> Iterator[Shape]:
    role = color(line.style)
    marks = [mark for mark in line.marks if mark.value > 0]
    points = tuple((frame.x(m.size), frame.y(m.value)) for m in marks)
    if line.style is not None and len(marks) > 1:
        upper = tuple((frame.x(m.size), frame.y(m.high)) for m in marks)
        lower = tuple((frame.x(m.size), frame.y(m.low)) for m in reversed(marks))
        yield Path((*upper, *lower), role, filled=True)
    for mark in marks if line.style is not None else ():
        x = frame.x(mark.size)
        yield Path(((x, frame.y(mark.high)), (x, frame.y(mark.low))), role, 2.0)
    if len(points) > 1:
        yield Path(points, role, 1.5 if line.style is None else 3.5, dashed=line.style is None)
    if line.style is None:
        if len(points) == 1:
            ((x, y),) = points
            yield Path(((x - 10, y), (x + 10, y)), role, 1.5)
        return
    kind = MARKERS[line.style % len(MARKERS)]
    for mark, (x, y) in zip(marks, points, strict=True):
        yield Dot(x, y, kind, role, mark.hollow)


def _names(chart: Chart, frame: _Frame) -> Iterator[Shape]:
    """Write each curve's name at its end, moved apart where they would cover each other."""
    step = 1.3 * frame.layout.font
    ends = sorted(
        (frame.y(line.marks[-1].value), i) for i, line in enumerate(chart.lines) if line.marks
    )
    places = [y for y, _ in ends]
    for above, below in pairwise(range(len(places))):
        places[below] = max(places[below], places[above] + step)
    over = max(0.0, places[-1] - frame.bottom) if places else 0.0
    for place, (_, index) in zip(places, ends, strict=True):
        line = chart.lines[index]
        y = place - over + 0.35 * frame.layout.font
        last = line.marks[-1].size
        far = frame.right if frame.x(last) > frame.right - 40 else frame.x(last)
        bold = line.style is not None
        yield Label(far + 14, y, line.name, color(line.style), bold=bold)


def _legend(chart: Chart, frame: _Frame) -> Iterator[Shape]:
    """Write the names over the chart, where there is no room beside it."""
    font = frame.layout.font
    x, y = frame.left, 2.6 * font
    for line in (line for line in chart.lines if line.marks):
        need = 0.62 * font * len(line.name) + 30
        if x + need > frame.layout.width and x > frame.left:
            x, y = frame.left, y + 1.4 * font
        if line.style is None:
            yield Path(((x, y - 4), (x + 12, y - 4)), REFERENCE, 1.5, dashed=True)
        else:
            yield Dot(x + 6, y - 4, MARKERS[line.style % len(MARKERS)], color(line.style))
        yield Label(x + 18, y, line.name, color(line.style), bold=line.style is not None)
        x += need


def _crossing(chart: Chart, frame: _Frame) -> Iterator[Shape]:
    if chart.crossing is None:
        return
    size, words = chart.crossing
    x = frame.x(size)
    yield Path(((x, frame.top), (x, frame.bottom)), "ink", 1.5, dashed=True)
    if frame.layout.right < frame.layout.left:
        return  # the sentence stands over the chart as well; here it would cover the curves
    # Larger problems take longer: curves leave the lower right and the upper left corner free.
    font = frame.layout.font
    if x + 0.65 * font * len(words) < frame.layout.width:
        yield Label(x + 8, frame.bottom - 0.6 * font, words, "ink", "start", bold=True)
    else:
        yield Label(x - 8, frame.top + 0.9 * font, words, "ink", "end", bold=True)


def _tick(value: float, unit: Unit) -> str:
    return (
        duration(value).replace(".00", "").replace("0.0 ", "0 ")
        if unit == "time"
        else _plain(value)
    )


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else three(value).rstrip("0")


def size_name(size: int) -> str:
    """Return a size as an axis shows it: "1024", "10 k", "2.5 M"."""
    if size < 10_000:  # noqa: PLR2004  # four digits are read at a glance
        return str(size)
    letter, scale = ("M", 10**6) if size >= 10**6 else ("k", 10**3)
    return f"{size / scale:g} {letter}"
