"""Asks a question in a process of its own, with a time limit: a driver can block, a stub can crash.

A thread could be left behind just as well, but not stopped; and a library that crashes, or that
leaves its state in the process, would do so in the user's kernel.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What the process wrote. ``failure`` is None after exit code 0, else why there was none."""

    output: str
    errors: str
    failure: str | None


class Question:
    """A process that was started and not yet waited for.

    Parameters
    ----------
    command
        The argument list.
    environment
        Set in addition to this process's environment; a value of None removes.
    """

    def __init__(
        self, command: list[str], environment: dict[str, str | None] | None = None
    ) -> None:
        merged: dict[str, str | None] = {**os.environ, **(environment or {})}
        self._started = time.monotonic()
        self._process: subprocess.Popen[str] | None = None
        self._refusal: str | None = None
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={key: value for key, value in merged.items() if value is not None},
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # so that it can be ended with all it started
            )
        except OSError as error:
            self._refusal = f"{command[0]} could not be started: {error.strerror or error}"

    def answer(self, limit: float) -> Answer:
        """Wait until ``limit`` seconds after the start, and return what was said until then."""
        if self._process is None:
            return Answer("", "", self._refusal)
        left = max(0.0, limit - (time.monotonic() - self._started))
        try:
            output, errors = self._process.communicate(timeout=left)
        except subprocess.TimeoutExpired:
            output, errors = self._end()
            return Answer(output, errors, f"no answer within {limit:g} s")
        except BaseException:  # an interrupt of the kernel, which the process is out of reach of
            self._end()
            raise
        code = self._process.returncode
        if code < 0:
            return Answer(output, errors, f"the process that asked died of signal {-code}")
        if code > 0:
            last = errors.strip().splitlines()[-1:] or [f"exit code {code}"]
            return Answer(output, errors, last[0])
        return Answer(output, errors, None)

    def _end(self) -> tuple[str, str]:
        """Kill, and leave behind what does not even die: a process in an uninterruptible call."""
        assert self._process is not None  # noqa: S101  # for the type checker: answer() saw to it
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        try:
            return self._process.communicate(timeout=0.2)
        except subprocess.TimeoutExpired:
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()
            return "", ""


def python(
    *arguments: str, environment: dict[str, str | None] | None = None, site: bool = False
) -> Question:
    """Start this Python with this process's ``sys.path``; it writes no ``__pycache__``.

    Without ``site`` the interpreter starts in 10 ms: it reads no ``.pth`` files, whose effect on
    ``sys.path`` it inherits.
    """
    path = os.pathsep.join(entry for entry in sys.path if entry)
    options = ["-B", "-P", "-W", "ignore", *([] if site else ["-S"])]
    return Question(
        [sys.executable, *options, *arguments], {"PYTHONPATH": path, **(environment or {})}
    )
