"""A Theano that this process has imported already: its settings, and which can still change."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """A flag whose live value is not the wanted one. ``error`` is why it could not be set live."""

    name: str
    live: str
    wanted: str
    error: str | None = None


def imported() -> Any | None:  # noqa: ANN401  # Theano has no types
    """Return the theano module of this process, or None."""
    theano = sys.modules.get("theano")
    return theano if hasattr(theano, "config") else None


def forget_broken_import() -> tuple[str, ...]:
    """Drop what a failed ``import theano`` left in ``sys.modules``; return the names.

    Python removes the package that failed, not the submodules that were imported before it failed.
    They belong to the broken Theano (and hold its flags): the next import would pick them up.
    """
    if imported() is not None:
        return ()
    left = [name for name in sys.modules if name == "theano" or name.startswith("theano.")]
    for name in left:
        del sys.modules[name]
    return tuple(left)


def values(theano: Any, names: tuple[str, ...]) -> dict[str, str]:  # noqa: ANN401
    """Return the live values of those flags that Theano knows, as text."""
    known = {}
    for name in names:
        try:
            known[name] = str(_get(theano, name))
        except AttributeError:
            continue
    return known


def differences(theano: Any, wanted: dict[str, str]) -> tuple[Difference, ...]:  # noqa: ANN401
    """Return the flags whose live value differs from the wanted text.

    Values are compared as Theano's own parsers see them: "True" and "1" are the same flag.
    """
    live = values(theano, tuple(wanted))
    return tuple(
        Difference(name, live[name], wanted[name])
        for name in live
        if not _same(live[name], wanted[name])
    )


def set_live(theano: Any, difference: Difference) -> Difference:  # noqa: ANN401
    """Set one flag in the running Theano; the answer carries ``error`` where Theano refuses."""
    *sections, option = difference.name.split(".")
    try:
        setattr(_get(theano, ".".join(sections)), option, _parsed(difference.wanted))
    except Exception as error:  # noqa: BLE001  # Theano raises bare Exception here
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return Difference(difference.name, difference.live, difference.wanted, reason)
    now = str(_get(theano, difference.name))
    if not _same(now, difference.wanted):  # a device that is not there: the log says why
        return Difference(difference.name, difference.live, difference.wanted, f"it stays {now}")
    return difference


def _get(theano: Any, name: str) -> Any:  # noqa: ANN401
    value = theano.config
    for part in filter(None, name.split(".")):
        value = getattr(value, part)
    return value


def _parsed(text: str) -> str | bool:
    return {"true": True, "false": False}.get(text.lower(), text)


def _same(live: str, wanted: str) -> bool:
    truth = {"1": "true", "0": "false"}
    a, b = live.strip().lower(), wanted.strip().lower()
    if truth.get(a, a) == truth.get(b, b):
        return True
    try:
        return float(a) == float(b)
    except ValueError:
        return False
