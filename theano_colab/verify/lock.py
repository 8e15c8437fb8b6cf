"""A lock that a dead process left in Theano's compile directory, of either Theano."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Where a lock says who took it, how, and whether the folder around that file goes with it: Theano
# makes a folder; Theano-PyMC leaves it to filelock, which has the kernel lock an empty file (none
# of those is ever stale), and only where the file system cannot do that writes the owner into it.
_LOCKS = (
    ("*/lock_dir/lock", re.compile(r"(?P<pid>\d{1,10})_\d+_(?P<host>.+)\n?"), True),
    ("*/.lock", re.compile(r"(?P<pid>\d{1,10})\n(?P<host>.+)\n(\d+\n)?"), False),
)


def remove_stale_locks(base_compiledir: Path) -> tuple[str, ...]:
    """Remove the locks below ``base_compiledir`` whose owner cannot be alive; say what was removed.

    Theano itself takes a lock over when its owner's process id is gone on this machine. It waits
    two minutes when that id belongs to another process by now, which is the rule after a restart
    of the machine. So does filelock, before 3.30, for Theano-PyMC, which then gives up. A lock of
    another host is left alone: that host may be at work.
    """
    removed = []
    for lock, pid in stale_locks(base_compiledir):
        with contextlib.suppress(OSError):  # of another user: Theano will wait for it
            shutil.rmtree(lock) if lock.is_dir() else lock.unlink()
            removed.append(f"removed the lock that process {pid}, which is gone, left in {lock}")
    return tuple(removed)


def stale_locks(base_compiledir: Path) -> list[tuple[Path, int]]:
    """Return those locks and the process ids in them; changes nothing."""
    return [
        (lock, pid)
        for lock, pid, host, taken in _locks(base_compiledir)
        if host == socket.gethostname() and not _alive(pid, taken)
    ]


def _locks(base_compiledir: Path) -> Iterator[tuple[Path, int, str, float]]:
    """Yield every lock that names its owner: path, process id, host, seconds since the epoch."""
    for pattern, owner, in_folder in _LOCKS:
        for file in base_compiledir.glob(pattern):
            try:
                named, taken = owner.fullmatch(file.read_text("utf-8")), file.stat().st_mtime
            except (OSError, ValueError):
                continue
            if named is not None:
                yield (file.parent if in_folder else file), int(named["pid"]), named["host"], taken


def _alive(pid: int, taken: float) -> bool:
    """Say whether the process that had this id when the lock was taken still runs.

    ``taken`` is in seconds since the epoch; a process that began later took the id over.
    """
    try:
        process = psutil.Process(pid)
        started: float = process.create_time()
        # Killed, but nobody asked how it ended, as in a container without an init: it has no files.
        ended = process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return started <= taken + 1 and not ended
