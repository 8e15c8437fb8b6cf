"""The C that Theano generates, compiled and run on today's NumPy and Python: see c_programs.py."""

from __future__ import annotations

import pytest
import running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcomes(run_port):
    return running.outcomes(run_port, "c_programs", "floatX=float64")


@pytest.mark.parametrize("name", running.names("c_programs"))
def test_c_program_gives_what_numpy_gives(name, outcomes):
    assert outcomes[name] == ""
