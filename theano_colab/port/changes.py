"""The rules of a further flavour: those of the first one, but for what its text has otherwise.

A file of changes has, beside ``[[rule]]``:

- ``[moved]``: old path = its path in this flavour, for the ``files`` of all rules.
- ``[without]``: id of a rule that has nothing to change here = why not.

A ``[[rule]]`` with the id of one of the first flavour's names only what differs from that one; any
other is a rule of this flavour alone, and is whole.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from theano_colab.port.rewrite import Rule, RuleError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def change(rules: Iterable[Rule], folder: Path) -> tuple[Rule, ...]:
    """Return ``rules`` with the changes of every ``*.toml`` in ``folder``; new rules come last.

    Raises
    ------
    RuleError
        If a change names a rule that is not there, has a key that no rule has, or changes nothing.
    """
    moved: dict[str, str] = {}
    without: dict[str, str] = {}
    entries: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        moved |= data.get("moved", {})
        without |= data.get("without", {})
        for entry in data.get("rule", []):
            if entries.setdefault(entry["id"], entry) is not entry:
                raise RuleError(f"{path.name}: the id {entry['id']!r} is taken")
    result = {}
    for rule in rules:
        if without.pop(rule.id, None) is None:
            base = asdict(rule) | {"files": tuple(moved.get(file, file) for file in rule.files)}
            result[rule.id] = _rule(base | entries.pop(rule.id, {}))
    if without:
        raise RuleError(f"{folder.name}: no rule {', '.join(without)} to leave out")
    new = (_rule(entry) for entry in entries.values())
    return (*result.values(), *new)


def _rule(entry: dict[str, Any]) -> Rule:
    try:
        return Rule(**{**entry, "files": tuple(entry["files"])})
    except (KeyError, TypeError) as error:
        raise RuleError(f"{entry['id']}: {error}") from error
