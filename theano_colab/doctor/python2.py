"""Python 2 and names that packages dropped: the line that has it, and how it is written today."""

from __future__ import annotations

import functools
import linecache
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab.doctor.known import Explanation

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).with_name("python2.toml")

_LONGEST = 20_000  # characters of a message


@dataclass(frozen=True, slots=True)
class Idiom:
    """One entry of python2.toml. ``write`` is None where no line can be written.

    ``of`` is the distribution that dropped something, "" for Python.
    """

    find: re.Pattern[str]
    line: re.Pattern[str]
    cause: str
    write: str | None
    remedy: str
    of: str
    link: str
    example: str


@dataclass(frozen=True, slots=True)
class Place:
    """A line of source: "cell" or a file's name, its number, its text without indentation."""

    name: str
    number: int
    text: str


@functools.cache
def idioms() -> tuple[Idiom, ...]:
    """Return the idioms in the order in which they are tried."""
    data = tomllib.loads(DATA.read_text("utf-8"))
    return tuple(
        Idiom(
            re.compile(entry["find"]),
            re.compile(entry["line"]),
            entry["cause"],
            None if "remedy" in entry else entry["write"],
            entry.get("remedy", ""),
            entry.get("of", ""),
            entry.get("link", data["link"]),
            entry["example"],
        )
        for entry in data["idiom"]
    )


def explain(error: BaseException) -> Explanation | None:
    """Return what an exception means if a line of Python 2, or as old, raised it, else None."""
    text = f"{type(error).__name__}: {str(error)[:_LONGEST]}"
    fitting = [idiom for idiom in idioms() if idiom.find.search(text)]
    # The innermost line first: it raised the exception.
    for place in reversed(tuple(_places(error))) if fitting else ():
        for idiom in fitting:
            if idiom.line.search(place.text):
                remedy = idiom.remedy
                if idiom.write is not None:
                    remedy = f"Write: {idiom.line.sub(idiom.write, place.text)}"
                return Explanation(
                    "python2",
                    idiom.cause,
                    f"{place.name}, line {place.number}: {place.text} ({_version(idiom.of)})",
                    remedy,
                    idiom.link,
                )
    return None


def _version(distribution: str) -> str:
    """Return "numpy 2.1.3", or for "" Python's version."""
    if not distribution:
        return f"Python {sys.version_info.major}.{sys.version_info.minor}"
    try:
        return f"{distribution} {metadata.version(distribution)}"
    except metadata.PackageNotFoundError:
        return f"no {distribution}"


def _places(error: BaseException) -> Iterator[Place]:
    """Yield the lines of the traceback, outermost first; a SyntaxError's own line is the last."""
    entry = error.__traceback__
    while entry is not None:
        code, number = entry.tb_frame.f_code, entry.tb_lineno
        if number:
            line = linecache.getline(code.co_filename, number, entry.tb_frame.f_globals)
            if line.strip():
                yield Place(_name(code.co_filename), number, line.strip())
        entry = entry.tb_next
    if isinstance(error, SyntaxError) and error.lineno:
        line = error.text or linecache.getline(error.filename or "", error.lineno)
        if line.strip():
            yield Place(_name(error.filename or ""), error.lineno, line.strip())


def _name(file: str) -> str:
    """Return "cell" for the names that IPython and ipykernel give to cells."""
    inside = file.startswith("<") or "ipykernel_" in file
    return "cell" if inside or not file else Path(file).name
