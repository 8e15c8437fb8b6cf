import os
import socket
import subprocess
import sys

import pytest

from theano_colab.verify.lock import remove_stale_locks


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
