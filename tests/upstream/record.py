"""Pytest plugin: tells the runner how each test ended, at once, as lines of JSON on a pipe.

Runs in the stack under test, so it keeps to Python 3.8. The runner gives it, as environment
variables, THEANO_UPSTREAM_EVENTS (the number of an open file), THEANO_UPSTREAM_CHUNK ("2/5": the
second fifth of what pytest collected) and THEANO_UPSTREAM_DONE (a file with the ids not to run).

The events: {"collected": ids} once, {"start": id} and {"test": id, "outcome", "seconds", "why"} for
each test (and what ``extra`` holds), {"test": FILE, "outcome": "error", "why"} for a file that
cannot be collected, and {"end": true} last.
"""

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest

WHY_LENGTH = 300
_EVENTS = int(os.environ["THEANO_UPSTREAM_EVENTS"])
# What other plugins say of the test that runs, by name; it is told with its outcome.
extra = {}


class _Test:
    """What is known of the test that runs: the first phase that did not pass decides."""

    def begin(self):
        self.outcome, self.why, self.seconds = "passed", "", 0.0


_test = _Test()


def _tell(event):
    try:
        os.write(_EVENTS, (json.dumps(event) + "\n").encode())
    except BrokenPipeError:
        os._exit(3)  # the runner is gone, and nobody would know what else is found out


def _why(report):
    """Return the one line that says why a report is not "passed"."""
    reason = getattr(report, "wasxfail", None)
    if reason is None:
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            reason = crash.message
        elif isinstance(report.longrepr, tuple):
            reason = report.longrepr[2]
        else:
            lines = str(report.longrepr).strip().splitlines()
            reason = next((line for line in lines if line.startswith("E ")), (lines or [""])[-1])
    lines = [line.strip() for line in str(reason).splitlines() if line.strip()]
    return " ".join((lines or [""])[0].split())[:WHY_LENGTH]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Keep this unit's chunk, and of it what has no outcome yet."""
    chunk, chunks = map(int, os.environ.get("THEANO_UPSTREAM_CHUNK", "1/1").split("/"))
    size = len(items)
    items[:] = items[size * (chunk - 1) // chunks : size * chunk // chunks]
    _tell({"collected": [item.nodeid for item in items]})
    done = os.environ.get("THEANO_UPSTREAM_DONE")
    if done:
        ids = set(Path(done).read_text(encoding="utf-8").split("\n"))
        items[:] = [item for item in items if item.nodeid not in ids]


def pytest_collectreport(report):
    """Tell of a file that cannot be imported, or that says itself that it is to be skipped."""
    if report.failed or report.skipped:
        outcome = "error" if report.failed else "skipped"
        _tell({"test": report.nodeid, "outcome": outcome, "seconds": 0, "why": _why(report)})


def pytest_runtest_logstart(nodeid, location):
    """Tell which test begins, so that the runner knows whom to blame for a crash."""
    _test.begin()
    _tell({"start": nodeid})


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Give every test the same random numbers, whatever ran before it."""
    random.seed(666)
    np.random.seed(666)


def pytest_runtest_logreport(report):
    """Take in one phase of a test: setup, call or teardown."""
    _test.seconds += report.duration
    if _test.outcome != "passed" or (report.passed and not hasattr(report, "wasxfail")):
        return
    _test.why = _why(report)
    if hasattr(report, "wasxfail"):
        _test.outcome = "xpassed" if report.passed else "xfailed"
    elif report.skipped:
        _test.outcome = "skipped"
    else:
        _test.outcome = "failed" if report.when == "call" else "error"


def pytest_runtest_logfinish(nodeid, location):
    """Tell how the test ended."""
    seconds = round(_test.seconds, 3)
    outcome = {"test": nodeid, "outcome": _test.outcome, "seconds": seconds, "why": _test.why}
    _tell({**outcome, **extra})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Tell that nothing is missing."""
    _tell({"end": True})
