"""Constants are folded by NumPy, so that a graph for a device asks for no C compiler.

Theano compiles C code even to fold a constant: a second or two for each kind of op, where nothing
is in its cache yet, as on every new machine. That is most of the time to a first result.
"""

from __future__ import annotations

from typing import Any

from theano.compile.ops import Rebroadcast, Shape, Shape_i
from theano.tensor import basic, elemwise, opt, subtensor

# What makes constants of constants, in NumPy as well as in C.
_OPS = (
    basic.Alloc,
    basic.Join,
    basic.Reshape,
    basic.ScalarFromTensor,
    basic.TensorFromScalar,
    elemwise.DimShuffle,
    elemwise.Elemwise,
    opt.MakeVector,
    Rebroadcast,
    Shape,
    Shape_i,
    subtensor.Subtensor,
)


def enable() -> None:
    """Fold by NumPy from now on, for the host's functions as well: the values are the same."""
    for op in _OPS:
        op.python_constant_folding = _always  # what Theano's constant_folding asks for


def _always(op: Any, node: Any) -> bool:
    return True
