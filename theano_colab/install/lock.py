"""One setup at a time: a lock that also pip holds, until it has ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def exclusive(path: Path, on_wait: Callable[[str], None]) -> Iterator[int]:
    """Hold the lock file ``path`` for this process and the children that get its descriptor.

    Yields the file descriptor, to be handed to pip: flock(2) ties a lock to the open file, not to
    the process, so when this kernel is killed while its pip goes on, the next setup still waits for
    that pip. (This is why it is not the ``filelock`` package, which keeps its descriptor.)
    The system releases the lock when the last of them ends, however it ends: none is ever stale.

    ``on_wait`` is called once, with a line for the user, if somebody else holds it.

    Raises
    ------
    OSError
        If the file cannot be written, or its file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            on_wait(f"waiting for another setup to end (process {holder or 'unknown'})")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):  # a full disk: who waits is not told for whom
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield descriptor
    finally:
        os.close(descriptor)
