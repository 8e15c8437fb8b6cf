"""A panel as plain text, for terminals and for a notebook's ``text/plain``."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

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
    Tone,
)
from theano_colab.show.units import clean, clean_lines, elapsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from theano_colab.progress import SetupState, Status, StepState

_UNICODE: Final[dict[str, str]] = {
    "pending": "○",
    "running": "▸",
    "done": "✓",
    "kept": "=",
    "failed": "✗",
    "ok": "✓",
    "warn": "!",
    "error": "✗",
    "busy": "▸",
}
_ASCII: Final = _UNICODE | {
    "pending": "-",
    "running": ">",
    "done": "+",
    "failed": "x",
    "ok": "+",
    "error": "x",
    "busy": ">",
}
# What our own sentences use beyond ASCII.
_PLAIN: Final = str.maketrans(
    {"·": "-", "…": "...", "µ": "u", "±": "+-", "–": "-", "×": "x", "→": "->"}  # noqa: RUF001  # meant
)
# Select Graphic Rendition (ECMA-48 8.3.117); colours of the basic eight, which themes adjust.
_SGR: Final[dict[str, str]] = {
    "ok": "32",
    "warn": "33",
    "error": "31",
    "busy": "36",
    "muted": "2",
    "bold": "1",
}
_STEP_TONES: Final[dict[Status, Tone]] = {
    "pending": "muted",
    "running": "busy",
    "done": "ok",
    "kept": "muted",
    "failed": "error",
}
_NARROWEST: Final = 40
_NARROWEST_COLUMN: Final = 8
_NAME_VALUE_SOURCE: Final = 3


@dataclass(frozen=True, slots=True)
class Style:
    """How to write: the width in columns, 40 or more; with Unicode or without; in colour or not."""

    width: int = 80
    unicode: bool = True
    color: bool = False

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str], width: int = 80) -> Style:
        """Return the style that fits a stream.

        Colour only on a terminal, and not where NO_COLOR is set (https://no-color.org) or TERM is
        "dumb"; Unicode only where the stream's encoding has every mark.
        """
        color = (
            stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM", "") != "dumb"
        )
        width = max(width, _NARROWEST)
        try:
            "".join(_UNICODE.values()).encode(stream.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return cls(width, unicode=False, color=color)
        return cls(width, unicode=True, color=color)

    def mark(self, name: str) -> str:
        """Return the mark of a status or a tone, one column wide; a blank where there is none."""
        return (_UNICODE if self.unicode else _ASCII).get(name, " ")

    def clean(self, text: str) -> str:
        """Return text as one line without control characters, in what the style can write."""
        return self.ascii(clean(text))

    def ascii(self, text: str) -> str:
        """Return text in ASCII where the style asks for that: "±" as "+-", the rest as escapes."""
        if self.unicode:
            return text
        return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")

    def paint(self, text: str, how: str) -> str:
        """Return text in a tone's colour, or "bold"."""
        code = _SGR.get(how) if self.color and text else None
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def wrap(self, text: str, first: str = "", rest: str | None = None) -> list[str]:
        """Return the lines of a text, ``first`` before the first and ``rest`` before the others."""
        rest = " " * len(first) if rest is None else rest
        return _wrap(first + self.clean(text), self.width, rest)


NOTEBOOK: Final = Style()


def write(panel: Panel, style: Style = NOTEBOOK) -> str:
    """Return the panel as text, no line wider than ``style.width`` (a long word is cut in two)."""
    corner = style.clean(panel.corner)
    title = _wrap(style.clean(panel.title), style.width - len(corner) - 1, "")
    gap = " " * (style.width - len(title[0]) - len(corner))
    lines = [style.paint(title[0], "bold") + gap + corner]
    lines += [style.paint(line, "bold") for line in title[1:]]
    if panel.line:
        lines += style.wrap(panel.line)
    for block in panel.blocks:
        if said := list(_block(block, style)):
            lines += ["", *said]
    return "\n".join(line.rstrip() for line in lines)


def news(before: SetupState | None, after: SetupState, style: Style = NOTEBOOK) -> list[str]:
    """Return the lines that a log gains when a setup moves on: the steps that have just ended.

    For output that cannot be drawn over, such as a pipe or a terminal's scroll-back. The first
    call, with no ``before``, also returns the steps that ended by then.
    """
    known = {} if before is None else dict(enumerate(before.steps))
    lines = []
    for number, step in enumerate(after.steps):
        old = known.get(number)
        if step.status not in {"pending", "running"} and (old is None or old.status != step.status):
            lines += _step(step, style)[:1]
    return lines


def _block(block: Block, style: Style) -> Iterable[str]:  # noqa: PLR0911  # a line for each kind
    match block:
        case Headline():
            return _headline(block, style)
        case Steps():
            return [line for step in block.items for line in _step(step, style)]
        case Table():
            return _table(block, style)
        case Notes():
            return [line for item in block.items for line in style.wrap(item, "Note: ")]
        case Code():
            return [
                style.paint(style.clean(block.label), "bold"),
                *style.wrap(block.text, "  "),
            ]
        case Problem():
            return [
                *_prose(block.cause, "Cause:      ", style),
                *_prose(block.evidence, "Evidence:   ", style),
                *_prose(block.remedy, "What to do: ", style),
            ]
        case Key():
            named = [(name, about) for _, name, about in block.items]
            width = max((len(name) for name, _ in named), default=0)
            return [line for n, about in named for line in style.wrap(about, f"  {n:<{width}}  ")]
        case Figure():
            return _figure(block, style)
        case Plot():
            return []  # its values are in the table, its sense in the figure
        case Meters():
            said = ", ".join(f"{name} {text}" for name, text, _, _ in block.items)
            return style.wrap(said, "  ")


def _figure(block: Figure, style: Style) -> list[str]:
    """Write a number in words; it is part of the sentence beside it."""
    first = [
        style.paint(line, "bold")
        for line in style.wrap(block.text, f"{style.clean(block.value)}  ")
    ]
    return first + [line for text in block.lines for line in style.wrap(text, "  ")]


def _prose(text: str, label: str, style: Style) -> list[str]:
    """Return a labelled text; one with lines of its own keeps them, columns and all."""
    lines = clean_lines(text)
    if len(lines) == 1:
        return style.wrap(text, label)
    return [
        (label if i == 0 else " " * len(label)) + style.ascii(line) for i, line in enumerate(lines)
    ]


def _headline(block: Headline, style: Style) -> list[str]:
    mark = style.mark(block.tone)
    first = f"{mark} " if mark.strip() else ""
    head = [style.paint(line, block.tone) for line in style.wrap(block.text, first)]
    return head + (style.wrap(block.detail, " " * len(first)) if block.detail else [])


def _step(step: StepState, style: Style) -> list[str]:
    time = "" if step.seconds is None else elapsed(step.seconds)
    if step.status in {"kept", "failed", "running"}:
        time = f"{step.status} {time}".rstrip()
    time_width = len("failed 59 min 59 s")
    title = _wrap(style.clean(step.title), style.width - 4 - time_width, "")
    tone = _STEP_TONES[step.status]
    mark = style.paint(style.mark(step.status), tone)
    gap = " " * (style.width - 4 - time_width - len(title[0]))
    lines = [f"  {mark} {title[0]}{gap}{style.paint(f'{time:>{time_width}}', tone)}"]
    lines += [f"    {line}" for line in title[1:]]
    for text in filter(None, (step.why, step.detail)):
        lines += [style.paint(line, "muted") for line in style.wrap(text, "    ")]
    return lines


def _table(block: Table, style: Style) -> list[str]:
    caption = [style.paint(style.clean(block.caption), "bold")] if block.caption else []
    if block.source and len(block.header) == _NAME_VALUE_SOURCE:
        rows = [_with_source(row) for row in block.rows]
        header: tuple[str, ...] = block.header[:-1]
    else:
        rows, header = list(block.rows), block.header
    said: list[Cell] = []
    if block.below:
        rows, said, header = [row[:-1] for row in rows], [row[-1] for row in rows], header[:-1]
    texts = [[[style.clean(line) for line in c.lines if line] or [""] for c in r] for r in rows]
    widths = [
        max([len(name), *(len(line) for row in texts for line in row[i])])
        for i, name in enumerate(header)
    ]
    # The numbers of a column stay whole; only its header may be wrapped.
    floors = [
        max(len(line) for row in texts for line in row[i]) if i in block.numeric else 1
        for i in range(len(header))
    ]
    widths = _fit(widths, floors, style.width - 2 - 2 * (len(widths) - 1))
    lines = list(caption)
    if len(header) > 2:  # noqa: PLR2004  # name and value need no header
        lines += _table_row(
            [[name] for name in header], widths, block, ["bold"] * len(header), style
        )
    for number, (row, cells) in enumerate(zip(texts, rows, strict=True)):
        lines += _table_row(row, widths, block, [c.tone for c in cells], style)
        for text in filter(None, said[number].lines if said else ()):
            lines += [style.paint(line, said[number].tone) for line in style.wrap(text, "      ")]
    return lines


def _with_source(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Put the last cell, in brackets, after the text of the one before it."""
    *head, value, source = row
    lines = value.lines if source.lines == ("",) else (*value.lines[:-1], "")
    if lines != value.lines:
        lines = (*value.lines[:-1], f"{value.lines[-1]}  [{' '.join(source.lines)}]".lstrip())
    return (*head, Cell(lines, value.tone))


def _fit(widths: list[int], floors: list[int], room: int) -> list[int]:
    """Take columns from the widest that may give until all fit; share equally if that fails."""
    widths = list(widths)
    floors = [
        max(floor, min(_NARROWEST_COLUMN, w)) for floor, w in zip(floors, widths, strict=True)
    ]
    while sum(widths) > room:
        slack = [(w - floor > 0, w) for w, floor in zip(widths, floors, strict=True)]
        widest = max(range(len(widths)), key=slack.__getitem__)
        if not slack[widest][0]:
            return [max(1, room // len(widths))] * len(widths)
        widths[widest] -= 1
    return widths


def _table_row(
    row: list[list[str]], widths: list[int], block: Table, tones: list[str], style: Style
) -> list[str]:
    columns = [
        [piece for line in lines for piece in _wrap(line, width, "")]
        for lines, width in zip(row, widths, strict=True)
    ]
    out = []
    for pieces in zip_longest(*columns, fillvalue=""):
        padded = [
            style.paint(f"{piece:>{w}}" if i in block.numeric else f"{piece:<{w}}", tone)
            for i, (piece, w, tone) in enumerate(zip(pieces, widths, tones, strict=True))
        ]
        out.append("  " + "  ".join(padded))
    return out


def _wrap(text: str, width: int, rest: str) -> list[str]:
    lines = textwrap.wrap(
        text,
        max(width, len(rest) + 1),
        subsequent_indent=rest,
        drop_whitespace=True,
        break_on_hyphens=False,
    )
    return lines or [text.rstrip()]
