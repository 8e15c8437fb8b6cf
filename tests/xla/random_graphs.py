"""Random Theano graphs: the steps of which they are made, drawn by hypothesis, built from numbers.

A step takes variables that are there, by numbers, and adds one. What Theano does not allow (a
product of vectors and volumes, say) adds none. A term is *exact* if no rounding was involved: only
then may it be compared or cut off as it is, for what is nearly 2 may be 1.9999999 on one linker.
"""

from dataclasses import dataclass, field

import numpy as np
import theano.tensor as tt

#: The steps by name; random_steps.py adds them.
STEPS = {}
FLOATS, MOST = ("float32", "float64"), 3


def step(function=None, *, rounds=False):
    """Add a function of a Draw to the steps; ``rounds``: what it gives is not exact."""
    if function is None:
        return lambda one: step(one, rounds=rounds)
    STEPS[function.__name__] = (function, rounds)
    return function


@dataclass(frozen=True)
class Term:
    """A variable, and whether its values are free of rounding."""

    variable: object
    exact: bool


@dataclass
class Draw:
    """What one step is drawn from: numbers, and the terms that are there."""

    numbers: tuple
    terms: list
    shared: list = field(default_factory=list)
    updates: dict = field(default_factory=dict)
    exact: bool = True
    position: int = 0

    def of(self, *options):
        """Return one of the options."""
        self.position += 1
        return options[self.numbers[self.position % len(self.numbers)] % len(options)]

    def sharp(self, least=0, most=MOST):
        """Return a variable whose values may be cut off: none is nearly a round number."""
        term = self._term(least, most)
        inexact = not term.exact and term.variable.dtype[:5] in ("float", "compl")
        return term.variable * 0.7 + 0.12345 if inexact else term.variable

    def any(self, least=0, most=MOST):
        """Return a variable with so many dimensions."""
        term = self._term(least, most)
        self.exact &= term.exact
        return term.variable

    def _term(self, least, most):
        fitting = [one for one in self.terms if least <= one.variable.ndim <= most]
        if not fitting:
            raise TypeError("no such term")
        return self.of(*fitting[-3:], *fitting)

    def axis(self, v):
        """Return an axis, also a negative one, or None."""
        return self.of(None, *range(-v.ndim, v.ndim))

    def real(self, least=0, most=MOST):
        """Return a variable of floating point."""
        v = self.any(least, most)
        if v.dtype.startswith("complex"):
            raise TypeError("not for complex numbers")
        return v if v.dtype in FLOATS else v.astype(self.of(*FLOATS))

    def slice(self):
        """Return a slice of any kind; its bounds may be integers that only a call tells."""
        bounds = [None, None, -3, -1, 0, 1, 2, 5]
        bounds += [t.variable for t in self.terms if is_integer(t.variable, 0)]
        return slice(self.of(*bounds), self.of(*bounds), self.of(None, None, 1, 2, -1, -2))

    def integers(self):
        """Return a vector of indices: constant or not."""
        found = [t.variable for t in self.terms if is_integer(t.variable, 1)]
        return self.of(np.array([0, -1]), np.array([1, 0, 1]), np.zeros(0, "int64"), *found)

    def index(self, v):
        """Return an index of any form into a variable."""
        form, first = self.of(*range(10)), self.slice()
        integers = [t.variable for t in self.terms if is_integer(t.variable, 0)]
        one = self.of(0, -1, 1, *integers)
        some = [
            (first,),
            (Ellipsis, first),
            (first, one) if v.ndim > 1 else (one,),
            (self.integers(),),
            (first, self.integers()) if v.ndim > 1 else (first,),
            (self.integers(), first) if v.ndim > 1 else (self.integers(),),
            (np.array([0, -1]), np.array([0, 1])) if v.ndim > 1 else (first,),
            (self._mask(v),),
            (None, first),
            (one, Ellipsis, self.integers()) if v.ndim > 2 else (self._mask(v, 1),),
        ]
        return some[form]

    def _mask(self, v, ndim=None):
        mask = v > 0 if not v.dtype.startswith(("bool", "complex")) else tt.eq(v, 1)
        if not all(t.exact for t in self.terms if t.variable is v):
            mask = tt.ones_like(v, dtype="bool")
        return mask if ndim is None else mask[(slice(None), *[0] * (v.ndim - ndim))]


def is_integer(variable, ndim):
    return variable.ndim == ndim and variable.dtype.startswith(("int", "uint"))


def grown(steps, terms, shared):
    """Return the terms with those of the steps, the updates of scans, and what was refused."""
    terms, updates, refused = list(terms), {}, []
    for name, numbers in steps:
        function, rounds = STEPS[name]
        draw = Draw(numbers, terms, shared, updates)
        try:
            variable = tt.as_tensor_variable(function(draw))
        except Exception as error:  # noqa: BLE001  # of every kind: the other linker's must be the same
            refused.append((name, type(error).__name__))
            continue
        exact = draw.exact and (not rounds or variable.dtype[:5] not in ("float", "compl"))
        if variable.ndim <= MOST + 1:
            terms.append(Term(variable, exact))
    return terms, updates, refused
