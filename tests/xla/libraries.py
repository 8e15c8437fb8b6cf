"""Old libraries for the tests: imported as they are, and programs run on both linkers."""

import importlib.util
import warnings

import numpy as np
import pytest
import theano
from differ import XLA, C, clusters, host_nodes, same

from theano_colab.xla.types import XlaSharedVariable, shared_constructor


def load(name):
    """Import a library, or skip the test that asks for it where it is not installed.

    What its import changes in Theano's configuration goes.
    """
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    floats = theano.config.floatX
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the library's own code
            return importlib.import_module(name)
    finally:
        theano.config.floatX = floats


def both_agree(program, rtol=1e-4):
    """Assert that a program gives the same on both linkers, and that the device computes all of it.

    It runs as a user's would, with plain ``theano.shared`` and ``theano.function``, in float32. It
    returns its parameters, its compiled functions, and the numbers seen while it went on.
    """
    plain = theano.shared.constructors
    expected, *_ = _run(program, C, plain)
    got, parameters, functions = _run(program, XLA, [*plain, shared_constructor])
    assert parameters
    assert all(isinstance(one, XlaSharedVariable) for one in parameters)
    for function in functions:
        assert clusters(function)
        assert not host_nodes(function)
        assert not any(one.program.counts.on_host for one in clusters(function))
    for one, other in zip(expected, got, strict=True):
        same(other, one, rtol)


def _run(program, mode, constructors):
    np.random.seed(1)  # the libraries take their seeds from there
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theano.shared, "constructors", constructors)
        patch.setattr(theano.compile.mode, "instantiated_default_mode", mode)
        patch.setattr(theano.config, "floatX", "float32")
        parameters, functions, numbers = program()
        return [*numbers, *(one.get_value() for one in parameters)], parameters, functions
