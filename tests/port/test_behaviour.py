"""Small programs, such as a notebook has, against NumPy: see programs.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("programs.py")
NAMES = [
    line.removeprefix("def ").partition("(")[0]
    for line in PROGRAMS.read_text("utf-8").splitlines()
    if line.startswith("def ") and not line.startswith("def _")
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["float64", "float32"])
def outcomes(request, run_port):
    printed = run_port(str(PROGRAMS), flags=f"floatX={request.param}").splitlines()
    # Theano prints as well: that it has no C code for an op in float16.
    outcomes = [json.loads(line) for line in printed if line.startswith("{")]
    return {outcome["name"]: outcome["error"] for outcome in outcomes}


@pytest.mark.parametrize("name", NAMES)
def test_program_gives_what_numpy_gives(name, outcomes):
    assert outcomes[name] == ""
