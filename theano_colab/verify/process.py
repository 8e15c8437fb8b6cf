"""Run a check in a process of its own: its lines as they come, and an end in any case."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# A cold compile takes 10 to 20 s on two cores; Theano waits up to 120 s for another's lock.
TIME_LIMIT_SECONDS = 300.0


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
    time_limit: float = TIME_LIMIT_SECONDS,
) -> int | None:
    """Run a command to its end and return its exit code; None where it outlasted ``time_limit``.

    ``on_line`` gets each line that it prints on stdout or stderr. The time limit is in seconds.
    """
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # An interrupt of the kernel reaches its process group; only we decide how this one ends.
        start_new_session=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101  # PIPE was asked for
        out_of_time = threading.Event()

        def stop() -> None:
            out_of_time.set()
            _kill(process)

        limit = threading.Timer(time_limit, stop)
        limit.start()
        try:
            for line in process.stdout:
                on_line(line)
        except BaseException:
            _kill(process)
            raise
        finally:
            limit.cancel()
    return None if out_of_time.is_set() and process.returncode else process.returncode


def _kill(process: subprocess.Popen[str]) -> None:
    """End the process and the compiler that it may have started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
