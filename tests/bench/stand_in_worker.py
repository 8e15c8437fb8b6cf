"""A real process that talks as the worker does, and then does what the scenario in $SCENARIO says.

It stands in for Theano, not for the process: signals, pipes and exit statuses are real.
"""

import argparse
import array
import fcntl
import json
import os
import signal
import sys
import termios
import threading
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--workload")
parser.add_argument("--sizes")
parser.add_argument("--floatX")
parser.add_argument("--time")
options = parser.parse_args()
sizes = [int(size) for size in options.sizes.split(",")]
scenario, _, at = os.environ["SCENARIO"].partition("@")


def say(kind, size=None, rows=(), **info):
    event = {"event": kind, "workload": options.workload, "size": size, "rows": rows, "info": info}
    print(json.dumps(event), flush=True)


def wait_for_ever():
    threading.Event().wait()


def wait_until_the_parent_waits():
    """Return once the parent has read all that was written and sleeps, waiting for more."""
    parent = Path(f"/proc/{os.getppid()}/stat")
    pause = threading.Event()
    while True:
        unread = array.array("i", [0])
        fcntl.ioctl(1, termios.FIONREAD, unread)
        state = parent.read_text().rpartition(")")[2].split()[0]
        if unread[0] == 0 and state == "S":
            return
        pause.wait(0.01)


if scenario == "no-theano":
    sys.exit("ModuleNotFoundError: No module named 'theano'")
if scenario == "mute":
    wait_for_ever()
say("started", pid=os.getpid(), env={name: os.environ.get(name) for name in sorted(os.environ)})
for size in sizes:
    say("compiling", size)
    here = not at or int(at) == size
    if scenario == "killed" and here:
        print("last words", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if scenario == "segfault" and here:
        os.kill(os.getpid(), signal.SIGSEGV)
    if scenario == "status" and here:
        sys.exit(3)
    if scenario == "quits" and here:
        sys.exit(0)
    if scenario == "hangs" and here:
        wait_for_ever()
    if scenario == "interrupts" and here:
        # As the notebook's stop button does, while the parent waits for the next line.
        wait_until_the_parent_waits()
        os.kill(os.getppid(), signal.SIGINT)
        wait_for_ever()
    if scenario == "deaf" and here:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        say("measuring", size)
        wait_for_ever()
    if scenario == "closes" and here:
        os.close(1)
        os.close(2)
        wait_for_ever()
    if scenario == "orphan" and here:
        # A child that outlives the worker and holds both pipes open.
        if os.fork() == 0:
            wait_for_ever()
        os.kill(os.getpid(), signal.SIGKILL)
    if scenario == "garbage" and here:
        print("Using gpu device 0", flush=True)
        os.write(1, b'\xff\xfe\x00{]\n[1, 2]\n{"event": "result"}\n"started"\n')
        os.write(1, b"x" * (3 << 20) + b"\n")
    row = {
        "row": "result",
        "workload": options.workload,
        "size": size,
        "device": "cpu",
        "backend": "theano C linker",
        "floatX": options.floatX,
        "median_s": 0.5,
        "iqr_s": 0.01,
        "repeats": 9,
        "calls_per_repeat": 1,
        "stable": True,
    }
    say("result", size, [row])
say("done")
