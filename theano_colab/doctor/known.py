"""Known failures of Theano and its runtimes: an exception to cause, evidence, remedy."""

from __future__ import annotations

import functools
import linecache
import os
import re
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theano_colab import live
from theano_colab.errors import TheanoColabError
from theano_colab.runtime import packages

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).with_name("known.toml")

_LONGEST = 20_000  # characters of a message: Theano's may hold a whole program
_CHAIN = 10


@dataclass(frozen=True, slots=True)
class Failure:
    """One entry of known.toml; ``places`` is empty where the text alone is proof enough."""

    id: str
    find: re.Pattern[str]
    places: tuple[str, ...]
    cause: str
    evidence: str
    remedy: str
    link: str
    example: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an exception means here, and where others met it."""

    id: str
    cause: str
    evidence: str
    remedy: str
    link: str

    def lines(self) -> tuple[str, str, str]:
        """Return the three lines that stand under a traceback."""
        return (
            self.cause,
            f"  evidence: {self.evidence}",
            f"  remedy:   {self.remedy} [{self.link}]",
        )


def explain(error: BaseException) -> Explanation | None:
    """Return what a known failure means on this runtime; None for any other exception."""
    if isinstance(error, TheanoColabError):  # it has explained itself
        return None
    chain = tuple(_chain(error))
    modules, sources = _seen(chain)
    for one in chain:
        text = f"{type(one).__name__}: {_message(one)}"
        for failure in failures():
            match = failure.find.search(text)
            if match is not None and _is_there(failure.places, modules, sources):
                words = {k: v or "" for k, v in match.groupdict().items()}
                return Explanation(
                    failure.id,
                    failure.cause.format(**words),
                    failure.evidence.format_map(surroundings()),
                    failure.remedy.format(**words),
                    failure.link,
                )
    return None


@functools.cache
def failures() -> tuple[Failure, ...]:
    """Return the known failures in the order in which they are tried."""
    data = tomllib.loads(DATA.read_text("utf-8"))
    return tuple(
        Failure(
            entry["id"],
            re.compile(entry["find"]),
            () if entry.get("anywhere") else tuple(entry.get("in", data["packages"])),
            *(entry[name] for name in ("cause", "evidence", "remedy", "link", "example")),
        )
        for entry in data["failure"]
    )


def surroundings() -> dict[str, str]:
    """Return what an entry's evidence may quote: versions, settings, each in words."""
    found = packages.packages().value or {}
    loaded = packages.loaded().value or {}
    names = ("theano", "lasagne", "keras", "pymc3", "arviz", "matplotlib", "pygpu", "jax", "six")
    facts = {name: _version(name, loaded, found) for name in (*names, "mkl", "torch", "numpy")}
    theano = live.imported()
    wanted = ("device", "floatX", "cxx", "compiledir", "blas.ldflags")
    config = live.values(theano, wanted) if theano is not None else {}
    for name in wanted:
        # A brace may not stand in a field's name with a dot.
        facts[name.rpartition(".")[2]] = f"{name}={config[name]}" if name in config else ""
    facts["cxx"] = facts["cxx"] or f"g++ on PATH: {shutil.which('g++') or 'none'}"
    facts["compiledir"] = facts["compiledir"] or "compiled code is kept in ~/.theano"
    flags = f"THEANO_FLAGS={os.environ.get('THEANO_FLAGS', '')}"
    for name in ("device", "floatX", "blas.ldflags"):
        set_to = re.search(rf"(?:^|,)\s*{re.escape(name)}=([^,]*)", flags.partition("=")[2])
        short = name.rpartition(".")[2]
        facts[short] = facts[short] or (f"{name}={set_to[1]}" if set_to else f"{name} is not set")
    environment = ("KERAS_BACKEND", "XLA_PYTHON_CLIENT_PREALLOCATE")
    return {
        **facts,
        **{name: os.environ.get(name, "(not set)") for name in environment},
        "flags": flags,
        "python": f"Python {sys.version.split()[0]}",
        "recursion_limit": str(sys.getrecursionlimit()),
    }


def _version(name: str, loaded: dict[str, str], found: dict[str, str]) -> str:
    version = loaded.get(name)
    if version in {None, "unknown"}:
        version = found.get(name)
    return f"{name} {version}" if version else f"no {name}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and those that it came from, as a traceback shows them."""
    current: BaseException | None = error
    for _ in range(_CHAIN):
        if current is None:
            return
        yield current
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST]
    except Exception:  # noqa: BLE001  # an exception may fail at saying what it is
        return ""


def _seen(chain: tuple[BaseException, ...]) -> tuple[set[str], str]:
    """Return the modules of all frames of the tracebacks, and their source lines."""
    modules: set[str] = set()
    lines: list[str] = []
    for error in chain:
        entry = error.__traceback__
        while entry is not None:
            frame = entry.tb_frame
            modules.add(str(frame.f_globals.get("__name__", "")))
            lines.append(_line(frame.f_code.co_filename, entry.tb_lineno, frame.f_globals))
            entry = entry.tb_next
    return modules, "\n".join(lines)


def _line(name: str, number: int | None, scope: dict[str, Any]) -> str:
    return linecache.getline(name, number, scope) if number else ""


def _is_there(places: tuple[str, ...], modules: set[str], sources: str) -> bool:
    if not places:
        return True
    names = tuple(f"{place}." for place in places)
    if any(f"{module}.".startswith(names) for module in modules):
        return True
    either = "|".join(map(re.escape, places))
    named = rf"\b(?:import|from)\s+(?:{either})\b|\b(?:{either})\.\w"
    return re.search(named, sources) is not None
