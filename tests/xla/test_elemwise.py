"""Elemwise and DimShuffle on XLA."""

import numpy as np
import theano.tensor as tt
from differ import compare


def test_a_product_and_a_sum():
    x, y = tt.fmatrix(), tt.fvector()
    compare([x, y], x * y + y, (np.ones((2, 3), "f"), np.arange(3, dtype="f")))


def test_sizes_that_do_not_fit():
    x, y = tt.fmatrix(), tt.fmatrix()
    wrong = (np.ones((2, 3), "f"), np.ones((2, 1), "f"))
    compare([x, y], x + y, wrong, replays=1)
