"""A runtime in a file, so that one machine's facts can be looked at on another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from theano_colab.errors import TheanoColabError
from theano_colab.runtime.model import Runtime

SCHEMA = 1
"""Raised when a record of before can no longer be read as it was meant."""

_KIND = "theano_colab.runtime"


def save(runtime: Runtime, path: str) -> None:
    """Write the record to a file, replacing one that is there.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    Path(path).expanduser().write_text(dumps(runtime), "utf-8")


def dumps(runtime: Runtime) -> str:
    """Return the record as JSON: what it is, the schema's version, and the facts by name."""
    document = {"kind": _KIND, "schema": SCHEMA, "facts": runtime.to_json()}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def load(path: str) -> Runtime:
    """Read what ``save`` wrote; facts that the file does not have are "not recorded".

    Raises
    ------
    TheanoColabError
        If there is no such file, it is no record, or a later release wrote it.
    """
    try:
        text = Path(path).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TheanoColabError(
            "The record cannot be read.",
            f"{path}: {getattr(error, 'strerror', None) or error}",
            "Name a file that `info --record FILE` wrote.",
        ) from None
    try:
        return loads(text)
    except TheanoColabError as error:
        raise TheanoColabError(error.cause, f"{path}: {error.evidence}", error.remedy) from None


def loads(text: str) -> Runtime:
    """Read what ``dumps`` returned; raises as ``load``."""
    remedy = "Record it again there: python -m theano_colab info --record FILE."
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TheanoColabError("That is not the record of a runtime.", str(error), remedy) from None
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        evidence = f"it does not say that it is a {_KIND}"
        raise TheanoColabError("That is not the record of a runtime.", evidence, remedy)
    schema = document.get("schema")
    if schema != SCHEMA:
        raise TheanoColabError(
            "The record was written by another release of theano-colab.",
            f"it has schema {schema!r}, and this release reads {SCHEMA}",
            f"Upgrade theano-colab here, or: {remedy}",
        )
    return _facts(document.get("facts"), remedy)


def _facts(facts: Any, remedy: str) -> Runtime:  # noqa: ANN401  # whatever JSON holds
    damaged = "The record of the runtime is damaged."
    if not isinstance(facts, dict):
        raise TheanoColabError(damaged, "its facts are missing", remedy)
    for name, fact in facts.items():
        whole = isinstance(fact, dict) and isinstance(fact.get("source"), str)
        if not whole or ("value" in fact) == ("missing" in fact):
            raise TheanoColabError(damaged, f"'{name}' is not a fact", remedy)
    try:
        return Runtime.from_json(facts)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        evidence = f"'{error.__notes__[0]}': {error}"
        raise TheanoColabError(damaged, evidence, remedy) from None
