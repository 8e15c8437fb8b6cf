"""Scans, through our compiled loop and through Theano's own in Python: see scan_programs.py."""

from __future__ import annotations

import pytest
import running

pytestmark = pytest.mark.slow


# The last runs the inner function through Python's VM, with hardly any optimization.
@pytest.fixture(
    scope="module",
    params=["floatX=float64", "floatX=float32", "floatX=float64,linker=vm,optimizer=fast_compile"],
)
def outcomes(request, run_port):
    return running.outcomes(run_port, "scan_programs", request.param)


@pytest.mark.parametrize("name", running.names("scan_programs"))
def test_scan_gives_what_numpy_gives(name, outcomes):
    assert outcomes[name] == ""


def test_the_loop_is_compiled_once_and_used(run_port):
    program = (
        "import theano, theano.tensor as T\n"
        "x = T.vector()\n"
        "f = theano.function([x], theano.scan(lambda a, s: a * s, x, T.ones(()))[0])\n"
        "import sys\n"
        "print(sys.modules['scan_perform.scan_perform'].__file__)\n"
    )
    first = run_port("-c", program)
    assert "scan_perform" in first
    assert run_port("-c", program) == first


def test_without_a_compiler_the_loop_is_pythons(run_port, tmp_path):
    program = (
        "import logging, warnings; logging.disable(); warnings.simplefilter('ignore')\n"
        "import theano, theano.tensor as T\n"
        "x = T.vector()\n"
        "f = theano.function([x], theano.scan(lambda a, s: a + s, x, T.zeros(()))[0])\n"
        "print(f([1, 2, 3]).tolist())\n"
    )
    assert run_port("-c", program, flags=f"cxx=,base_compiledir={tmp_path}") == "[1.0, 3.0, 6.0]\n"
