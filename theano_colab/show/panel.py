"""A panel, described once: what it says, in blocks that HTML and plain text both can write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from theano_colab.progress import StepState
    from theano_colab.show.chart import Chart

Bundle: TypeAlias = dict[str, str]
Tone: TypeAlias = Literal["plain", "muted", "busy", "ok", "warn", "error"]


@dataclass(frozen=True, slots=True)
class Headline:
    """Where things stand, in words; ``detail`` is one line that may change many times a second.

    ``share`` is how much of the work is done, from 0 to 1; None where that is not known.
    """

    tone: Tone
    text: str
    detail: str = ""
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """What is done in which order, each with its mark, reason and time."""

    items: tuple[StepState, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: its lines, and how they are meant.

    ``fold`` is a summary behind which HTML hides the lines until the reader opens it.
    ``code`` marks text that is typed or read by machines: paths, flags, versions of files.
    """

    lines: tuple[str, ...]
    tone: Tone = "plain"
    code: bool = False
    fold: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header; the first cell of each row names the row.

    ``numeric`` holds the indexes of columns that are aligned right. ``source`` says that the last
    column only tells where the others come from, and is set small. ``below`` says that the last
    column holds sentences: plain text has them under the row.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()
    source: bool = False
    below: bool = False


@dataclass(frozen=True, slots=True)
class Notes:
    """Sentences that the reader should know."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A labelled line of code, whole, so that it can be copied."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Cause, evidence, remedy."""

    cause: str
    evidence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Key:
    """What curves stand for: a curve's ``style``, its name, and which device that is."""

    items: tuple[tuple[int | None, str, str], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number to be read from the back of a room, and the sentences that belong to it."""

    value: str
    style: int | None
    text: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart; ``png`` is the same for readers who do not see SVG (GitHub), where there is one."""

    chart: Chart
    png: bytes = b""


@dataclass(frozen=True, slots=True)
class Meters:
    """Small live lines: name, the newest value in words, the last values, and the full scale."""

    items: tuple[tuple[str, str, tuple[float, ...], float], ...]


Block: TypeAlias = Headline | Steps | Table | Notes | Code | Problem | Key | Figure | Plot | Meters


@dataclass(frozen=True, slots=True)
class Panel:
    """A title, a line under it, a short text at the title's right (a time), and the blocks."""

    title: str
    blocks: tuple[Block, ...]
    line: str = ""
    corner: str = ""


def cell(text: str, tone: Tone = "plain", *, code: bool = False) -> Cell:
    """Return a cell of one line."""
    return Cell((text,), tone, code)


def bundle(panel: Panel) -> Bundle:
    """Return the panel as a MIME bundle: ``text/html``, and ``text/plain`` 80 columns wide."""
    from theano_colab.show import html, text

    return {"text/html": html.write(panel), "text/plain": text.write(panel)}
