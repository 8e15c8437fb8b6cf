"""THEANO_FLAGS and .theanorc: read as Theano reads them, merged, translated, written back."""

from __future__ import annotations

import configparser
import io
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from theano_colab.errors import TheanoColabError
from theano_colab.plan import vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHOWN = 76  # columns of the user's text that an error quotes
_VARIABLES = ("USER", "LSCRATCH", "TMPDIR", "TEMP", "TMP")  # what a .theanorc may refer to


class FlagsError(TheanoColabError):
    """Flags that Theano could not read, or would not read as they were meant.

    ``column`` (counted from 1) is where in THEANO_FLAGS, ``line`` where in a .theanorc; each is
    None where it does not apply. The evidence quotes the place, THEANO_FLAGS with a caret.
    """

    def __init__(
        self,
        cause: str,
        evidence: str,
        remedy: str,
        *,
        column: int | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(cause, evidence, remedy)
        self.column = column
        self.line = line


@dataclass(frozen=True, slots=True)
class Setting:
    """One flag: its dotted name, its value as text, and where it was set.

    ``origin`` is "THEANO_FLAGS", the path of a .theanorc, or what a caller names.
    """

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Flags:
    """Settings, each name once, in the order in which they were first set."""

    settings: tuple[Setting, ...] = ()

    @classmethod
    def parse(cls, text: str, origin: str = "THEANO_FLAGS") -> Flags:
        """Read the text of THEANO_FLAGS: ``name=value`` items between commas, quoted as in a shell.

        The later of two settings wins, blanks around an item are dropped, ``#`` outside quotes
        hides the rest of the line, exactly as in Theano (theano/configparser.py). Names that Theano
        does not know are kept, since it passes over them too.

        Raises
        ------
        FlagsError
            What stops Theano's import (an unclosed quote, a value that a flag does not take), and
            what Theano would silently pass over though it was meant (blanks before ``=``, no
            ``=``, ``;`` for ``,``, a known name in the wrong case).
        """
        settings: dict[str, Setting] = {}
        for start, item in _items(text, origin):
            name, value = _split(text, start, item, origin)
            settings[name] = Setting(name, value, origin)
        return cls(tuple(settings.values()))

    @classmethod
    def from_theanorc(
        cls, texts: Mapping[str, str], variables: Mapping[str, str] | None = None
    ) -> Flags:
        """Read .theanorc files, given as path and text, in Theano's order: a later file wins.

        ``[global]`` holds the flags without a dot, ``[dnn.conv]`` the flags ``dnn.conv.*``. Option
        names ignore case, section names do not. ``%(USER)s`` and the like are filled in from
        ``variables`` (the environment); a value that cannot be filled in is taken as it stands. An
        option with a dot in its own name is passed over, as Theano does; where it stands in
        ``[global]`` its name here begins with "global.", so that ``translate`` can say so.

        Raises
        ------
        FlagsError
            Naming file and line: not an INI file, or a value that the flag does not take.
        """
        given = variables or {}
        whole = configparser.ConfigParser({k: given[k] for k in _VARIABLES if k in given})
        places: dict[tuple[str, str], str] = {}
        defaults: dict[str, str] = {}
        for path, text in texts.items():
            for parser in (whole, own := configparser.RawConfigParser()):
                _read_ini(parser, path, text)
            defaults |= dict.fromkeys(own.defaults(), path)
            for section in own.sections():
                places |= {(section, option): path for option in own.options(section)}
        everywhere = {(s, option): at for s in whole.sections() for option, at in defaults.items()}
        known = {_place(name): name for name in vocabulary.known_names()}
        settings = []
        for (section, option), path in (everywhere | places).items():
            name = known.get((section, option)) or _unknown_name(section, option)
            if name is None:
                continue
            try:
                value = whole.get(section, option).rstrip()
            except configparser.InterpolationError:
                value = whole.get(section, option, raw=True).rstrip()
            _check_in_file(name, value, path, texts[path])
            settings.append(Setting(name, value, path))
        return cls(tuple(settings))

    def merge(self, over: Flags) -> Flags:
        """Return these settings with those of ``over`` on top of them."""
        merged = {setting.name: setting for setting in self.settings}
        merged.update({setting.name: setting for setting in over.settings})
        return Flags(tuple(merged.values()))

    def setting(self, name: str) -> Setting | None:
        """Return the setting of this name, or None."""
        return next((s for s in self.settings if s.name == name), None)

    def get(self, name: str) -> str | None:
        """Return the value set for this name, or None."""
        found = self.setting(name)
        return None if found is None else found.value

    def with_setting(self, name: str, value: str, origin: str) -> Flags:
        """Return these settings and one more (blanks at the end of a value do not count)."""
        return self.merge(Flags((Setting(name, value.rstrip(), origin),)))

    def without(self, name: str) -> Flags:
        """Return these settings but the one of this name."""
        return Flags(tuple(s for s in self.settings if s.name != name))

    def text(self) -> str:
        """Write the settings as THEANO_FLAGS, quoted where needed; ``parse`` reads them back."""
        return ",".join(f"{s.name}={_quoted(s.value)}" for s in self.settings)

    def translate(self) -> tuple[Flags, tuple[str, ...]]:
        """Put obsolete settings in today's words.

        Returns the translated flags and a sentence for each setting that was translated, left out,
        or is unknown to Theano (those are kept; Theano passes over them). A present flag that was
        set explicitly is never overwritten by a translation.
        """
        translated: dict[str, Setting] = {}
        notes: list[str] = []
        explicit = {s.name for s in self.settings if not vocabulary.translate(s.name, s.value)}
        for setting in self.settings:
            translation = vocabulary.translate(setting.name, setting.value)
            if translation is None:
                translated[setting.name] = setting
                notes += _unknown_note(setting.name)
                continue
            notes.append(translation.why)
            for name, value in translation.becomes:
                if name not in explicit:
                    translated[name] = Setting(name, value, setting.origin)
        return Flags(tuple(translated.values())), tuple(notes)


def _items(text: str, origin: str) -> Iterator[tuple[int, str]]:
    """Yield where each item starts and its unquoted text: Theano's shlex settings, with places."""
    stream = io.StringIO(text)
    lexer = shlex.shlex(stream, posix=True)
    lexer.whitespace = ","
    lexer.whitespace_split = True
    while True:
        skipped = re.compile(r"(?:[,\s]|#.*\n)*").match(text, stream.tell())
        start = skipped.end() if skipped else 0
        try:
            item = lexer.get_token()
        except ValueError as error:
            raise _unfinished(text, start, origin, str(error)) from error
        if item is None:
            return
        if item.strip():
            yield start, item.strip()


def _split(text: str, start: int, item: str, origin: str) -> tuple[str, str]:
    """Split an item at its first ``=`` and check both sides."""
    name, equals, value = item.partition("=")
    if not equals:
        near = vocabulary.closest(name)
        hint = f"write {near}=..." if near else "write name=value, or take it out"
        raise _error(f"'{item}' in {origin} has no value.", text, start, origin, hint)
    if not name or re.search(r"\s", name):
        hint = f"write {''.join(name.split())}={value.strip()}" if name.strip() else "name the flag"
        where = start + len(name.rstrip())
        cause = f"'{item}' in {origin} has a blank in the flag's name, so Theano passes over it."
        cause = cause if name else f"'{item}' in {origin} does not name a flag."
        raise _error(cause, text, where, origin, hint)
    if separator := _wrong_separator(value):
        where = text.find(separator[0], start)
        cause = f"Settings in {origin} are separated by commas, without blanks."
        fixed = f"{name}={value[: separator.start()].rstrip()},{separator['rest']}"
        raise _error(cause, text, max(where, start), origin, f"write {fixed}")
    meant = vocabulary.same_but_for_case(name)
    if meant and not vocabulary.is_known(name):
        raise _error(
            f"Theano knows no flag '{name}'.", text, start, origin, f"did you mean {meant}={value}?"
        )
    if problem := vocabulary.problem(name, value):
        plain = text.startswith(f"{name}=", start)
        raise _error(problem[0], text, start + (len(name) + 1 if plain else 0), origin, problem[1])
    return name, value


def _wrong_separator(value: str) -> re.Match[str] | None:
    """Find a ``;`` or a blank after which another known flag is set."""
    for match in re.finditer(r"(?:;|\s)\s*(?P<rest>(?P<name>[\w.]+)\s*=.*)", value, re.DOTALL):
        if vocabulary.is_known(match["name"]) or vocabulary.same_but_for_case(match["name"]):
            return match
    return None


def _error(cause: str, text: str, at: int, origin: str, hint: str) -> FlagsError:
    """Build the error that quotes the line around ``at`` with a caret under it."""
    begin = max(text.rfind("\n", 0, at) + 1, at - _SHOWN // 2)
    shown = text[begin : begin + _SHOWN].partition("\n")[0]
    line = re.sub(r"[^\S ]|[^\w\s!-~]", " ", shown)
    evidence = f"column {at + 1} of {origin}:\n    {line}\n    {' ' * (at - begin)}^"
    remedy = f"Correct {origin}: {hint}"
    return FlagsError(cause, evidence, remedy, column=at + 1)


def _unfinished(text: str, start: int, origin: str, reason: str) -> FlagsError:
    if "quotation" not in reason:
        return _error(
            f"{origin} ends in a backslash.", text, len(text) - 1, origin, "take the backslash out"
        )
    first = re.compile(r"[\"']").search(text, start)
    where = first.start() if first else start
    mark = text[where : where + 1]
    return _error(
        f"A quote in {origin} is not closed.", text, where, origin, f"put {mark} after the value"
    )


def _quoted(value: str) -> str:
    """Quote a value that shlex would otherwise cut, join or shorten."""
    if not re.search(r"[,#'\"\\]", value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read_ini(parser: configparser.RawConfigParser, path: str, text: str) -> None:
    try:
        parser.read_string(text, source=path)
    except configparser.Error as error:
        rows = getattr(error, "errors", None)
        line = rows[0][0] if rows else getattr(error, "lineno", None)
        shown = text.split("\n")[line - 1].strip() if line else str(error)
        if isinstance(error, configparser.MissingSectionHeaderError):
            remedy = f"Put a line with [global] at the top of {path}"
        elif isinstance(
            error, configparser.DuplicateOptionError | configparser.DuplicateSectionError
        ):
            remedy = f"Take the second one out of {path}"
        else:
            remedy = f"Write 'name = value' there, or take the line out of {path}"
        cause = f"{path} cannot be read; Theano's import would stop at it."
        raise FlagsError(cause, f"line {line}: {shown}", remedy, line=line) from error


def _place(name: str) -> tuple[str, str]:
    """Return section and option under which Theano looks a flag up in a .theanorc."""
    section, _, option = name.rpartition(".")
    return section or "global", option.lower()


def _unknown_name(section: str, option: str) -> str | None:
    """Name an option that Theano does not look up; None for what could not be a flag at all."""
    if not re.fullmatch(r"[\w.]+", section) or not re.fullmatch(r"[\w.]+", option):
        return None
    if "." in option:
        return f"global.{option}" if section == "global" else None
    return option if section == "global" else f"{section}.{option}"


def _check_in_file(name: str, value: str, path: str, text: str) -> None:
    problem = vocabulary.problem(name, value)
    if problem is None:
        return
    option = re.escape(name.rpartition(".")[2])
    pattern = re.compile(rf"^\s*{option}\s*[=:]", re.IGNORECASE)
    lines = text.split("\n")
    line = next((n for n, row in enumerate(lines, 1) if pattern.match(row)), None)
    shown = f"line {line}: {lines[line - 1].strip()}" if line else f"{name} = {value}"
    raise FlagsError(problem[0], f"{path}, {shown}", f"Correct {path}: {problem[1]}", line=line)


def _unknown_note(name: str) -> list[str]:
    """Say that Theano passes over a flag, and what was probably meant."""
    if vocabulary.is_known(name):
        return []
    bare = name.removeprefix("global.")
    if bare != name and vocabulary.is_known(bare):
        section, _, option = bare.rpartition(".")
        return [f"Theano passes over {bare} under [global]: write {option} under [{section}]."]
    near = vocabulary.closest(name)
    return [
        f"Theano knows no flag {name} and passes over it"
        + (f"; did you mean {near}?" if near else ".")
    ]
