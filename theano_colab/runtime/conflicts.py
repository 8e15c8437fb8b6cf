"""Conflicts: facts of a runtime that cannot hold together, found by rules. Pure.

What a rule says stands in conflicts.toml; when it applies stands in host_rules.py and
cuda_rules.py, in a function that yields the words to fill in and the facts it concluded from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from theano_colab.runtime import cuda_rules, host_rules
from theano_colab.runtime.rules import RULES, Facts, data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theano_colab.runtime.model import Runtime
    from theano_colab.runtime.rules import Setting

__all__ = ["LEVELS", "Conflict", "conflicts", "cuda_rules", "host_rules"]

Level = Literal["error", "warn", "note"]
LEVELS: tuple[Level, ...] = ("error", "warn", "note")
"""Worst first."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Facts that cannot hold together.

    ``evidence`` quotes the facts, each with its source in brackets; ``mended`` says that setup
    mends it by itself.
    """

    id: str
    title: str
    level: Level
    cause: str
    evidence: tuple[str, ...]
    remedy: str
    mended: bool = False


def conflicts(runtime: Runtime, settings: Sequence[Setting] = ()) -> tuple[Conflict, ...]:
    """Return every conflict, worst first.

    ``settings`` are Theano's flags in the order in which Theano reads them (.theanorc, then
    THEANO_FLAGS), so that the last of a name counts. A fact that is missing contradicts nothing.
    """
    facts = Facts(runtime, tuple(settings))
    found = []
    for identifier, text in data()["rule"].items():
        for words, evidence in RULES[identifier](facts):
            found.append(
                Conflict(
                    identifier,
                    text["title"],
                    cast("Level", words.get("level", text["level"])),
                    text["cause"].format(**words),
                    evidence,
                    text["remedy"].format(**words),
                    text.get("mended", False),
                )
            )
    return tuple(sorted(found, key=lambda conflict: LEVELS.index(conflict.level)))
