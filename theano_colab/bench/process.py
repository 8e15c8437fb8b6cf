"""A child process that writes lines of JSON: started, read without waiting, ended with its own."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections import deque
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GRACE_S = 3.0
"""How long a process has to end by itself once it was asked to."""

LINE_LIMIT = 1 << 20
"""No event is longer; what is longer was never one of ours."""

LAST_WORDS = 500
"""Characters that are kept of a line that is no event."""


class Child:
    """A process in a session of its own, so that an interrupt of the kernel misses it.

    Its stdin is a pipe: orders go in line by line, and its end tells the process that nobody
    listens any more.
    """

    def __init__(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.name = name
        self._asked = False
        self._process = subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._buffers = {"stdout": bytearray(), "stderr": bytearray()}
        self._chatter: deque[str] = deque(maxlen=20)
        for stream in self._buffers:
            os.set_blocking(self._pipe(stream).fileno(), False)

    def _pipe(self, stream: str) -> IO[bytes]:
        pipe: IO[bytes] = getattr(self._process, stream)
        return pipe

    def watch(self, selector: selectors.BaseSelector) -> None:
        """Have a selector tell when there is something to read."""
        for stream in self._buffers:
            selector.register(self._pipe(stream), selectors.EVENT_READ, (self, stream))

    def unwatch(self, selector: selectors.BaseSelector) -> None:
        """Take the pipes out of the selector."""
        for stream in self._buffers:
            with contextlib.suppress(KeyError, ValueError):
                selector.unregister(self._pipe(stream))

    def write(self, line: str) -> None:
        """Give the process a line; one that has ended meanwhile does not mind."""
        assert self._process.stdin is not None  # noqa: S101  # Popen was given a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def read(self, stream: str, selector: selectors.BaseSelector) -> Iterator[bytes]:
        """Give the whole lines that a pipe holds; a pipe that was closed leaves the selector."""
        pipe = self._pipe(stream)
        try:
            chunk = os.read(pipe.fileno(), 1 << 16)
        except BlockingIOError:
            return
        buffer = self._buffers[stream]
        buffer += chunk or b"\n"
        if not chunk:
            selector.unregister(pipe)
        *lines, rest = buffer.split(b"\n")
        buffer[:] = rest[-LINE_LIMIT:]
        yield from map(bytes, lines)

    def remember(self, line: bytes) -> None:
        """Keep a line that was no event: the last of them may say why a process died."""
        if text := line.decode(errors="replace").strip():
            self._chatter.append(text[:LAST_WORDS])

    def last_words(self) -> str:
        """Return the last line that was no event; "" if there was none."""
        return self._chatter[-1] if self._chatter else ""

    def status(self) -> int | None:
        """Return the exit status; None while the process runs."""
        return self._process.poll()

    def ask(self) -> None:
        """Ask the process to end, once: asked again, it would break off what it does at its end.

        By the end of its stdin, too: an interrupt is lost where Python ignores exceptions, such as
        in JAX's callback while garbage is collected.
        """
        if not self._asked and self._process.poll() is None:
            self._asked = True
            with contextlib.suppress(BrokenPipeError):
                self._pipe("stdin").close()
            self._signal(signal.SIGINT)

    def end(self) -> None:
        """End the process and all it started, first by asking: so Theano's locks are released."""
        try:
            self.ask()
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        """Close the pipes, read or not."""
        for stream in ("stdin", *self._buffers):
            with contextlib.suppress(BrokenPipeError):
                self._pipe(stream).close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def how_it_ended(status: int) -> str:
    """Say in words what a worker's exit status means."""
    if status == -signal.SIGKILL:
        return "the worker was killed by SIGKILL, as Linux does when memory runs out"
    if status < 0:
        return f"the worker was killed by {signal.Signals(-status).name}"
    if status > 0:
        return f"the worker ended with exit status {status}"
    return "the worker ended before it was through"
