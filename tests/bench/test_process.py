"""A child process and how it ends."""

from __future__ import annotations

import os
import selectors
import sys

import pytest

from theano_colab.bench.process import Child

DEAF = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("ready", flush=True)
sys.exit(7 if sys.stdin.read() == "" else 8)
"""


@pytest.fixture
def deaf():
    """Return a child that has started and hears no interrupt."""
    child = Child("deaf", [sys.executable, "-c", DEAF], os.environ)
    with selectors.DefaultSelector() as selector:
        child.watch(selector)
        while not any(
            line == b"ready"
            for key, _ in selector.select()
            for line in child.read(key.data[1], selector)
        ):
            pass
    yield child
    child.close()


def test_who_does_not_hear_an_interrupt_hears_that_nobody_listens(deaf):
    """Else it would be waited for, and killed: -9."""
    deaf.end()
    assert deaf.status() == 7
