"""Theano 1.0.5 as a wheel for today's Python and NumPy: the pinned sdist, rewritten by rules."""
