"""Numbers as people read them: bytes in GiB, seconds with the unit that fits."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_GIB: Final = 2**30
_MIB: Final = 2**20
_MINUTE: Final = 60.0
# A terminal's own language: colours and cursor moves in a program's output (ECMA-48).
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
# Characters that turn the direction of the text round them (Unicode TR 9).
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    """Return one line without control characters; what others wrote may hold any."""
    return _printable(text).strip()


def clean_lines(text: str) -> list[str]:
    """Return the lines of a text, at least one, without control characters; indentation stays."""
    return [_printable(line).rstrip() for line in text.strip("\n").split("\n")]


def _printable(text: str) -> str:
    return "".join(
        " " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c
        for c in _ESCAPES.sub("", text)
        if c not in _BIDI and unicodedata.category(c) != "Cs"
    )


def gibibytes(count: int) -> str:
    """Return a number of bytes in GiB (2**30), or in MiB below one GiB."""
    mib = round(count / _MIB)
    return f"{count / _GIB:.1f} GiB" if mib >= _GIB // _MIB else f"{mib} MiB"


def elapsed(seconds: float) -> str:
    """Return wall time to a tenth of a second; above a minute in minutes and seconds."""
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def duration(seconds: float, half_width: float | None = None) -> str:
    """Return a measured time with three significant digits, in s, ms, µs or ns: "10.9 ms".

    With a half-width, in the same unit and to the same decimals: "10.9 ± 0.1 ms".
    """
    scales = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
    unit, scale = next((u for u in scales if seconds >= 0.9995 * u[1]), scales[-1])
    if half_width is None:
        return f"{three(seconds / scale)} {unit}"
    decimals = _decimals(seconds / scale)
    return f"{three(seconds / scale)} ± {half_width / scale:.{decimals}f} {unit}"


def times(ratio: float) -> str:
    """Return a ratio as people say it: "49.1", "2.71", and below one "0.4", "0.069"."""
    return three(ratio) if ratio >= 1 else f"{ratio:.2g}"


def three(number: float) -> str:
    """Return a number with three significant digits, never in scientific notation: 1,230, 0.00123.

    A number of more than three digits keeps them all: 1,234.
    """
    return f"{number:,.{_decimals(number)}f}"


def _decimals(number: float) -> int:
    """Return how many decimals show three significant digits, counted after rounding to three."""
    if number == 0:
        return 0
    return max(0, 2 - int(f"{number:.2e}".partition("e")[2]))


def count(number: int, singular: str, plural: str = "") -> str:
    """Return "1 step", "2 steps"."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
