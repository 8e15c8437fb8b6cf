"""One setup at a time, seen from other processes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from theano_colab.install.lock import exclusive

ROOT = Path(__file__).parents[2]
HOLD = """
import subprocess, sys
from pathlib import Path
from theano_colab.install.lock import exclusive
with exclusive(Path(sys.argv[1]), lambda line: print(line, flush=True)) as descriptor:
    print("held", flush=True)
    if "child" in sys.argv:
        child = subprocess.Popen(["cat"], stdin=0, stdout=subprocess.DEVNULL, pass_fds=[descriptor])
        print(child.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def hold(tmp_path):
    """Start processes that hold the lock until their stdin is closed."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path / "lock"), *arguments],
            env={"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


def expect_blocked(process):
    """Wait until the kernel lists the process among those that wait for a lock (proc_locks(5))."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for line in Path("/proc/locks").read_text().splitlines():
            if "-> FLOCK" in line and f" {process.pid} " in line:
                return
    pytest.fail("it does not wait")


def test_the_second_waits_and_says_for_whom(hold):
    first = hold()
    assert first.stdout.readline() == "held\n"
    second = hold()
    assert second.stdout.readline() == f"waiting for another setup to end (process {first.pid})\n"
    expect_blocked(second)
    first.stdin.close()
    assert second.stdout.readline() == "held\n"


def test_a_killed_holder_holds_nothing(hold, tmp_path):
    first = hold()
    assert first.stdout.readline() == "held\n"
    first.kill()
    first.wait()
    with exclusive(tmp_path / "lock", pytest.fail):
        pass


def test_a_killed_holders_child_holds_on(hold):
    first = hold("child")
    assert first.stdout.readline() == "held\n"
    first.stdout.readline()
    first.kill()
    first.wait()
    second = hold()
    assert second.stdout.readline().startswith("waiting")
    expect_blocked(second)
    first.stdin.close()  # ends the child
    assert second.stdout.readline() == "held\n"


def test_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError, match="No such file"), exclusive(tmp_path / "no" / "lock", print):
        pass
