"""What to say of THEANO_FLAGS that were set too late: what happened, and what to do.

Theano reads THEANO_FLAGS once, as it is imported. What is set afterwards does nothing, without a
word.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from theano_colab import live

_FLAGS = "THEANO_FLAGS"

# The text that was told about last: once is enough.
_told: str | None = None


def news() -> tuple[str, ...]:
    """Return ``lines`` when THEANO_FLAGS is another than at the last call, else nothing."""
    global _told  # noqa: PLW0603  # one environment per process, so one memory of it
    text = os.environ.get(_FLAGS)
    if text == _told:
        return ()
    _told = text
    return lines() or ()


def lines() -> tuple[str, str, str] | None:
    """Return cause, evidence and remedy if THEANO_FLAGS asks for what is not so, else None."""
    text, theano = os.environ.get(_FLAGS, ""), live.imported()
    if theano is None or text in {_read_by(theano), _written_by_setup()}:
        return None
    from theano_colab.plan.flags import Flags

    flags, _ = Flags.parse(text).translate()
    wanted = {setting.name: setting.value for setting in flags.settings}
    late = [one for one in live.differences(theano, wanted) if not _is_first_gpu(one)]
    if not late:
        return None
    asked = ", ".join(f"{one.name}={one.wanted}" for one in late)
    so = ", ".join(f"theano.config.{one.name} is {one.live}" for one in late)
    return (
        f"THEANO_FLAGS was set after the import of theano, which reads it: {asked} did nothing.",
        f"  evidence: {so}; {_FLAGS}={text}",
        "  remedy:   Run %theano setup: it sets in this kernel what can be set, and says what "
        "cannot. Or restart the kernel and set THEANO_FLAGS before the first import theano.",
    )


def _read_by(theano: Any) -> str:  # noqa: ANN401  # Theano has no types
    """Return THEANO_FLAGS as Theano's import found it."""
    return str(getattr(sys.modules.get(f"{theano.__name__}.configparser"), _FLAGS, ""))


def _written_by_setup() -> str | None:
    """Return THEANO_FLAGS as ``%theano setup`` wrote it, which also set what could be set."""
    session = sys.modules.get("theano_colab.session")
    return None if session is None else session.written_flags()


def _is_first_gpu(one: live.Difference) -> bool:
    """Tell whether both values name the first GPU: "cuda" and "cuda0"."""
    return one.name == "device" and {one.live, one.wanted} == {"cuda", "cuda0"}
