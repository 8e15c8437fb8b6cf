"""``cachedmethod`` as cachetools had it until 6: a property and a method made later may be cached.

Goes into the wheel of PyMC3 as ``pymc3._caching``.
"""

import contextlib
import functools


def cachedmethod(cache, key):
    """Return a decorator: ``cache(self)`` keeps a method's results by ``key(self, *arguments)``."""

    def decorate(method):
        @functools.wraps(method)
        def call(self, *arguments, **named):
            kept, name = cache(self), key(self, *arguments, **named)
            try:
                return kept[name]
            except KeyError:
                result = method(self, *arguments, **named)
            with contextlib.suppress(ValueError):  # larger than the cache
                kept[name] = result
            return result

        return call

    return decorate
