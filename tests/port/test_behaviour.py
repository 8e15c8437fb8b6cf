"""Small programs against NumPy: such as a notebook has, and over dtypes."""

from __future__ import annotations

import pytest
import running

FILES = ("behaviour_programs", "dtype_programs")
PROGRAMS = [(file, name) for file in FILES for name in running.names(file)]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["float64", "float32"])
def outcomes(request, run_port):
    return {file: running.outcomes(run_port, file, f"floatX={request.param}") for file in FILES}


@pytest.mark.parametrize(("file", "name"), PROGRAMS)
def test_program_gives_what_numpy_gives(file, name, outcomes):
    assert outcomes[file][name] == ""
