"""A panel as HTML: self-contained, no script, readable without its style too."""

from __future__ import annotations

import base64
import html
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from theano_colab.show import svg
from theano_colab.show.chart import MARKERS, WIDE, color
from theano_colab.show.panel import (
    Block,
    Cell,
    Code,
    Figure,
    Headline,
    Key,
    Meters,
    Notes,
    Panel,
    Plot,
    Problem,
    Steps,
    Table,
)
from theano_colab.show.units import clean, clean_lines, elapsed

if TYPE_CHECKING:
    from theano_colab.progress import Status, StepState

MARKS: Final[dict[Status, tuple[str, str]]] = {
    "pending": ("○", "to do"),
    "running": ("▸", "running"),
    "done": ("✓", "done"),
    "kept": ("=", "kept"),
    "failed": ("✗", "failed"),
}
_SIGNS: Final = {"circle": "●", "square": "■", "triangle": "▲", "diamond": "◆"}
_NAME_AND_VALUE: Final = 2
_HEADLINE_MARKS: Final = {"ok": "✓", "warn": "!", "error": "✗", "busy": "▸"}


def write(panel: Panel) -> str:
    """Return the panel as one HTML element, its style inside.

    Everything that is not ours is escaped. GitHub removes the style and every class, so the
    structure alone carries the sense: tables with headers, bold labels, marks beside colours.
    """
    corner = f'<span class="tcolab-corner">{_esc(panel.corner)}</span>' if panel.corner else ""
    line = f'<div class="tcolab-line">{_esc(panel.line)}</div>' if panel.line else ""
    return (
        f'<section class="tcolab-panel" aria-label="{_esc(panel.title)}">'
        f"<style>{stylesheet()}</style>"
        f'<div class="tcolab-head"><b role="heading" aria-level="3">{_esc(panel.title)}</b>'
        f" {corner}</div>{line}{''.join(map(_block, panel.blocks))}</section>"
    )


@cache
def stylesheet() -> str:
    """Return the panels' style sheet, its comments and indentation taken out."""
    text = resources.files(__package__).joinpath("panel.css").read_text("utf-8")
    while "/*" in text:
        before, _, rest = text.partition("/*")
        text = before + rest.partition("*/")[2]
    return " ".join(text.split())


def _esc(text: str) -> str:
    return html.escape(clean(text), quote=True)


def _prose(text: str) -> str:
    """Write what may have lines of its own, such as a quoted setting with a caret under it."""
    lines = clean_lines(text)
    if len(lines) == 1:
        return _esc(text)
    return f"<pre>{html.escape(chr(10).join(lines))}</pre>"


def _block(block: Block) -> str:  # noqa: PLR0911  # a line for each kind
    match block:
        case Headline():
            return _headline(block)
        case Steps():
            return _steps(block)
        case Table():
            return _table(block)
        case Notes():
            items = "".join(f"<li>{_esc(item)}</li>" for item in block.items)
            return f'<div class="tcolab-notes"><b>Notes</b><ul>{items}</ul></div>'
        case Code():
            return (
                f'<div class="tcolab-code"><b>{_esc(block.label)}</b> '
                f"<code>{_esc(block.text)}</code></div>"
            )
        case Problem():
            return _problem(block)
        case Key():
            return _key(block)
        case Figure():
            return _figure(block)
        case Plot():
            return _plot(block)
        case Meters():
            return _meters(block)


def _headline(block: Headline) -> str:
    mark = _HEADLINE_MARKS.get(block.tone, "")
    mark = f'<span class="tcolab-mark" aria-hidden="true">{mark}</span> ' if mark else ""
    detail = _esc(block.detail)
    if detail or block.tone == "busy":  # while busy the line is kept free: the height is fixed
        detail = f'<div class="tcolab-detail" title="{detail}">{detail or "&nbsp;"}</div>'
    return (
        f'<div class="tcolab-headline tcolab-{block.tone}">'
        f'{mark}<b role="status">{_esc(block.text)}</b>{detail}{_bar(block.share)}</div>'
    )


def _bar(share: float | None) -> str:
    if share is None:
        return ""
    percent = f"{100 * share:.0f}"
    return (
        f'<svg class="tcolab-bar" role="img" aria-label="{percent}% done" viewBox="0 0 100 1" '
        f'preserveAspectRatio="none"><rect width="{percent}" height="1"/></svg>'
    )


def _key(block: Key) -> str:
    items = "".join(
        f'<li><span class="tcolab-{color(style)}">{_sign(style)} <b>{_esc(name)}</b></span> '
        f"<span>{_esc(about)}</span></li>"
        for style, name, about in block.items
    )
    return f'<ul class="tcolab-key" aria-label="Devices">{items}</ul>'


def _sign(style: int | None) -> str:
    """Return a curve's marker as a character, so that colour alone tells nothing."""
    return "┄" if style is None else _SIGNS[MARKERS[style % len(MARKERS)]]


def _figure(block: Figure) -> str:
    lines = "".join(f"<div>{_esc(line)}</div>" for line in block.lines)
    return (
        f'<div class="tcolab-figure"><b class="tcolab-value tcolab-{color(block.style)}">'
        f"{_esc(block.value)}</b> <div><b>{_esc(block.text)}</b>{lines}</div></div>"
    )


def _plot(block: Plot) -> str:
    """Write the SVG, and the PNG that only shows where style and SVG are taken out."""
    image = ""
    if block.png:
        data = base64.b64encode(block.png).decode("ascii")
        words = _esc(block.chart.summary or block.chart.title)
        image = (
            f'<img class="tcolab-png" alt="{words}" src="data:image/png;base64,{data}" '
            f'width="{WIDE.width:g}">'
        )
    return f'<div class="tcolab-plot">{svg.write(block.chart)}{image}</div>'


def _meters(block: Meters) -> str:
    items = "".join(
        f"<div><span>{_esc(name)}</span> <b>{_esc(text)}</b>"
        f"{svg.spark(values, limit) if values else ''}</div>"
        for name, text, values, limit in block.items
    )
    return f'<div class="tcolab-meters" aria-label="The GPU">{items}</div>'


def _problem(block: Problem) -> str:
    rows = (("Cause", block.cause), ("Evidence", block.evidence), ("What to do", block.remedy))
    body = "".join(
        f'<tr><th scope="row">{label}</th><td>{_prose(text)}</td></tr>' for label, text in rows
    )
    return f'<table class="tcolab-problem"><tbody>{body}</tbody></table>'


def _steps(block: Steps) -> str:
    rows = "".join(map(_step, block.items))
    return f'<table class="tcolab-steps" aria-label="Steps"><tbody>{rows}</tbody></table>'


def _step(step: StepState) -> str:
    mark, word = MARKS[step.status]
    time = "" if step.seconds is None else elapsed(step.seconds)
    if step.status in {"kept", "failed", "running"}:
        time = f"{word}<br>{time}" if time else word
    detail = f'<div class="tcolab-stepdetail">{_esc(step.detail)}</div>' if step.detail else ""
    return (
        f'<tr class="tcolab-step-{step.status}">'
        f'<td><span role="img" aria-label="{word}" title="{word}">{mark}</span></td>'
        f'<td><b>{_esc(step.title)}</b><div class="tcolab-why">{_esc(step.why)}</div>{detail}</td>'
        f'<td class="tcolab-num">{time}</td></tr>'
    )


def _table(block: Table) -> str:
    head = "".join(
        f'<th scope="col"{_number(block, i)}>{_esc(name)}</th>'
        for i, name in enumerate(block.header)
    )
    body = "".join(_row(block, row) for row in block.rows)
    caption = f"<caption><b>{_esc(block.caption)}</b></caption>" if block.caption else ""
    kinds = "tcolab-table"
    kinds += " tcolab-source" if block.source else ""
    kinds += " tcolab-captioned" if block.caption else ""
    kinds += " tcolab-below" if block.below else ""
    return (
        f'<table class="{kinds}">{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _row(block: Table, row: tuple[Cell, ...]) -> str:
    name, *rest = row
    cells = "".join(
        f'<td class="{_classes(block, i, c)}"{_label(block, i)}>{_cell(c)}</td>'
        for i, c in enumerate(rest, 1)
    )
    return f'<tr><th scope="row">{_cell(name)}</th>{cells}</tr>'


def _label(block: Table, column: int) -> str:
    """Return the column's name, shown on a phone; one that only follows its row's name has none."""
    if column == 1 and len(block.header) - block.source <= _NAME_AND_VALUE:
        return ""
    return f' data-label="{_esc(block.header[column])}"'


def _number(block: Table, column: int) -> str:
    return ' class="tcolab-num"' if column in block.numeric else ""


def _classes(block: Table, column: int, item: Cell) -> str:
    number = "tcolab-num " if column in block.numeric else ""
    return f"{number}tcolab-{item.tone}"


def _cell(item: Cell) -> str:
    tag = "code" if item.code else "span"
    lines = "<br>".join(f"<{tag}>{_esc(line)}</{tag}>" for line in item.lines if line)
    if item.fold:
        return f"<details><summary>{_esc(item.fold)}</summary>{lines}</details>"
    return lines
