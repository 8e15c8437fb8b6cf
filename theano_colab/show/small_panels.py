"""The panels of one table or one problem: flags, an error, the list of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from theano_colab.show.panel import (
    Block,
    Bundle,
    Cell,
    Headline,
    Notes,
    Panel,
    Problem,
    Table,
    bundle,
    cell,
)
from theano_colab.show.units import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from theano_colab.errors import TheanoColabError


class Setting(Protocol):
    """One flag of Theano: its dotted name, its value as text, and where the value came from."""

    @property
    def name(self) -> str:
        """Return the dotted name: "blas.ldflags"."""

    @property
    def value(self) -> str:
        """Return the value as THEANO_FLAGS would spell it."""

    @property
    def origin(self) -> str:
        """Return where it was set: "THEANO_FLAGS", "/root/.theanorc"."""


def flags_panel(
    settings: Sequence[Setting], notes: Sequence[str] = (), live: Mapping[str, str] | None = None
) -> Bundle:
    """Return the panel of the effective flags.

    ``live`` holds ``theano.config``'s values as text where Theano is imported in this process,
    and is None where it is not. A flag whose live value differs was set too late.
    """
    return bundle(describe_flags(settings, notes, live))


def describe_flags(
    settings: Sequence[Setting], notes: Sequence[str] = (), live: Mapping[str, str] | None = None
) -> Panel:
    """Return what the flags panel says."""
    blocks: list[Block] = []
    late = [s for s in settings if live is not None and _differs(s, live)]
    if late:
        which = "has" if len(late) == 1 else "have"
        text = f"{count(len(late), 'flag')} set after the import of theano {which} no effect"
        blocks.append(Headline("warn", text, "Theano reads its flags once, when it is imported."))
    header = ("Flag", "Value", "Set by") if live is None else ("Flag", "Value", "In use", "Set by")
    rows = tuple(_flag_row(setting, live) for setting in settings)
    if rows:
        blocks.append(Table("", header, rows, source=True))
    else:
        blocks.append(Headline("plain", "No flag is set: Theano uses its defaults"))
    if notes:
        blocks.append(Notes(tuple(notes)))
    imported = "theano is not imported yet" if live is None else "theano is imported"
    return Panel("Theano flags", tuple(blocks), line=imported)


def _differs(setting: Setting, live: Mapping[str, str]) -> bool:
    return setting.name in live and _plain(live[setting.name]) != _plain(setting.value)


def _plain(value: str) -> str | float:
    """Return what a flag's text means: Theano reads "True" and "1", "0.80" and "0.8" alike."""
    word = {"true": "1", "false": "0"}.get(value.strip().lower(), value.strip())
    try:
        return float(word)
    except ValueError:
        return word


def _flag_row(setting: Setting, live: Mapping[str, str] | None) -> tuple[Cell, ...]:
    row = [cell(setting.name, code=True), cell(setting.value, code=True)]
    if live is not None:
        row.append(_live_cell(setting, live))
    return (*row, cell(setting.origin, "muted"))


def _live_cell(setting: Setting, live: Mapping[str, str]) -> Cell:
    if setting.name not in live:
        return cell("not known to theano.config", "muted")
    if not _differs(setting, live):
        return cell("the same", "muted")
    return Cell((live[setting.name], "set after the import: has no effect"), "warn")


def error_panel(error: TheanoColabError) -> Bundle:
    """Return the panel of an error: what went wrong, how that is known, what to do."""
    return bundle(describe_error(error))


def describe_error(error: TheanoColabError) -> Panel:
    """Return what the error panel says."""
    problem = Problem(error.cause, error.evidence, error.remedy)
    return Panel("Theano", (Headline("error", "This did not work"), problem))


def commands_panel(commands: Sequence[tuple[str, str]]) -> Bundle:
    """Return the list of commands, each (what to type, what it does in one line)."""
    return bundle(describe_commands(commands))


def describe_commands(commands: Sequence[tuple[str, str]]) -> Panel:
    """Return what the panel of commands says."""
    rows = tuple((cell(name, code=True), cell(line)) for name, line in commands)
    return Panel("Theano on today's Python", (Table("", ("Command", "What it does"), rows),))
