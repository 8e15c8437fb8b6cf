"""Which flags Theano 1.0.5 knows, which values they take, and what older flags have become."""

from __future__ import annotations

import difflib
import fnmatch
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """What an obsolete setting says today.

    ``name`` is a shell pattern, ``value`` a regular expression for the whole value, ``becomes``
    maps present names to replacement templates (empty: nothing left to set), ``why`` is a sentence
    with the fields ``{old}`` and ``{new}``.
    """

    name: str
    becomes: tuple[tuple[str, str], ...]
    why: str
    value: str = ".*"


@dataclass(frozen=True, slots=True)
class Translation:
    """A rule applied: the settings that replace the old one, and the sentence for the user."""

    becomes: tuple[tuple[str, str], ...]
    why: str


def is_known(name: str) -> bool:
    """Say whether Theano 1.0.5, or the port of it, has registered a flag of this name."""
    return name in _kinds()


def known_names() -> frozenset[str]:
    """Return the name of every flag that Theano 1.0.5 has registered."""
    return frozenset(_kinds())


def is_removed(name: str) -> bool:
    """Say whether Theano 1.0.5 still registers the flag, only to stop at any value but ""."""
    return _kinds().get(name) == "removed"


def same_but_for_case(name: str) -> str | None:
    """Return the known flag that differs from ``name`` in upper and lower case only."""
    folded = name.casefold()
    return next((k for k in _kinds() if k != name and k.casefold() == folded), None)


def closest(name: str) -> str | None:
    """Return the known flag that ``name`` was probably meant to be, or None."""
    found = difflib.get_close_matches(name, _kinds(), n=1, cutoff=0.75)
    return same_but_for_case(name) or (found[0] if found else None)


def problem(name: str, value: str) -> tuple[str, str] | None:
    """Return cause and remedy where the flag takes the value neither as it is nor translated."""
    wanted = _expected(name, value)
    if wanted is None or translate(name, value):
        return None
    near = _closest_value(name, value)
    remedy = f"{name} takes {wanted}" if near is None else f"did you mean {name}={near}?"
    return f"{name} takes {wanted}; it is set to '{value}'.", remedy


def translate(name: str, value: str) -> Translation | None:
    """Apply the first rule for obsolete flags that matches; None where none does."""
    for rule in _rules():
        match = re.fullmatch(rule.value, value, re.DOTALL)
        if match and fnmatch.fnmatchcase(name, rule.name):
            becomes = tuple((new, match.expand(template)) for new, template in rule.becomes)
            new = " and ".join(f"{n}={v}" for n, v in becomes)
            return Translation(becomes, rule.why.format(old=f"{name}={value}", new=new))
    return None


def _expected(name: str, value: str) -> str | None:
    """Return None when Theano takes the value, else words for what it takes instead."""
    kind = _kinds().get(name, "text")
    if isinstance(kind, tuple):
        return None if value in kind else "one of " + ", ".join(kind)
    return None if _accepts(kind, value) else _WORDS[kind]


def _closest_value(name: str, value: str) -> str | None:
    """Return the value that was probably meant, or None where nothing is near."""
    kind = _kinds().get(name, "text")
    bare = value.strip()
    if _expected(name, bare) is None:
        return bare
    if kind == "device":
        number = re.search(r"\d+", bare)
        return "cpu" if bare.casefold() == "cpu" else "cuda" + (number[0] if number else "")
    choices = kind if isinstance(kind, tuple) else ("True", "False") if kind == "bool" else ()
    folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(bare.casefold(), folded, n=1)
    return folded[near[0]] if near else None


def _parses(kind: type[int | float], value: str) -> bool:
    try:
        kind(value)
    except ValueError:
        return False
    return True


def _accepts(kind: str, value: str) -> bool:
    """Say whether a value is of a type, as Theano's own filters do.

    Devices are stricter than Theano's filter, which takes anything that starts with "cuda" and
    fails later; "xla" is the port's own.
    """
    match kind:
        case "bool":
            return value in {"True", "true", "1", "False", "false", "0"}
        case "int":
            return _parses(int, value)
        case "float":
            return _parses(float, value)
        case "device":
            return bool(re.fullmatch(r"|cpu|xla[0-9]*|cuda[0-9]*|opencl[0-9]+:[0-9]+", value))
        case "removed":
            return not value
        case _:
            return True


_WORDS = {
    "bool": "True or False",
    "int": "a whole number",
    "float": "a number",
    "device": "cpu, cuda, cuda0, cuda1 ... or xla",
    "removed": "nothing: the flag was removed",
}


@cache
def _kinds() -> dict[str, str | tuple[str, ...]]:
    """Map each known flag to its type, or to the tuple of its choices."""
    data = _data("known_flags.toml")
    kinds: dict[str, str | tuple[str, ...]] = {
        name: kind for kind, names in data["types"].items() for name in names
    }
    return kinds | {name: tuple(choices) for name, choices in data["choices"].items()}


@cache
def _rules() -> tuple[Rule, ...]:
    return tuple(
        Rule(**(entry | {"becomes": tuple(entry["becomes"].items())}))
        for entry in _data("obsolete.toml")["rule"]
    )


def _data(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))
