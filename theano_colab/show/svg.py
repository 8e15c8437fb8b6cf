"""A chart as SVG: colours by the style sheet's classes, so that it follows the page's theme."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from theano_colab.show.chart import NARROW, WIDE, Chart, Dot, Label, Layout, Path, Shape, draw
from theano_colab.show.units import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

_RADIUS: Final = 6.0


def write(chart: Chart) -> str:
    """Return the chart twice: for a wide page and for a narrow one; the style sheet shows one."""
    return _svg(chart, WIDE, "tcolab-wide") + _svg(chart, NARROW, "tcolab-narrow")


def spark(values: Sequence[float], limit: float, width: float = 120, height: float = 26) -> str:
    """Return a small line of values between 0 and ``limit``, the newest at the right end."""
    top = max([limit, *values, 1e-9])
    step = width / max(len(values) - 1, 1)
    points = " ".join(
        f"{i * step:.1f},{height - 1 - v / top * (height - 2):.1f}" for i, v in enumerate(values)
    )
    return (
        f'<svg class="tcolab-spark" viewBox="0 0 {width:g} {height:g}" aria-hidden="true">'
        f'<polyline points="{points}"/></svg>'
    )


def _svg(chart: Chart, layout: Layout, kind: str) -> str:
    shapes = "".join(_shape(shape) for shape in draw(chart, layout))
    words = html.escape(clean(chart.summary or chart.title), quote=True)
    return (
        f'<svg class="tcolab-chart {kind}" role="img" aria-label="{words}" '
        f'viewBox="0 0 {layout.width:g} {layout.height:g}" font-size="{layout.font:g}">'
        f"{shapes}</svg>"
    )


def _shape(shape: Shape) -> str:
    match shape:
        case Path():
            return _path(shape)
        case Dot():
            return _dot(shape)
        case Label():
            bold = ' font-weight="bold"' if shape.bold else ""
            anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
            return (
                f'<text class="tcolab-{shape.role}" x="{shape.x:g}" y="{shape.y:.1f}"'
                f"{anchor}{bold}>"
                f"{html.escape(clean(shape.text))}</text>"
            )


def _path(path: Path) -> str:
    points = "L".join(f"{x:g} {y:g}" for x, y in path.points)
    if path.filled:
        return f'<path class="tcolab-{path.role} tcolab-band" d="M{points}Z"/>'
    dash = ' stroke-dasharray="6 5"' if path.dashed else ""
    return (
        f'<path class="tcolab-{path.role} tcolab-stroke" d="M{points}" '
        f'stroke-width="{path.width:g}"{dash}/>'
    )


def _dot(dot: Dot) -> str:
    kind = f"tcolab-{dot.role} tcolab-{'hollow' if dot.hollow else 'dot'}"
    if dot.kind == "circle":
        return f'<circle class="{kind}" cx="{dot.x:g}" cy="{dot.y:g}" r="{_RADIUS:g}"/>'
    points = "L".join(f"{dot.x + x:g} {dot.y + y:g}" for x, y in outline(dot.kind))
    return f'<path class="{kind}" d="M{points}Z"/>'


def outline(kind: str) -> tuple[tuple[float, float], ...]:
    """Return the corners of a marker round its centre, in pixels."""
    r = _RADIUS
    return {
        "square": ((-r, -r), (r, -r), (r, r), (-r, r)),
        "triangle": ((0, -1.3 * r), (1.2 * r, 0.9 * r), (-1.2 * r, 0.9 * r)),
        "diamond": ((0, -1.4 * r), (1.4 * r, 0), (0, 1.4 * r), (-1.4 * r, 0)),
    }[kind]
