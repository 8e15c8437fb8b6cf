"""A chart's layout: scales, labels that keep apart, and what is drawn of a curve."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theano_colab.show.chart import (
    NARROW,
    WIDE,
    Chart,
    Dot,
    Label,
    Line,
    Mark,
    Path,
    draw,
    size_name,
)


def chart(*lines, sizes=(1, 10, 100), unit="time", crossing=None):
    marked = tuple(
        Line(
            name,
            style,
            tuple(Mark(n, v, v / 2, v * 2) for n, v in zip(sizes, values, strict=False)),
        )
        for style, (name, values) in enumerate(lines)
    )
    return Chart("title", "size", unit, sizes, marked, crossing)


def of(kind, shapes):
    return [shape for shape in shapes if isinstance(shape, kind)]


def test_both_axes_are_logarithmic():
    dots = of(Dot, draw(chart(("A", (1e-5, 1e-4, 1e-3))), WIDE))
    (a, b, c) = [(dot.x, dot.y) for dot in dots]
    assert b[0] - a[0] == pytest.approx(c[0] - b[0], abs=0.2)
    assert a[1] - b[1] == pytest.approx(b[1] - c[1], abs=0.2)


@pytest.mark.parametrize("layout", [WIDE, NARROW])
@given(
    values=st.lists(st.lists(st.floats(1e-9, 1e4), min_size=1, max_size=5), min_size=1, max_size=7),
    unit=st.sampled_from(["time", "GFLOP/s"]),
)
def test_everything_is_inside_whatever_the_values(layout, values, unit):
    sizes = (1, 30, 1000, 10**5, 10**7)
    lines = [(f"curve {i}", ys) for i, ys in enumerate(values)]
    for shape in draw(chart(*lines, sizes=sizes, unit=unit, crossing=(30, "words")), layout):
        points = shape.points if isinstance(shape, Path) else ((shape.x, shape.y),)
        for x, y in points:
            assert 0 <= x <= layout.width
            assert -layout.height <= y <= layout.height


def test_names_at_the_ends_keep_apart():
    lines = [(name, (1e-3, 1e-3, 1e-3)) for name in "ABCD"]
    names = [label for label in of(Label, draw(chart(*lines), WIDE)) if label.text in "ABCD"]
    places = sorted(label.y for label in names)
    assert all(below - above >= WIDE.font for above, below in pairwise(places))


def test_a_reference_is_a_thin_line_without_markers_or_band():
    line = Line("NumPy", None, (Mark(1, 1e-3, 1e-4, 1e-2), Mark(10, 1e-3, 1e-4, 1e-2)))
    shapes = draw(Chart("t", "n", "time", (1, 10), (line,)), WIDE)
    assert not of(Dot, shapes)
    assert not [path for path in of(Path, shapes) if path.filled]
    assert [path for path in of(Path, shapes) if path.role == "muted" and path.dashed]


def test_a_curve_has_a_band_between_its_quartiles():
    (band,) = [p for p in of(Path, draw(chart(("A", (1e-3, 1e-3, 1e-3))), WIDE)) if p.filled]
    assert len(band.points) == 6


def test_the_axis_moves_by_whole_decades_only():
    one, two = (
        [s.y for s in of(Label, draw(chart(("A", (2e-3, v))), WIDE)) if s.text.endswith("ms")]
        for v in (3e-3, 4e-3)
    )
    assert one == two


def test_without_a_value_there_are_still_axes():
    assert [s for s in of(Label, draw(chart(("A", ())), WIDE)) if s.text == "10 ms"]


@pytest.mark.parametrize(
    ("size", "name"),
    [(1024, "1024"), (9999, "9999"), (10_000, "10 k"), (2_500_000, "2.5 M"), (10**7, "10 M")],
)
def test_sizes_are_short(size, name):
    assert size_name(size) == name


@pytest.mark.parametrize(("size", "anchor", "low"), [(300, "start", True), (1000, "end", False)])
def test_the_words_of_the_crossing_stand_where_no_rising_curve_is(size, anchor, low):
    words = "XLA on the CPU wins from n = 512"
    drawn = chart(("A", (1e-5, 1e-3, 1e-1)), sizes=(50, 500, 2000), crossing=(size, words))
    (label,) = [label for label in of(Label, draw(drawn, WIDE)) if label.text == words]
    assert (label.anchor, label.y > WIDE.height / 2) == (anchor, low)
