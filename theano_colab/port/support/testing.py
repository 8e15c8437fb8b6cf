"""Stand-ins for what Theano's tests import and today lacks: nose, parameterized.

User code imports ``theano.tests.unittest_tools`` for ``verify_grad`` and ``fetch_seed``, which need
neither; and nose has not worked since Python 3.10.
"""

import re
import unittest
from unittest import SkipTest

__all__ = ["SkipTest", "assert_raises", "attr", "parameterized"]

assert_raises = unittest.TestCase().assertRaises


def attr(*names, **values):
    """Return a decorator that sets the attributes on a test, as nose.plugins.attrib.attr does."""

    def decorate(test):
        for name in names:
            setattr(test, name, True)
        for name, value in values.items():
            setattr(test, name, value)
        return test

    return decorate


try:
    from parameterized import parameterized
except ImportError:

    class parameterized:
        """As much of it as naming the cases takes; to expand them, install parameterized."""

        @staticmethod
        def to_safe_name(text):
            return re.sub("[^a-zA-Z0-9_]+", "_", str(text))
