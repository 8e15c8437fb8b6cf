"""Run the checks in a fresh process, the way a new kernel, a script or a worker meets Theano."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import deque
from typing import TYPE_CHECKING, Any

from theano_colab import children
from theano_colab.errors import TheanoColabError
from theano_colab.verify import process
from theano_colab.verify.battery import Verified

if TYPE_CHECKING:
    from collections.abc import Callable


def run_fresh(
    flags: str,
    *,
    on_line: Callable[[str], None],
    force_device: bool = False,
    time_limit: float = process.TIME_LIMIT_SECONDS,
) -> Verified:
    """Run the checks in a new process with THEANO_FLAGS set to ``flags``.

    ``on_line`` gets each step of the checks and each line that Theano logs meanwhile. With
    ``force_device`` a device that cannot be used is a failure, and the CPU does not take its place.

    Raises
    ------
    TheanoColabError
        If a check fails, Theano raises, or the process dies or outlasts ``time_limit`` (seconds).
    """
    if force_device:
        flags = f"{flags},force_device=True"  # the last of two settings is Theano's
    environment = children.environment(os.environ) | {"THEANO_FLAGS": flags}
    said: deque[str] = deque(maxlen=40)
    events: dict[str, Any] = {}

    def take(line: str) -> None:
        event = _event(line)
        events.update(event)
        if "step" in event:
            on_line(event["step"])
        elif not event and line.strip():
            said.append(line.rstrip())
            on_line(line.strip())

    command = [sys.executable, "-m", "theano_colab.verify.battery"]
    code = process.run(command, environment, take, time_limit)
    if "report" in events and code == 0:
        return Verified(**events["report"])
    if code is None:
        raise TheanoColabError(
            "The check of Theano in a fresh process did not end.",
            f"stopped after {time_limit:.0f} s, at: {events.get('step', 'start of Python')}",
            "Run %theano setup again; if it stays so, restart the runtime first.",
        )
    raise _explain(events, code, said)


def _event(line: str) -> dict[str, Any]:
    """Read one line of the checks' own; anything else that a process may print is no event."""
    if not line.startswith("{"):
        return {}
    try:
        event = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return event if isinstance(event, dict) else {}


def _explain(events: dict[str, Any], code: int, said: deque[str]) -> TheanoColabError:
    """Turn what the process left into cause, evidence, remedy."""
    failure = events.get("failure")
    step = events.get("step", "starting Python")
    last = next((line for line in reversed(said) if line.strip()), "no output")
    if failure is None and code < 0:
        name = signal.Signals(-code).name
        return TheanoColabError(
            f"The process that checks Theano was killed while {step}.",
            f"signal {name}; last line: {last}",
            "Free memory (restart the runtime), then run %theano setup again.",
        )
    if failure is None:
        return TheanoColabError(
            f"The process that checks Theano ended while {step}.",
            f"exit code {code}; last line: {last}",
            "Run %theano setup again; the whole output: python -m theano_colab.verify.battery",
        )
    if failure["type"] == "CheckFailed":
        return TheanoColabError(
            "Theano is installed, but a result is wrong.",
            failure["message"],
            "Do not trust its numbers here. Try %theano setup with THEANO_FLAGS='blas.ldflags=' "
            "(NumPy's own routines), and report this.",
        )
    if failure["message"].startswith("device="):
        device, _, why = failure["message"].partition(": ")
        return TheanoColabError(
            f"Theano cannot use {device}.",
            why[:300] or last,
            "Run %theano setup --device cpu, or mend what the line above says.",
        )
    full = any("No space left on device" in line for line in said)
    if full:
        return TheanoColabError(
            "The disk is full: Theano could not write its compiled code.",
            f"{failure['type']}: {failure['message']}"[:200],
            "Free some space, then run %theano setup again.",
        )
    return TheanoColabError(
        f"Theano failed while {step}.",
        f"{failure['type']}: {failure['message']}"[:300],
        "The whole traceback: python -m theano_colab.verify.battery",
    )
