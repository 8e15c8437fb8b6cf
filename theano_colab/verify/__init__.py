"""Prove that Theano works: compile real functions, compare them with NumPy, look at what ran."""
