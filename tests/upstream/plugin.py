"""Pytest plugin: lets Theano's own tests run on today's test tools.

Use it with ``-p plugin`` and this folder on PYTHONPATH. It replaces test tooling only: nose,
``numpy.testing.dec``, the aliases unittest dropped in Python 3.12, tests that yield their checks,
and what NumPy 2 took away, for the tests alone. Theano is left as it is installed.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import random
import sys
import types
import unittest
import warnings
from pathlib import Path

import numpy as np
import pytest


def _attr(*names, **values):
    """nose.plugins.attrib.attr: a mark ("slow") on a test; nothing selects by it here."""

    def decorate(test):
        for name in names:
            setattr(test, name, True)
        for name, value in values.items():
            setattr(test, name, value)
        return test

    return decorate


def _raises(*exceptions):
    """nose.tools.raises: the test passes if it raises one of the exceptions."""

    def decorate(test):
        @functools.wraps(test)
        def run(*args, **kwargs):
            with pytest.raises(exceptions):
                test(*args, **kwargs)

        return run

    return decorate


def _skipif(condition, reason=""):
    """numpy.testing.dec.skipif: the condition may be a callable, asked when the test runs."""

    def decorate(test):
        @functools.wraps(test)
        def run(*args, **kwargs):
            if condition() if callable(condition) else condition:
                raise unittest.SkipTest(reason)
            return test(*args, **kwargs)

        return run

    return decorate


def _knownfailureif(condition, reason=""):
    """numpy.testing.dec.knownfailureif: an expected failure counts as xfailed."""

    def decorate(test):
        @functools.wraps(test)
        def run(*args, **kwargs):
            if condition() if callable(condition) else condition:
                pytest.xfail(reason)
            return test(*args, **kwargs)

        return run

    return decorate


def _install_nose() -> None:
    case = unittest.TestCase()
    tools = {
        "assert_raises": case.assertRaises,
        "assert_true": case.assertTrue,
        "assert_equal": case.assertEqual,
        "assert_equals": case.assertEqual,
        "raises": _raises,
    }
    contents = {
        "nose": {"SkipTest": unittest.SkipTest},
        "nose.tools": tools,
        "nose.plugins": {},
        "nose.plugins.skip": {"SkipTest": unittest.SkipTest},
        "nose.plugins.attrib": {"attr": _attr},
    }
    for name, members in contents.items():
        module = types.ModuleType(name, "Stand-in of theano_colab's upstream tests.")
        vars(module).update(members)
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)


def _find_common_type(arrays, scalars):
    """np.find_common_type, for numbers: a scalar counts only if its kind is higher."""
    array, scalar = np.result_type(*arrays), np.result_type(*scalars)
    kinds = ("b", "iu", "f", "c")
    higher = [
        next(rank for rank, kind in enumerate(kinds) if one.kind in kind) for one in (array, scalar)
    ]
    return np.promote_types(array, scalar) if higher[1] > higher[0] else array


class _Cast:
    """np.cast: ``cast[dtype](value)`` is ``value`` as an array of ``dtype``."""

    def __getitem__(self, dtype):
        return lambda value: np.asarray(value).astype(dtype)


_NUMPY_1 = {
    "MAXDIMS": 64,  # what NumPy 2 knows and does not tell in Python
    "cast": _Cast(),
    "complex": complex,
    "find_common_type": _find_common_type,
    "float": float,
    "in1d": lambda one, other: np.isin(np.ravel(one), other),
    "product": np.prod,
}


def _give_tests_names_of_numpy_1() -> None:
    """Answer a name that NumPy took away, if a test asks: Theano meets NumPy as it is."""
    numpy_answers = np.__getattr__

    def answer(name):
        if name in _NUMPY_1 and _is_of_tests(sys._getframe(1).f_code):
            return _NUMPY_1[name]
        return numpy_answers(name)

    np.__getattr__ = answer


def _stack_generators_of_tests() -> None:
    """Let np.vstack take a generator, as it did until NumPy 1.24, if a test made it."""
    numpy_stacks = np.vstack

    @functools.wraps(numpy_stacks)
    def vstack(arrays, **keywords):
        if inspect.isgenerator(arrays) and _is_of_tests(arrays.gi_code):
            arrays = list(arrays)
        return numpy_stacks(arrays, **keywords)

    np.vstack = vstack


def _is_of_tests(code) -> bool:
    return Path(code.co_filename).parent.name == "tests"


def pytest_configure(config) -> None:
    """Put the stand-ins in place before any test module is imported."""
    _install_nose()
    np.testing.dec = types.SimpleNamespace(skipif=_skipif, knownfailureif=_knownfailureif)
    for old, new in (
        ("assertEquals", "assertEqual"),
        ("assertNotEquals", "assertNotEqual"),
        ("assertAlmostEquals", "assertAlmostEqual"),
        ("assertRaisesRegexp", "assertRaisesRegex"),
        ("assertItemsEqual", "assertCountEqual"),
        ("failUnlessRaises", "assertRaises"),
        ("failUnless", "assertTrue"),
        ("assert_", "assertTrue"),
    ):
        if not hasattr(unittest.TestCase, old):
            setattr(unittest.TestCase, old, getattr(unittest.TestCase, new))
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        _give_tests_names_of_numpy_1()
        _stack_generators_of_tests()
    _wait_less()
    # Theano's tests were written for a runner that shows warnings and goes on.
    warnings.simplefilter("default")
    config.addinivalue_line("filterwarnings", "default")


def _wait_less() -> None:
    """Ask for the compile lock fifty times a second: Theano waits a second, for another machine."""
    try:
        from theano.gof import compilelock
    except ImportError:  # the made-up Theano of the runner's own tests
        return
    compilelock.random = types.SimpleNamespace(
        uniform=lambda least, most: 0.02,
        random=random.random,
        randint=random.randint,
    )


# What test_basic.py takes from scipy.special to compare Theano's results with.
_REFERENCES = ["erf", "erfc", "gamma", "gammaln", "psi", "polygamma", "j0", "j1", "i0", "i1"]


def _in_old_precision(function):
    """Return what SciPy 1.5's function was: integers of up to 16 bits give float32.

    Today's give float64, and the tests compare dtypes, too.
    """

    @functools.wraps(function)
    def compute(*args):
        *orders, x = args
        x = np.asarray(x)
        if x.dtype.kind not in "biu" or x.itemsize > 2:
            return function(*args)
        return np.asarray(function(*orders, x.astype("float32")), "float32")

    return compute


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Give test_basic.py the reference functions it was written for, while it is imported.

    Theano's own code looks scipy.special's functions up when it calls them: it gets today's.
    """
    if getattr(collector, "name", "").rpartition("/")[2] != "test_basic.py":
        return (yield)
    special = importlib.import_module("scipy.special")
    kept = {name: getattr(special, name) for name in _REFERENCES}
    try:
        vars(special).update({name: _in_old_precision(one) for name, one in kept.items()})
        return (yield)
    finally:
        vars(special).update(kept)


def _run_all(generator):
    """Return a test that runs each check which ``generator`` yields, in turn."""

    def run(*args):
        for check, *arguments in (
            item if isinstance(item, tuple) else (item,) for item in generator(*args)
        ):
            check(*arguments)

    run.__name__, run.__doc__ = generator.__name__, generator.__doc__
    run.__signature__ = inspect.signature(generator)
    return run


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector, name, obj):
    """Turn a test that yields its checks, which pytest gave up in 4.0, into one that runs them."""
    # The module of NumPy's own functions may be None.
    if (getattr(obj, "__module__", None) or "").startswith("parameterized"):
        return []  # a decorator that a test module keeps under a name like a test's
    if inspect.isgeneratorfunction(obj) and collector.funcnamefilter(name):
        setattr(collector.obj, name, _run_all(obj))
        return list(collector._genfunctions(name, getattr(collector.obj, name)))
    if inspect.isclass(obj) and not issubclass(obj, unittest.TestCase):
        # nose ran these names on plain classes as well.
        for old, new in (("setUp", "setup_method"), ("tearDown", "teardown_method")):
            if hasattr(obj, old) and not hasattr(obj, new):
                setattr(obj, new, lambda self, method=None, old=old: getattr(self, old)())
    return None
