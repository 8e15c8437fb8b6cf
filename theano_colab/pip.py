"""Run pip in a subprocess: its output line by line, its failures explained.

A subprocess, because pip has no API of its own for programs, and because Colab watches the shell's
``pip install`` for packages that are imported already and then asks for a restart.
"""

from __future__ import annotations

import functools
import os
import re
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from theano_colab.errors import TheanoColabError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KNOWN_ERRORS = Path(__file__).parent / "install" / "known_errors.toml"

# How pip prints, not what it does; the user's configuration decides everything else. Its retries
# and timeout too: with pip's defaults a machine without network is told so after 9 s.
_ENVIRONMENT = {
    "PIP_PROGRESS_BAR": "off",
    "PIP_NO_COLOR": "1",
    "PYTHONIOENCODING": "utf-8:replace",
    "PYTHONUNBUFFERED": "1",
}
_PATIENCE_S = 5.0  # between SIGINT, SIGTERM and SIGKILL


class PipError(TheanoColabError):
    """pip failed. ``lines`` is all that it printed, credentials masked; ``id`` names the failure.

    ``id`` is that of the entry in known_errors.toml, or "unknown".
    """

    def __init__(
        self,
        cause: str,
        evidence: str,
        remedy: str,
        lines: tuple[str, ...] = (),
        id: str = "unknown",  # noqa: A002  # as in the data file
    ) -> None:
        super().__init__(cause, evidence, remedy)
        self.lines = lines
        self.id = id


@dataclass(frozen=True, slots=True)
class _KnownError:
    id: str
    find: str
    cause: str
    remedy: str


def run_pip(
    arguments: Sequence[str],
    *,
    on_line: Callable[[str], None] | None = None,
    env: Mapping[str, str] | None = None,
    executable: str = sys.executable,
    pass_fds: Sequence[int] = (),
) -> tuple[str, ...]:
    """Run ``executable -m pip ARGUMENTS`` and return the lines it printed (stdout and stderr).

    Parameters
    ----------
    arguments
        pip's command and its options: ``["install", "--no-deps", "x.whl"]``.
    on_line
        Called with each line as it comes, except for noise (known_errors.toml) and with the
        credentials in URLs masked.
    env
        The whole environment of the subprocess; this process's where it is None.
    executable
        The Python whose pip it is.
    pass_fds
        File descriptors that pip keeps open: a lock it shall hold even if this process is killed.

    Raises
    ------
    PipError
        If pip could not be started or ended with an exit code other than 0.
    KeyboardInterrupt
        As it came; pip has been ended before.
    """
    # -P: a notebook's folder may hold a random.py or a pip.py of the user's.
    command = [executable, "-P", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    lines: list[str] = []
    try:
        child = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env={**(os.environ if env is None else env), **_ENVIRONMENT},
            pass_fds=tuple(pass_fds),
            # Ctrl-C reaches the kernel and its children alike; only we decide how pip ends.
            start_new_session=True,
        )
    except OSError as error:
        raise PipError(
            "pip could not be started.",
            str(error),
            f"Check that {executable} is a working Python, then restart the kernel.",
        ) from error
    try:
        assert child.stdout is not None  # noqa: S101  # for mypy: PIPE was asked for
        with child.stdout as output:
            for raw in output:
                line = mask(raw.rstrip())
                lines.append(line)
                if on_line is not None and not is_noise(line):
                    on_line(line)
        code = child.wait()
    except BaseException:
        _end(child)
        raise
    if code != 0:
        raise explain(lines, code)
    return tuple(lines)


def explain(lines: Sequence[str], code: int) -> PipError:
    """Return the error that says why pip ended with ``code`` after printing ``lines``."""
    told = [line for line in lines if not is_noise(line)]
    for known in _known_errors():
        pattern = re.compile(known.find)
        for line in told:
            if match := pattern.search(line):
                evidence = match.groupdict().get("evidence") or line
                return PipError(
                    known.cause, evidence.strip(), known.remedy, lines=tuple(lines), id=known.id
                )
    errors = [line for line in told if re.match(r"\s*(ERROR|error|\w*Error):", line)]
    if code < 0:  # as subprocess says it
        return PipError(
            f"pip was killed by signal {-code} ({signal.strsignal(-code)}).",
            f"the last it said: {told[-1].strip() if told else 'nothing'}",
            "Often memory was short (`free -h`). Run the same setup again; it clears up first.",
            lines=tuple(lines),
            id="killed",
        )
    return PipError(
        f"pip failed with exit code {code}.",
        [f"pip printed nothing (exit code {code})", *told, *errors][-1].strip(),
        "Run the same setup again; if it fails again, `pip check` and the lines above say more.",
        lines=tuple(lines),
    )


def mask(text: str) -> str:
    """Return ``text`` with the user name and password of every URL replaced by ``****``."""
    return re.sub(r"(\b[A-Za-z][\w+.-]*://)[^/\s'\"]*@", r"\1****@", text)


def is_noise(line: str) -> bool:
    """Return whether pip prints such a line beside the matter."""
    return _noise().match(line) is not None


@functools.cache
def _noise() -> re.Pattern[str]:
    noise = tomllib.loads(KNOWN_ERRORS.read_text("utf-8"))["noise"]
    return re.compile("|".join(f"(?:{pattern})" for pattern in noise))


@functools.cache
def _known_errors() -> tuple[_KnownError, ...]:
    entries = tomllib.loads(KNOWN_ERRORS.read_text("utf-8"))["error"]
    return tuple(_KnownError(**entry) for entry in entries)


def _end(child: subprocess.Popen[str]) -> None:
    """End pip and what it started: politely, so that it rolls back; then not."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(_PATIENCE_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:
            continue  # asked twice: the next, harder signal now
        else:
            return
