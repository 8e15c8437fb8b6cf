"""What NumPy 1 did and NumPy 2 does not, where Theano depends on it.

NumPy 2 refuses a Python integer that a dtype cannot hold (NEP 50) where NumPy 1 wrapped it round,
and has no ``np.cast``. Theano tries a value in one dtype after the other and looks whether it
survived, so it needs the conversion that does not refuse.
"""

import numpy as np


def dtype_of(what):
    """Return ``np.dtype(what)``, where ``what`` may be a variable or a type of Theano's too.

    Those have the name of their dtype as ``dtype``, which NumPy 2.4 takes no longer.
    """
    name = getattr(what, "dtype", None)
    return np.dtype(name if isinstance(name, str) else what)


def asarray(value, dtype, order=None):
    """Return ``value`` as an array of ``dtype``; an integer too big for it wraps round, as in C.

    Raises OverflowError, as NumPy 1 did, for an integer that 64 bits cannot hold.
    """
    try:
        return np.asarray(value, dtype=dtype, order=order)
    except OverflowError:
        if np.dtype(dtype).kind not in "iu":
            raise
        return np.asarray(value, dtype="int64", order=order).astype(dtype)


def scalar(type_, value):
    """Return ``type_(value)`` for a NumPy scalar type; an integer too big for it wraps round."""
    try:
        return type_(value)
    except OverflowError:
        return asarray(value, type_)[()]


class _Cast:
    """``cast[dtype](value)``: ``value`` as an array of ``dtype`` (see dtype_of), by C's rules."""

    def __getitem__(self, dtype):
        dtype = dtype_of(dtype)
        return lambda value: np.asarray(value).astype(dtype)


cast = _Cast()
