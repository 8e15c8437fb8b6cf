"""A chart as SVG: colours by the style sheet's classes, so that it follows the page's theme.

Its words are no ``<text>`` but lie over the drawing, and only the style sheet shows them: who takes
SVG out of a notebook (GitHub; Jupyter, where the notebook is not trusted) keeps the text in it, and
axis labels in one line would stand above the picture that is shown instead.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from theano_colab.show.chart import NARROW, WIDE, Chart, Dot, Label, Layout, Path, draw
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
    shapes = draw(chart, layout)
    drawn = "".join(_shape(shape) for shape in shapes if not isinstance(shape, Label))
    labels = "".join(_label(shape, layout) for shape in shapes if isinstance(shape, Label))
    words = html.escape(clean(chart.summary or chart.title), quote=True)
    return (
        f'<div class="tcolab-chart {kind}"><svg role="img" aria-label="{words}" '
        f'viewBox="0 0 {layout.width:g} {layout.height:g}">{drawn}</svg>'
        f'<div class="tcolab-labels" aria-hidden="true">{labels}</div></div>'
    )


def _label(label: Label, layout: Layout) -> str:
    """Return words at a place that scales with the drawing, as their size does."""
    kinds = f"tcolab-{label.role} tcolab-{label.anchor}" + (" tcolab-bold" if label.bold else "")
    left, top = 100 * label.x / layout.width, 100 * label.y / layout.height
    # The panel is the container of its style sheet: 1cqw is a hundredth of the drawing's width.
    size = 100 * layout.font / layout.width
    return (
        f'<span class="{kinds}" style="left:{left:.2f}%;top:{top:.2f}%;font-size:{size:.2f}cqw" '
        f'data-text="{html.escape(clean(label.text), quote=True)}"></span>'
    )


def _shape(shape: Path | Dot) -> str:
    return _path(shape) if isinstance(shape, Path) else _dot(shape)


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
