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
    flat = _ESCAPES.sub("", text).replace("\r\n", "\n")
    return "".join(
        " " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c
        for c in flat
        if c not in _BIDI and unicodedata.category(c) != "Cs"
    ).strip()


def gibibytes(count: int) -> str:
    """Return a number of bytes in GiB (2**30), or in MiB below one GiB."""
    return f"{count / _GIB:.1f} GiB" if count >= _GIB else f"{count / _MIB:.0f} MiB"


def elapsed(seconds: float) -> str:
    """Return wall time to a tenth of a second; above a minute in minutes and seconds."""
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def duration(seconds: float) -> str:
    """Return a measured time with three significant digits, in s, ms, µs or ns."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= 0.9995 * scale:
            return f"{three(seconds / scale)} {unit}"
    return f"{three(seconds / 1e-9)} ns"


def three(number: float) -> str:
    """Return a number with three significant digits, never in scientific notation: 1230, 1.23."""
    if number == 0:
        return "0"
    decimals = 2
    for bound in (9.995, 99.95):
        decimals -= abs(number) >= bound
    return f"{float(f'{number:.3g}'):,.{decimals}f}" if abs(number) >= 1 else f"{number:.3g}"


def count(number: int, singular: str, plural: str = "") -> str:
    """Return "1 step", "2 steps"."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
