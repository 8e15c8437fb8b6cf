"""A lock that a dead process left in Theano's compile directory."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path


def remove_stale_locks(base_compiledir: Path) -> tuple[str, ...]:
    """Remove the locks below ``base_compiledir`` whose owner cannot be alive; say what was removed.

    Theano itself takes a lock over when its owner's process id is gone on this machine. It waits
    two minutes when that id belongs to another process by now, which is the rule after a restart
    of the machine. A lock of another host is left alone: that host may be at work.
    """
    removed = []
    for folder, pid in stale_locks(base_compiledir):
        shutil.rmtree(folder, ignore_errors=True)
        removed.append(f"removed the lock that process {pid}, which is gone, left in {folder}")
    return tuple(removed)


def stale_locks(base_compiledir: Path) -> list[tuple[Path, int]]:
    """Return those locks and the process ids in them; changes nothing."""
    found = []
    for folder in base_compiledir.glob("*/lock_dir"):
        owner = folder / "lock"
        try:
            pid, _, host = owner.read_text("utf-8").strip().split("_", 2)
            stale = host == socket.gethostname() and not _alive(int(pid), owner.stat().st_mtime)
        except (OSError, ValueError, OverflowError):
            continue
        if stale:
            found.append((folder, int(pid)))
    return found


def _alive(pid: int, taken: float) -> bool:
    """Say whether the process that had this id when the lock was taken still runs.

    ``taken`` is in seconds since the epoch; a process that began later took the id over.
    """
    try:
        started: float = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return started <= taken + 1
