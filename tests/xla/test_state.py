"""Programs of many calls: shared variables on the device behave as they do on the host.

Each program is a function of a constructor of shared variables and a mode. It returns everything
that a user can see while it goes on; both runs must have seen the same.
"""

import copy
import pickle

import jax
import numpy as np
import pytest
import theano
import theano.tensor as tt
from differ import XLA, C, clusters, same
from theano.tensor.inplace import add_inplace

from theano_colab.xla.types import XlaSharedVariable, shared_constructor

PROGRAMS = []


def program(function):
    """Add a program to those that are compared."""
    PROGRAMS.append(function)
    return function


def _array(*shape, dtype="float32", start=0.0):
    return (np.arange(np.prod(shape)).reshape(shape) * 0.5 + start).astype(dtype)


@program
def counts(shared, mode):
    a = shared(_array(3))
    f = theano.function([], a * 2, updates=[(a, a + 1)], mode=mode)
    return [f(), f(), a.get_value(), f()]


@program
def an_output_is_the_shared_variable(shared, mode):
    a = shared(_array(3))
    f = theano.function([], [a], updates=[(a, a + 1)], mode=mode)
    return [f(), f(), f(), a.get_value()]


@program
def an_output_is_the_update(shared, mode):
    a = shared(_array(3))
    new = a + 1
    f = theano.function([], [new, a, new * 2], updates=[(a, new)], mode=mode)
    return [f(), f(), a.get_value()]


@program
def a_swap(shared, mode):
    a, b = shared(_array(3)), shared(_array(3, start=7))
    f = theano.function([], [a, b], updates=[(a, b), (b, a)], mode=mode)
    return [f(), f(), f(), a.get_value(), b.get_value()]


@program
def a_ring_of_three(shared, mode):
    a, b, c = (shared(_array(2, start=k)) for k in (0, 10, 20))
    f = theano.function([], a + b, updates=[(a, b), (b, c * 2), (c, a)], mode=mode)
    return [f(), f(), f(), f(), *[one.get_value() for one in (a, b, c)]]


@program
def one_value_for_two(shared, mode):
    a, b = shared(_array(3)), shared(_array(3, start=4))
    new = tt.tanh(a + b)
    f = theano.function([], [], updates=[(a, new), (b, new)], mode=mode)
    seen = []
    for _ in range(3):
        f()
        seen += [a.get_value(), b.get_value()]
    g = theano.function([], [], updates=[(a, a * 3)], mode=mode)
    g()
    return [*seen, a.get_value(), b.get_value()]


@program
def what_was_handed_out_is_not_touched(shared, mode):
    a = shared(_array(3))
    f = theano.function([], [a, a + 0], updates=[(a, a + 1)], mode=mode)
    first = f()
    value = a.get_value()
    value[:] = 99
    first[0][:] = 99
    f()
    return [first, a.get_value(), f()]


@program
def what_was_given_may_be_written(shared, mode):
    given = _array(4000)
    a = shared(given)
    given[:] = -1
    seen = [a.get_value()]
    a.set_value(given)
    given[:] = -2
    seen.append(a.get_value())
    x = tt.fvector()
    f = theano.function([x], [], updates=[(a, x)], mode=mode)
    g = theano.function([x], [], updates=[(a, a + x)], mode=mode)
    for one in (f, g, g):
        one(given)
        given += 3
    return [*seen, a.get_value()]


@program
def big_inputs_written_at_once(shared, mode):
    x = tt.fmatrix()
    a = shared(np.zeros((700, 700), "f"))
    f = theano.function([x], [], updates=[(a, a + x * x)], mode=mode)
    value = np.ones((700, 700), "f")
    for _ in range(5):
        f(value)
        value += 1
    return [a.get_value()]


@program
def borrowed(shared, mode):
    a = shared(_array(3), borrow=True)
    x = tt.fvector()
    f = theano.function(
        [theano.In(x, borrow=True)], theano.Out(x + a, borrow=True), updates=[(a, a * 2)], mode=mode
    )
    # With borrow an output may be overwritten by the next call: looked at before it.
    seen = [f(_array(3)).copy(), f(_array(3)).copy()]
    a.set_value(_array(3, start=5), borrow=True)
    return [*seen, f(_array(3)).copy(), a.get_value(borrow=True).copy()]


@program
def set_between_calls(shared, mode):
    a = shared(_array(3))
    f = theano.function([], a.sum(), updates=[(a, a + 1)], mode=mode)
    seen = [f()]
    a.set_value(_array(5))
    seen += [f(), a.get_value()]
    a.set_value(np.zeros(0, "f"))
    return [*seen, f(), f(), a.get_value()]


@program
def several_functions_over_one(shared, mode):
    a = shared(_array(3))
    x = tt.fscalar()
    add = theano.function([x], [], updates=[(a, a + x)], mode=mode)
    scale = theano.function([x], a, updates=[(a, a * x)], mode=mode)
    read = theano.function([], a.sum(), mode=mode)
    seen = []
    for k in range(3):
        add(k)
        seen += [scale(1.5), read()]
    return [*seen, a.get_value()]


@program
def givens_and_default_updates(shared, mode):
    a, b = shared(_array(3)), shared(_array(3, start=2))
    a.default_update = a + 1
    x = tt.fvector()
    f = theano.function([], x * a, givens=[(x, b * 2)], updates=[(b, b - 1)], mode=mode)
    g = theano.function([], a * 1, no_default_updates=True, mode=mode)
    return [f(), g(), f(), g(), a.get_value(), b.get_value()]


@program
def shapes_that_change(shared, mode):
    a = shared(_array(2, 3))
    x = tt.fmatrix()
    f = theano.function([x], tt.dot(a, x), updates=[(a, tt.dot(a, x))], mode=mode)
    return [f(_array(3, 4)), f(_array(4, 1)), f(_array(1, 5)), a.get_value()]


@program
def pickled_in_the_middle(shared, mode):
    a = shared(_array(3), name="a")
    f = theano.function([], a * 2, updates=[(a, a + 1)], mode=mode)
    seen = [f()]
    g, b = pickle.loads(pickle.dumps((f, a)))
    return [*seen, g(), g(), b.get_value(), f(), a.get_value()]


@program
def doubles_and_integers(shared, mode):
    a, n = shared(_array(3, dtype="float64")), shared(_array(3, dtype="int64"))
    big = shared(np.array([2**40, -(2**40)], "int64"))
    f = theano.function(
        [], [a / 3, n * 3, big + 1], updates=[(a, a + n), (n, n * n + 1), (big, big * 2)], mode=mode
    )
    return [f(), f(), f(), a.get_value(), n.get_value(), big.get_value()]


@program
def pickled_doubles(shared, mode):
    a = shared(np.array([1 / 3, 2**60 + 1.0]))
    n = shared(np.array([2**60 + 1, 3], "int64"))
    f = theano.function([], [a, n], updates=[(a, a * 2), (n, n + 1)], mode=mode)
    f()
    g, b, m = pickle.loads(pickle.dumps((f, a, n)))
    return [g(), b.get_value(), m.get_value(), copy.deepcopy(a).get_value()]


@program
def batches_by_index(shared, mode):
    data = shared(_array(10, 3))
    total = shared(np.zeros(3, "f"))
    i = tt.lscalar()
    f = theano.function(
        [i], [], updates=[(total, total + data[i * 4 : (i + 1) * 4].sum(axis=0))], mode=mode
    )
    seen = []
    for k in (0, 1, 2, 0):
        f(k)
        seen.append(total.get_value())
    return seen


@program
def an_input_that_is_an_output(shared, mode):
    a = shared(_array(3))
    x = tt.fvector()
    f = theano.function([x], [x, a], updates=[(a, x)], mode=mode)
    value = _array(3, start=3)
    first = f(value)
    value[:] = 0
    return [first, a.get_value(), f(value)]


@program
def evaluated(shared, mode):
    a = shared(_array(2, 2))
    return [(a * 2).eval(), a.eval(), tt.dot(a, a).eval(), a.sum().eval()]


@program
def columns(shared, mode):
    a = shared(_array(3, 1), broadcastable=(False, True))
    x = tt.fmatrix()
    f = theano.function([x], x * a, updates=[(a, tt.addbroadcast(a * 2, 1))], mode=mode)
    return [f(_array(3, 4)), f(_array(3, 2)), a.get_value()]


@program
def zeroed(shared, mode):
    a = shared(_array(2, 2))
    a.zero()
    f = theano.function([], a + 1, updates=[(a, a + 1)], mode=mode)
    return [f(), f(), a.get_value()]


def _flat(seen):
    for one in seen:
        if isinstance(one, list):
            yield from _flat(one)
        else:
            yield one


@pytest.mark.parametrize("run", PROGRAMS, ids=lambda run: run.__name__)
def test_a_program(run):
    expected, got = run(theano.shared, C), run(shared_constructor, XLA)
    for one, other in zip(_flat(got), _flat(expected), strict=True):
        assert isinstance(one, (np.ndarray, np.generic)), type(one)
        same(one, other)


def test_it_does_run_on_the_device():
    a = shared_constructor(_array(3))
    f = theano.function([], a * 2, updates=[(a, a + 1)], mode=XLA)
    f()
    (cluster,) = clusters(f)
    assert isinstance(a, XlaSharedVariable)
    assert cluster.program.counts.compiled == 1
    assert not cluster.program.counts.on_host


def test_an_exception_half_way_changes_nothing():
    # Theano's own code may have begun to write in place; the device's arrays cannot change.
    a, b = shared_constructor(_array(3)), shared_constructor(_array(3))
    x = tt.fvector()
    f = theano.function([x], a * b, updates=[(a, a + 1), (b, b + x)], mode=XLA)
    f(_array(3))
    with pytest.raises(ValueError, match=r"(?i)mis-?match"):
        f(_array(4))
    same(a.get_value(), _array(3) + 1)
    same(b.get_value(), _array(3) * 2)
    same(f(_array(3)), (_array(3) + 1) * _array(3) * 2)


def test_copies_of_a_function():
    # By value and not beside the C linker: its copies work in place on what they should not.
    a, b = shared_constructor(_array(3)), shared_constructor(_array(3, start=9))
    f = theano.function([], a * 2, updates=[(a, a + 1)], mode=XLA)
    g, h = f.copy(swap={a: b}), f.copy(share_memory=True)
    deep = copy.deepcopy(f)
    for function, factor, start in ((f, 2, 0), (g, 2, 9), (h, 2, 1), (deep, 2, 0), (f, 2, 2)):
        (value,) = np.reshape(function(), (1, 3))
        same(value, factor * (_array(3) + np.float32(start)))
    same(a.get_value(), _array(3) + 3)
    same(b.get_value(), _array(3) + 10)


def test_what_was_transferred_stays_on_the_device():
    x = tt.fvector()
    kept, fetched = theano.function([x], [(x * 2).transfer(None), x * 3], mode=XLA)(_array(3))
    assert isinstance(kept, jax.Array)
    assert isinstance(fetched, np.ndarray)


def test_an_op_that_a_user_has_write_into_an_argument_does():
    x, y = tt.fvectors("xy")
    f = theano.function([x, y], add_inplace(x, y) * 2, mode=XLA, accept_inplace=True)
    value = np.arange(3, dtype="f")
    same(f(value, np.ones(3, "f")), np.array([2, 4, 6], "f"))
    same(value, np.array([1, 2, 3], "f"))


def test_so_does_one_that_writes_through_a_view():
    x = tt.fmatrix()
    written = tt.set_subtensor(x.T[0], 9, inplace=True)
    f = theano.function([x], written.sum(), mode=XLA, accept_inplace=True)
    value = np.ones((2, 3), "f")
    same(f(value), np.float32(22))
    same(value, np.array([[9, 1, 1], [9, 1, 1]], "f"))


@pytest.mark.parametrize("view", [lambda x: x, lambda x: x.T], ids=["itself", "a view"])
def test_what_reads_an_argument_does_so_before_it_is_written(view):
    x = tt.fmatrix()
    before = x * 2 + 1
    written = view(tt.set_subtensor(view(x)[0], 9, inplace=True))
    f = theano.function([x], [written + before, before], mode=XLA, accept_inplace=True)
    value = np.ones((2, 2), "f")
    expected = view(np.array([[9, 9], [1, 1]], "f")) + 3
    for got, wanted in zip(f(value), [expected, np.full((2, 2), 3, "f")], strict=True):
        same(got, wanted)
