"""A real process that talks as the worker does, and then does what the scenario in $SCENARIO says.

It stands in for Theano, not for the process: signals, pipes and exit statuses are real.
"""

import array
import fcntl
import json
import os
import signal
import sys
import termios
import threading
from pathlib import Path

scenario, _, at = os.environ["SCENARIO"].partition("@")
asked = dict(part.partition("=")[::2] for part in os.environ["THEANO_FLAGS"].split(",") if part)
here = asked["device"] in os.environ.get("ON", asked["device"])


def say(kind, order=None, rows=(), **info):
    order = order or {"workload": "", "size": None}
    event = {"event": kind, "rows": rows, "info": info}
    event |= {name: order[name] for name in ("workload", "size")}
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


if here and scenario == "no-theano":
    sys.exit("ModuleNotFoundError: No module named 'theano'")
if here and scenario == "mute":
    wait_for_ever()
say("started", pid=os.getpid(), device=asked["device"], backend="theano C linker")
for line in sys.stdin:
    order = json.loads(line)
    say("compiling", order)
    now = here and (not at or int(at) == order["size"])
    if scenario == "killed" and now:
        print("last words", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if scenario == "segfault" and now:
        os.kill(os.getpid(), signal.SIGSEGV)
    if scenario == "status" and now:
        sys.exit(3)
    if scenario == "quits" and now:
        sys.exit(0)
    if scenario == "hangs" and now:
        wait_for_ever()
    if scenario == "interrupts" and now:
        # As the notebook's stop button does, while the parent waits for the next line.
        wait_until_the_parent_waits()
        os.kill(os.getppid(), signal.SIGINT)
        wait_for_ever()
    if scenario == "deaf" and now:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        say("measuring", order)
        wait_for_ever()
    if scenario == "closes" and now:
        os.close(1)
        os.close(2)
        wait_for_ever()
    if scenario == "orphan" and now:
        # A child that outlives the worker and holds both pipes open.
        if os.fork() == 0:
            wait_for_ever()
        os.kill(os.getpid(), signal.SIGKILL)
    if scenario == "garbage" and now:
        print("Using gpu device 0", flush=True)
        os.write(1, b'\xff\xfe\x00{]\n[1, 2]\n{"event": "result"}\n"started"\n')
        os.write(1, b"x" * (3 << 20) + b"\n")
    row = {
        "row": "result",
        "workload": order["workload"],
        "size": order["size"],
        "device": asked["device"],
        "backend": "theano C linker",
        "floatX": "float32",
        "median_s": 0.5,
        "iqr_s": 0.01,
        "repeats": 9,
        "calls_per_repeat": 1,
        "stable": True,
    }
    say("result", order, [row], seconds=order["seconds"])
