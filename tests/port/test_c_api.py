"""The C that Theano generates, compiled and run on today's NumPy and Python: see c_programs.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("c_programs.py")
NAMES = [
    line.removeprefix("def ").partition("(")[0]
    for line in PROGRAMS.read_text("utf-8").splitlines()
    if line.startswith("def ") and not line.startswith("def _")
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcomes(run_port):
    lines = run_port(str(PROGRAMS), flags="floatX=float64").splitlines()
    results = [json.loads(line) for line in lines if line.startswith("{")]
    return {result["name"]: result["error"] for result in results}


@pytest.mark.parametrize("name", NAMES)
def test_c_program_gives_what_numpy_gives(name, outcomes):
    assert outcomes[name] == ""
