"""One unit in a pytest process of its own: its events as they come, its death when it hangs."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from stacks import HERE
from units import GPUARRAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stacks import Stack
    from units import Unit

_children: set[subprocess.Popen] = set()
LAST_WORDS_S = 5.0  # what faulthandler may take to write where a hanging test stands


@dataclass(frozen=True)
class Job:
    """A unit to run on a stack, in its ``environment``, without the tests that are ``done``.

    A test may take ``limit`` seconds. ``log`` gets what pytest prints, ``scratch`` is a folder for
    this job alone.
    """

    stack: Stack
    environment: dict[str, str]
    unit: Unit
    done: frozenset[str]
    limit: float
    log: Path
    scratch: Path


def run_unit(job: Job) -> Iterator[dict]:
    """Yield what happens in a unit: the events of record.py.

    A test that takes longer than its limit is killed with its process and yields the
    outcome "timeout"; one whose process dies yields "crashed"; then a new process goes on with the
    rest. The last event has "finished", the seconds that the unit took.
    """
    started, done = time.monotonic(), set(job.done)
    with job.log.open("wb") as output:
        while True:
            running, ended, blamed = None, False, False
            for event in _process(job, done, output):
                if "start" in event:
                    running = event["start"]
                elif "test" in event:
                    running = None
                    done.add(event["test"])
                ended = ended or "end" in event
                if "killed" in event or "died" in event:
                    if ended:
                        break  # all outcomes are there; how it left is not our question
                    blamed = True
                    outcome = "timeout" if "killed" in event else "crashed"
                    why = event.get("killed") or event["died"]
                    test = running or job.unit.target
                    done.add(test)
                    yield {"test": test, "outcome": outcome, "seconds": event["after"], "why": why}
                elif "end" not in event:
                    yield event
            # Without a test to blame, the next process would end in the same way.
            if not (blamed and running):
                break
    yield {"finished": round(time.monotonic() - started, 1)}


def _process(job: Job, done: set[str], output: BinaryIO) -> Iterator[dict]:
    """Yield the events of one process, then {"killed" or "died": why, "after": seconds} if so."""
    target = job.scratch / "done.txt"
    target.write_text("\n".join(done))
    reading, writing = os.pipe()
    work = job.scratch / "work"
    work.mkdir(exist_ok=True)
    child = subprocess.Popen(
        [
            *(
                job.stack.python,
                "-m",
                "pytest",
                "-c",
                HERE / "pytest.ini",
                "--rootdir",
                job.stack.root,
            ),
            *("-p", "plugin", "-p", "record", "-p", "no:cacheprovider", "--tb=short", "-ra"),
            *(("-p", "on_xla") if job.stack.xla else ()),
            *(("-p", "gpuarray_stand_in") if job.unit.target.startswith(GPUARRAY) else ()),
            job.stack.root / job.unit.target,
        ],
        cwd=work,
        env={
            **job.environment,
            "THEANO_UPSTREAM_EVENTS": str(writing),
            "THEANO_UPSTREAM_CHUNK": f"{job.unit.chunk}/{job.unit.chunks}",
            "THEANO_UPSTREAM_DONE": str(target),
        },
        pass_fds=[writing],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    _children.add(child)
    os.close(writing)
    last = time.monotonic()
    try:
        buffer = b""
        while True:
            left = last + job.limit - time.monotonic()
            if left <= 0 or not select.select([reading], [], [], left)[0]:
                _kill(child, last_words=True)
                yield {"killed": f"no outcome within {job.limit:g} s", "after": job.limit}
                return
            data = os.read(reading, 1 << 16)
            if not data:
                break
            last = time.monotonic()
            *lines, buffer = (buffer + data).split(b"\n")
            yield from map(json.loads, lines)
        status = child.wait(LAST_WORDS_S)
        if status not in (0, 1, 5):  # passed, some failed, nothing to run
            after = round(time.monotonic() - last, 1)
            yield {"died": f"pytest ended with status {status}", "after": after}
    finally:
        os.close(reading)
        _kill(child)
        _children.discard(child)


def kill_all() -> None:
    """End every process of pytest, for a run that is to end now."""
    for child in tuple(_children):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _kill(child: subprocess.Popen, *, last_words: bool = False) -> None:
    """End the process and all that it started; faulthandler may first write where it stands."""
    if last_words:
        child.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(LAST_WORDS_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
