"""MRG_RandomStreams on XLA: the same bits as the C code, call after call."""

from itertools import chain

import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, C, compare, host_nodes
from theano.sandbox.multinomial import ChoiceFromUniform, MultinomialFromUniform
from theano.sandbox.rng_mrg import MRG_RandomStreams, mrg_uniform


def streams(count, seed=7):
    """Return states of streams: any numbers below the moduli."""
    random = np.random.default_rng(seed)
    return random.integers(1, 2147462579, size=(count, 6)).astype("int32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits(dtype):
    state = tt.imatrix()
    outputs = []
    for size in [(7, 5), (3,), (40,), (0, 3), (2, 2, 5)]:
        outputs += mrg_uniform.new(state, None, dtype, tt.as_tensor(size))
    function = [theano.function([state], outputs, mode=mode) for mode in (C, XLA)]
    assert not host_nodes(function[1])
    for count in (1, 10, 64):
        for expected, got in zip(*(one(streams(count)) for one in function), strict=True):
            np.testing.assert_array_equal(got, expected, strict=True)


def test_float16():
    state = tt.imatrix()
    outputs = mrg_uniform.new(state, None, "float16", (5, 5))
    mode = theano.Mode("py", None)
    expected = theano.function([state], outputs, mode=mode)(streams(3))
    got = theano.function([state], outputs, mode=XLA)(streams(3))
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def test_the_largest_states():
    state = tt.imatrix()
    values = np.array(
        [[2147483646] * 3 + [2147462578] * 3, [1, 0, 0, 1, 0, 0], [0, 0, 1, 2147462578, 0, 1]],
        "int32",
    )
    compare([state], mrg_uniform.new(state, None, "float64", (30,)), [values])


def program(mode):
    """Draw from every distribution, three times."""
    random = MRG_RandomStreams(5)
    shared = theano.shared(np.full((4, 3), 0.3), "p")
    outputs = [
        random.uniform((3, 4), dtype="float32"),
        random.binomial((5,), p=0.3, dtype="int64"),
        random.binomial(shared.shape, p=shared, dtype="float64"),
        random.multinomial(pvals=shared / shared.sum(axis=1, keepdims=True)),
        random.multinomial(n=5, pvals=shared / shared.sum(axis=1, keepdims=True)),
        random.choice(size=2, replace=False, p=shared / shared.sum(axis=1, keepdims=True)),
    ]
    function = theano.function([], outputs, mode=mode)
    return function, [function() for _ in range(3)]


def test_programs_draw_the_same():
    _, expected = program(C)
    function, got = program(XLA)
    assert not host_nodes(function)
    for one, other in zip(chain(*got), chain(*expected), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def test_what_is_computed_from_the_bits_is_rounded_otherwise():
    # XLA makes one operation of a product and a sum, with one rounding instead of two.
    draws = []
    for mode in (C, XLA):
        random = MRG_RandomStreams(9)
        outputs = [
            random.normal((6, 5), dtype="float64"),
            random.uniform((6, 5), low=-1, high=2, dtype="float64"),
        ]
        function = theano.function([], outputs, mode=mode)
        draws.append([*function(), *function()])
    np.testing.assert_allclose(draws[1], draws[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_from_given_numbers(dtype):
    p, u = tt.matrix("p", dtype), tt.vector("u", dtype)
    outputs = [MultinomialFromUniform("auto")(p, u, 3), MultinomialFromUniform("int32")(p, u, 3)]
    outputs += [ChoiceFromUniform("auto", replace)(p, u, 3) for replace in (False, True)]
    random = np.random.default_rng(3)
    values = random.uniform(size=(50, 7)).astype(dtype)
    values /= values.sum(axis=1, keepdims=True)
    compare([p, u], outputs, [values, random.uniform(size=150, high=0.99).astype(dtype)])


def test_numbers_that_do_not_fit():
    p, u = tt.fmatrix(), tt.fvector()
    call = [np.full((2, 3), 1 / 3, "f"), np.full(4, 0.5, "f")]
    compare([p, u], MultinomialFromUniform("auto")(p, u, 3), call, replays=1)
    compare([p, u], ChoiceFromUniform("auto")(p, u, 4), call, replays=1)


def test_a_node_of_an_old_pickle_that_draws_once():
    p, u = tt.fmatrix(), tt.fvector()
    op = MultinomialFromUniform("auto")
    once = theano.Apply(op, [p, u], [tt.fmatrix()]).outputs[0]
    f = theano.function([p, u], once, mode=XLA)
    call = [np.full((2, 3), 1 / 3, "f"), np.array([0.2, 0.9], "f")]
    np.testing.assert_array_equal(f(*call), [[1, 0, 0], [0, 0, 1]])
    assert not host_nodes(f)
