"""Locks in a compile directory, written by hand and left by processes that were killed."""

import os
import socket
import subprocess
import sys

import pytest

from theano_colab.verify.lock import remove_stale_locks, stale_locks

# Theano-PyMC's way to lock, on a file system that has flock(2) and on one that has not.
HOLD = """
import errno, fcntl, sys, warnings
if sys.argv[2] == "no-flock":
    def refuse(*_):
        raise OSError(errno.ENOSYS, "no flock")
    fcntl.flock = refuse
    warnings.simplefilter("ignore")  # that filelock will do without
import filelock
lock = filelock.FileLock(sys.argv[1])
lock.acquire(timeout=0)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def take(tmp_path):
    def lock(pid, host=None):
        folder = tmp_path / "compiledir_x" / "lock_dir"
        folder.mkdir(parents=True)
        (folder / "lock").write_text(f"{pid}_0123456789_{host or socket.gethostname()}\n")
        return folder

    return lock


@pytest.fixture
def gone():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_lock_of_a_process_that_is_gone_is_removed(take, gone, tmp_path):
    folder = take(gone)
    (said,) = remove_stale_locks(tmp_path)
    assert str(gone) in said
    assert not folder.exists()


def test_a_lock_of_a_living_process_stays(take, tmp_path):
    folder = take(os.getpid())
    assert remove_stale_locks(tmp_path) == ()
    assert folder.exists()


def test_a_lock_older_than_the_process_that_has_its_number_now_is_removed(take, tmp_path):
    folder = take(os.getpid())
    os.utime(folder / "lock", (1_000_000_000, 1_000_000_000))
    assert len(remove_stale_locks(tmp_path)) == 1


def test_another_host_s_lock_stays(take, gone, tmp_path):
    folder = take(gone, host="elsewhere")
    assert remove_stale_locks(tmp_path) == ()
    assert folder.exists()


def test_a_garbled_lock_is_left_to_theano(tmp_path):
    folder = tmp_path / "compiledir_x" / "lock_dir"
    folder.mkdir(parents=True)
    (folder / "lock").write_bytes(b"\xff\x00")
    assert remove_stale_locks(tmp_path) == ()


@pytest.fixture
def killed(tmp_path):
    """Kill a process that holds a lock of filelock's; return the lock and what asks for it."""
    lock = tmp_path / "compiledir_x" / ".lock"
    lock.parent.mkdir()

    def start(way):
        command = [sys.executable, "-c", HOLD, lock, way]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def hold(way, *, reaped=True):
        holder = start(way)
        assert holder.stdout.readline() == b"held\n"
        assert stale_locks(tmp_path) == []
        assert b"could not be acquired" in start(way).communicate()[1]
        holder.kill()
        if not reaped:
            os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
        else:
            holder.communicate()
        return lock, holder, lambda: start(way).communicate()[0] == b"held\n"

    return hold


def test_theano_pymc_s_lock_is_the_kernel_s_and_never_stale(killed, tmp_path):
    lock, _, can_be_taken = killed("flock")
    assert lock.exists()
    assert stale_locks(tmp_path) == []
    assert can_be_taken()


def test_without_flock_its_lock_is_stale_and_removed(killed, tmp_path):
    lock, holder, can_be_taken = killed("no-flock")
    assert stale_locks(tmp_path) == [(lock, holder.pid)]
    (said,) = remove_stale_locks(tmp_path)
    assert f"process {holder.pid}, which is gone, left in {lock}" in said
    assert not lock.exists()
    assert can_be_taken()


def test_a_zombie_holds_nothing(killed, tmp_path):
    """In a container without an init a killed kernel keeps its process id for ever."""
    lock, holder, can_be_taken = killed("no-flock", reaped=False)
    assert stale_locks(tmp_path) == [(lock, holder.pid)]
    remove_stale_locks(tmp_path)
    assert can_be_taken()
    holder.communicate()
