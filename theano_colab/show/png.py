"""Charts as a PNG, by matplotlib where it is installed; Colab has it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from theano_colab.show.chart import WIDE, Chart, Dot, Label, Path, Shape, draw
from theano_colab.show.svg import outline

if TYPE_CHECKING:
    from collections.abc import Sequence

_DPI: Final = 144
_POINTS: Final = 72
_TITLE: Final = 56.0
"""The height of a chart's title, in the chart's pixels."""

COLORS: Final = {
    "c0": "#b84a00",
    "c1": "#0067a5",
    "c2": "#00704f",
    "c3": "#a03c74",
    "c4": "#756000",
    "c5": "#5b4fb5",
    "ink": "#1f2328",
    "muted": "#565b61",
    "rule": "#dcdde0",
}
"""The style sheet's colours on white."""


def available() -> bool:
    """Return whether there is a matplotlib."""
    try:
        import matplotlib as mpl  # noqa: F401  # asked for only
    except ImportError:
        return False
    return True


def write(charts: Sequence[Chart]) -> bytes:
    """Return a PNG with the charts one under the other, on white, each with title and summary.

    The figure is matplotlib's without pyplot: the notebook's own figures and settings stay as they
    are.

    Raises
    ------
    ImportError
        If there is no matplotlib.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    each = WIDE.height + _TITLE
    height = each * max(len(charts), 1)
    with mpl.rc_context({"font.family": "sans-serif", "text.usetex": False}):
        figure = Figure(figsize=(WIDE.width / _POINTS, height / _POINTS), facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, WIDE.width)
        axes.set_ylim(height, 0)
        for number, chart in enumerate(charts):
            top = number * each
            title = Label(8, 24, chart.title, bold=True)
            for shape, down in [
                (title, top),
                (Label(8, 46, chart.summary, "muted"), top),
                *((shape, top + _TITLE) for shape in draw(chart, WIDE)),
            ]:
                _draw(axes, shape, down)
        out = io.BytesIO()
        figure.set_dpi(_DPI * 2 / 3)
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _draw(axes: Any, shape: Shape, down: float) -> None:  # noqa: ANN401  # matplotlib's own
    color = COLORS[shape.role]
    match shape:
        case Path():
            xs, ys = zip(*((x, y + down) for x, y in shape.points), strict=True)
            if shape.filled:
                axes.fill(xs, ys, color=color, alpha=0.2, linewidth=0)
            else:
                style = (0, (4, 3)) if shape.dashed else "-"
                axes.plot(xs, ys, color=color, linewidth=shape.width, linestyle=style)
        case Dot():
            _dot(axes, shape, color, down)
        case Label():
            side = {"start": "left", "middle": "center", "end": "right"}[shape.anchor]
            axes.text(
                shape.x,
                shape.y + down,
                shape.text.replace("$", r"\$"),
                color=color,
                ha=side,
                va="baseline",
                fontsize=WIDE.font * 0.86,
                weight="bold" if shape.bold else "normal",
            )


def _dot(axes: Any, dot: Dot, color: str, down: float) -> None:  # noqa: ANN401  # matplotlib's own
    face = "white" if dot.hollow else color
    if dot.kind == "circle":
        marker = {"marker": "o", "markersize": 12}
        axes.plot([dot.x], [dot.y + down], mfc=face, mec=color, mew=2.0, **marker)
        return
    xs, ys = zip(*((dot.x + x, dot.y + y + down) for x, y in outline(dot.kind)), strict=True)
    axes.fill(xs, ys, facecolor=face, edgecolor=color, linewidth=2.0)
