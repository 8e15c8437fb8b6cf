"""Subtensor and IncSubtensor on XLA."""

import numpy as np
import pytest
import theano
import theano.tensor as tt
from theano.compile import DeepCopyOp
from theano.compile.mode import Mode
from differ import XLA, clusters, compare, same


# Theano's Python code: NumPy's own indexing. C code for each of these index lists would take minutes.
PYTHON = Mode("py", "fast_run").excluding("xla")


def array(*shape, dtype="float32"):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


SLICES = [
    np.s_[:],
    np.s_[1:3],
    np.s_[-3:-1],
    np.s_[::2],
    np.s_[::-1],
    np.s_[3:0:-2],
    np.s_[5:2],
    np.s_[-100:100],
    np.s_[100:-100:-1],
    np.s_[2],
    np.s_[-1],
    np.s_[1, 2],
    np.s_[1:, -1],
    np.s_[-2, ::-3],
    np.s_[::2, ::-1],
    np.s_[1:1, 3],
    np.s_[:, 1:2, ::-1],
    np.s_[0, 1, 2],
    np.s_[-1, ::-2, 1:],
]


def test_known_indices():
    x = tt.ftensor3()
    compare(
        [x],
        [x[one] for one in SLICES],
        (array(5, 4, 3),),
        (array(5, 4, 6)[..., ::2],),
        host=(DeepCopyOp,),
        modes=(PYTHON, XLA),
    )


def test_known_places_are_written():
    x, v, row = tt.ftensor3(), tt.fscalar(), tt.fvector()
    outputs = []
    for one in SLICES:
        outputs += [tt.inc_subtensor(x[one], v), tt.set_subtensor(x[one], v)]
        if x[one].ndim:
            y = row[0] if x[one].ndim == 1 and one == np.s_[1, 2] else row[:1]
            outputs += [tt.inc_subtensor(x[one], y), tt.set_subtensor(x[one], y)]
    compare(
        [x, v, row], outputs, (array(5, 4, 3), np.float32(-7), array(3) * 10), modes=(PYTHON, XLA)
    )
