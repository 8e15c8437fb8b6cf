"""Pytest plugin: a line for each test of a library that ended, in the file $RECORD.

It runs in the environment of the library, also on Python 3.8. Tests that the file has are not run
again, so that a run that was interrupted goes on where it was. A test that takes more than $SECONDS
(300) fails; the signal that ends it does not reach the processes that it started. With $EVERY only
the first of so many parametrisations of each test is run, and every EVERYth after it.
"""

import os
import signal
import sys
import types
from collections import Counter
from pathlib import Path

import pytest
from _pytest.recwarn import WarningsRecorder

FILE = Path(os.environ["RECORD"])
LIMIT = int(os.environ.get("SECONDS", "300"))
EVERY = int(os.environ.get("EVERY", "1"))
_ended = {}


def _give_downsample():
    """Let Lasagne 0.1 be imported on Theano 1.0 itself, as its users did: by the name of 0.8.

    The port has that name.
    """
    try:
        import theano.tensor.signal.downsample  # is it there?
    except ImportError:
        import theano.tensor.signal
        from theano.tensor.signal.pool import pool_2d

        old = types.ModuleType("theano.tensor.signal.downsample")

        def max_pool_2d(*arguments, ds, st=None, padding=(0, 0), **more):
            return pool_2d(*arguments, ws=ds, stride=st, pad=padding, **more)

        old.max_pool_2d = max_pool_2d
        theano.tensor.signal.downsample = sys.modules[old.__name__] = old


_give_downsample()  # now: pytest imports the library with its conftest.py before it configures


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "default")
    warns = pytest.warns

    def warns_of_pytest_7(expected, *arguments, **more):
        """pytest.warns(None): record what is warned of, which pytest 8 has another name for."""
        if expected is None:
            return WarningsRecorder(_ispytest=True)
        return warns(expected, *arguments, **more)

    pytest.warns = warns_of_pytest_7


def pytest_collection_modifyitems(config, items):
    done, seen, wanted = set(), Counter(), []
    if FILE.exists():
        done = {line.partition("\t")[0] for line in FILE.read_text("utf-8").splitlines()}
    for item in items:
        function = item.nodeid.partition("[")[0]
        if seen[function] % EVERY == 0 and item.nodeid not in done:
            wanted.append(item)
        seen[function] += 1
    config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
    items[:] = wanted


class TookTooLongError(BaseException):
    """Not an Exception, which the library under test would catch."""


def _end(number, frame):
    raise TookTooLongError(f"it took more than {LIMIT} s")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    signal.signal(signal.SIGALRM, _end)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)


def pytest_runtest_logreport(report):
    outcome, why = report.outcome, ""
    if hasattr(report, "wasxfail"):
        outcome = "xpassed" if report.passed else "xfailed"
    elif report.failed:
        outcome = "failed" if report.when == "call" else "error"
        crash = getattr(report.longrepr, "reprcrash", None)
        why = getattr(crash, "message", None) or str(report.longrepr)
    before = _ended.get(report.nodeid, ("passed", ""))
    if report.when == "call" or outcome != "passed":
        _ended[report.nodeid] = (outcome, " ".join(why.split())[:200])
    else:
        _ended.setdefault(report.nodeid, before)


def pytest_runtest_logfinish(nodeid, location):
    outcome, why = _ended.pop(nodeid)
    with FILE.open("a", encoding="utf-8") as file:
        file.write(f"{nodeid}\t{outcome}\t{why}\n".rstrip("\t\n") + "\n")
