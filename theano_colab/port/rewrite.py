"""Rewrite rules: data that says what to find in a pinned text, what to put, and why.

A rule matches an exact number of times or no wheel is built: the text, Theano's or a library's, is
pinned, so another count means that a rule is wrong.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab.errors import TheanoColabError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RULES = Path(__file__).parent / "rules"


class RuleError(TheanoColabError):
    """A rule that is malformed or that did not match as often as it says: a mistake of ours."""

    def __init__(self, evidence: str) -> None:
        super().__init__(
            "theano-colab's rules do not fit the text that they are for.",
            evidence,
            "This is an error of theano-colab. Install its newest version, or report this text.",
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One change to the text.

    Parameters
    ----------
    id
        Its name, unique among all rules.
    why
        Which change of Python, NumPy, SciPy or the compiler it answers.
    files
        Patterns (fnmatch, where "*" also crosses "/") of paths such as "theano/gof/cmodule.py".
        Each must name at least one file.
    find
        A regular expression (``re.MULTILINE``), or plain text when ``literal``.
    replace
        What to put: a template as in ``re.sub``, or plain text when ``literal``.
    count
        The number of matches, all files together.
    """

    id: str
    why: str
    files: tuple[str, ...]
    find: str
    replace: str
    count: int
    literal: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression that finds the text."""
        return re.compile(re.escape(self.find) if self.literal else self.find, re.MULTILINE)


def load_rules(folder: Path = RULES) -> tuple[Rule, ...]:
    """Read every rule of every ``*.toml`` in ``folder``, in file name order.

    Raises
    ------
    RuleError
        As ``read_rules``.
    """
    return read_rules(sorted(folder.glob("*.toml")))


def read_rules(paths: Iterable[Path]) -> tuple[Rule, ...]:
    """Read every rule of these files, in their order.

    Raises
    ------
    RuleError
        If a rule lacks a key, has one too many, or takes an id that is taken.
    """
    rules: dict[str, Rule] = {}
    for path in paths:
        for entry in tomllib.loads(path.read_text("utf-8")).get("rule", []):
            try:
                rule = Rule(**{**entry, "files": tuple(entry["files"])})
            except (KeyError, TypeError) as error:
                raise RuleError(f"{path.name}: {entry.get('id', '?')}: {error}") from error
            if rule.id in rules:
                raise RuleError(f"{path.name}: the id {rule.id!r} is taken")
            rules[rule.id] = rule
    return tuple(rules.values())


def apply_rules(tree: Mapping[str, bytes], rules: tuple[Rule, ...]) -> dict[str, bytes]:
    """Return ``tree`` (path -> content) with every rule applied, one after the other.

    Raises
    ------
    RuleError
        Naming every rule whose count is not met, with the count found.
    """
    result = dict(tree)
    wrong: list[str] = []
    for rule in rules:
        found = 0
        for path in _matching(result, rule, wrong):
            text = result[path].decode("utf-8")
            replacement = rule.replace.replace("\\", r"\\") if rule.literal else rule.replace
            text, number = rule.pattern.subn(replacement, text)
            if number:
                result[path] = text.encode("utf-8")
                found += number
        if found != rule.count:
            wrong.append(f"{rule.id}: {found} matches, {rule.count} expected")
    if wrong:
        raise RuleError("; ".join(wrong))
    return result


def _matching(tree: Mapping[str, bytes], rule: Rule, wrong: list[str]) -> Iterator[str]:
    """Yield the paths the rule names, each once, and note a pattern that names none."""
    seen: set[str] = set()
    for pattern in rule.files:
        paths = {path for path in tree if fnmatchcase(path, pattern)}
        if not paths:
            wrong.append(f"{rule.id}: no file {pattern}")
        yield from paths - seen
        seen |= paths
