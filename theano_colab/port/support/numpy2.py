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
        kind = np.dtype(dtype).kind
        if kind not in "iu":
            raise
    if kind == "u":
        wide = np.asarray(_wrapped(np.asarray(value, dtype="object")), dtype="uint64")
    else:
        wide = np.asarray(value, dtype="int64")
    return np.asarray(wide.astype(dtype), order=order)


# A number below zero as the 64 bits that stand for it, read without a sign.
_wrapped = np.frompyfunc(lambda n: int(n) + 2**64 if n <= -1 else int(n), 1, 1)


def scalar(type_, value):
    """Return ``type_(value)`` for a NumPy scalar type; an integer too big for it wraps round."""
    try:
        return type_(value)
    except OverflowError:
        return asarray(value, type_)[()]


def of_type(scalar_type, value):
    """Return ``value``, a number of any dtype, as a NumPy scalar of Theano's ``scalar_type``."""
    if isinstance(value, int):
        return asarray(value, scalar_type.dtype)[()]
    return np.asarray(value).astype(scalar_type.dtype)[()]


class _Cast:
    """``cast[dtype](value)``: ``value`` as an array of ``dtype`` (see dtype_of), by C's rules."""

    def __getitem__(self, dtype):
        dtype = dtype_of(dtype)
        return lambda value: np.asarray(value).astype(dtype)


cast = _Cast()
