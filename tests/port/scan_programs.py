"""Programs that test_scan.py runs with the port: scans, through the compiled loop or Python's."""

from __future__ import annotations

import pickle

import numpy as np
import theano
import theano.tensor as T  # noqa: N812 - as every notebook does
from numpy.testing import assert_allclose, assert_array_equal
from theano.tensor.shared_randomstreams import RandomStreams

FLOATX = theano.config.floatX
TOLERANCE = 1e-4 if FLOATX == "float32" else 1e-10


def _random(*shape):
    return np.random.RandomState(0).normal(size=shape).astype(FLOATX)


def _close(result, expected):
    assert_allclose(result, expected, rtol=TOLERANCE, atol=TOLERANCE)


def sequences_only():
    x, y = T.matrix(), T.vector()
    # Not elementwise, or the optimizer would take it out of the loop.
    result, _ = theano.scan(lambda a, b: T.cumsum(a) * b, sequences=[x, y])
    function = theano.function([x, y], result)
    a, b = _random(5, 3), _random(7)
    for _ in range(2):
        _close(function(a, b), a.cumsum(1) * b[:5, None])
    _close(function(a[::-2], b[1:]), a[::-2].cumsum(1) * b[1:4, None])


def one_state_and_its_last_value():
    x, h = T.matrix(), T.vector()
    result, _ = theano.scan(lambda a, s: T.tanh(a + s), sequences=x, outputs_info=h)
    both = theano.function([x, h], result), theano.function([x, h], result[-1])
    a, s = _random(6, 3), _random(3)
    states = []
    for row in a:
        states.append(np.tanh(row + (states[-1] if states else s)))
    for _ in range(2):
        _close(both[0](a, s), states)
        _close(both[1](a, s), states[-1])
    assert_array_equal(s, _random(3))


def states_that_are_scalars():
    n = T.lscalar()
    start = T.constant(np.asarray(1, FLOATX))
    result, _ = theano.scan(lambda s: s * 2, outputs_info=start, n_steps=n)
    function = theano.function([n], result)
    for steps in (1, 5, 3):
        assert_array_equal(function(steps), 2.0 ** np.arange(1, steps + 1))


def several_taps():
    x = T.vector()
    start = T.vector()
    result, _ = theano.scan(
        lambda before, now, after, s3, s1: before + 2 * now + 3 * after + s3 - s1,
        sequences={"input": x, "taps": [-1, 0, 1]},
        outputs_info={"initial": start, "taps": [-3, -1]},
    )
    function = theano.function([x, start], [result, result[-2:]])
    a, s = _random(9), _random(3)
    states = list(s)
    for k in range(1, 8):
        states.append(a[k - 1] + 2 * a[k] + 3 * a[k + 1] + states[-3] - states[-1])
    for _ in range(2):
        whole, last = function(a, s)
        _close(whole, states[3:])
        _close(last, states[-2:])


def a_while_loop():
    limit = T.scalar()
    result, _ = theano.scan(
        lambda s: (s * 2, theano.scan_module.until(s * 2 > limit)),
        outputs_info=T.constant(np.asarray(1, FLOATX)),
        n_steps=100,
    )
    function = theano.function([limit], [result, result[-1]])
    for value, steps in ((45, 6), (3, 2), (1000, 10)):
        whole, last = function(np.asarray(value, FLOATX))
        assert_array_equal(whole, 2.0 ** np.arange(1, steps + 1))
        assert last == 2.0**steps


def outputs_of_several_kinds():
    x, h = T.matrix(), T.vector()
    outputs, _ = theano.scan(
        lambda a, s: [T.tanh(a + s), a.sum(), T.outer(a, s), T.argmax(s)],
        sequences=x,
        outputs_info=[h, None, None, None],
    )
    function = theano.function([x, h], outputs)
    a, s = _random(4, 3), _random(3)
    for _ in range(2):
        state, expected = s, [[], [], [], []]
        for row in a:
            for values, value in zip(
                expected,
                [np.tanh(row + state), row.sum(), np.outer(row, state), state.argmax()],
                strict=True,
            ):
                values.append(value)
            state = expected[0][-1]
        for result, values in zip(function(a, s), expected, strict=True):
            _close(result, values)


def gradients_through_time():
    x, h, w = T.matrix(), T.vector(), T.matrix()
    states, _ = theano.scan(
        lambda a, s, m: T.tanh(a + T.dot(s, m)), sequences=x, outputs_info=h, non_sequences=w
    )
    cost = (states**2).sum()
    function = theano.function([x, h, w], [cost, *T.grad(cost, [x, h, w])])
    values = [_random(5, 3), _random(3), _random(3, 3) / 3]
    values = [value.astype(FLOATX) for value in values]

    def reference(a, s, m):
        # Backpropagation through time, by hand.
        states = [s]
        for row in a:
            states.append(np.tanh(row + states[-1] @ m))
        d_a, d_s, d_m = np.zeros_like(a), np.zeros_like(s), np.zeros_like(m)
        for k in range(len(a), 0, -1):
            before = (2 * states[k] + d_s) * (1 - states[k] ** 2)
            d_a[k - 1] = before
            d_m += np.outer(states[k - 1], before)
            d_s = m @ before
        return sum((state**2).sum() for state in states[1:]), d_a, d_s, d_m

    for _ in range(3):
        for result, expected in zip(function(*values), reference(*values), strict=True):
            _close(result, expected)


def gradients_cut_short():
    x = T.vector()
    result, _ = theano.scan(
        lambda a, s: a * s,
        sequences=x,
        outputs_info=T.constant(np.asarray(1, FLOATX)),
        truncate_gradient=2,
    )
    gradient = theano.function([x], T.grad(result[-1], x))(np.full(5, 2, FLOATX))
    assert_array_equal(gradient, [0, 0, 0, 16, 16])


def shared_variables_that_change():
    counter = theano.shared(np.asarray(0, FLOATX))
    result, updates = theano.scan(lambda: {counter: counter + 1}, n_steps=5)
    assert result is None
    function = theano.function([], counter, updates=updates)
    assert [float(function()), float(function())] == [0, 5]
    assert counter.get_value() == 10


def random_numbers_differ_from_step_to_step():
    stream = RandomStreams(1)
    result, updates = theano.scan(lambda: stream.uniform((2,)), n_steps=4)
    function = theano.function([], result, updates=updates)
    values = np.concatenate([function(), function()])
    assert len(np.unique(values)) == 16


def the_same_random_numbers_without_updates():
    stream = RandomStreams(1)
    numbers = stream.uniform((2,))
    function = theano.function([], numbers, no_default_updates=True)
    assert_array_equal(function(), function())


def scans_inside_scans():
    x = T.matrix()

    def row_sum(row):
        inner, _ = theano.scan(
            lambda a, s: a + s, sequences=row, outputs_info=T.constant(np.asarray(0, FLOATX))
        )
        return inner

    result, _ = theano.scan(row_sum, sequences=x)
    value = _random(4, 3)
    cost = T.grad((result**2).sum(), x)
    sums, gradient = theano.function([x], [result, cost])(value)
    _close(sums, value.cumsum(1))
    _close(gradient, (2 * value.cumsum(1))[:, ::-1].cumsum(1)[:, ::-1])


def results_of_one_call_survive_the_next():
    x = T.matrix()
    result, _ = theano.scan(T.cumsum, sequences=x)
    function = theano.function([x], result)
    first = function(np.zeros((3, 2), FLOATX))
    function(np.ones((3, 2), FLOATX))
    assert_array_equal(first, np.zeros((3, 2)))


def integers_and_a_map_and_a_fold():
    v = T.lvector()
    doubled, _ = theano.map(lambda a: a * 2, v)
    total, _ = theano.reduce(lambda a, s: a + s, v, T.constant(0, dtype="int64"))
    function = theano.function([v], [doubled, total])
    values, result = function(np.arange(6))
    assert_array_equal(values, np.arange(6) * 2)
    assert result == 15


def a_pickled_function_scans():
    x = T.matrix()
    result, _ = theano.scan(T.cumsum, sequences=x)
    function = pickle.loads(pickle.dumps(theano.function([x], result)))
    _close(function(_random(3, 2)), _random(3, 2).cumsum(1))


def _message(error, function, *values):
    try:
        function(*values)
    except error as raised:
        return str(raised)
    raise AssertionError(f"{error.__name__} was not raised")


def errors_name_the_step_that_failed():
    x, m = T.matrix(), T.matrix()
    result, _ = theano.scan(lambda a, w: T.exp(a) + T.dot(w, a), sequences=x, non_sequences=m)
    function = theano.function([x, m], result)
    message = _message(ValueError, function, np.ones((3, 2), FLOATX), np.ones((2, 4), FLOATX))
    assert "Apply node that caused the error" in message
    _close(function(np.ones((3, 2), FLOATX), np.ones((2, 2), FLOATX)), np.full((3, 2), np.e + 2))


def a_sequence_too_short_is_refused():
    x, n = T.matrix(), T.lscalar()
    result, _ = theano.scan(T.cumsum, sequences=x, n_steps=n)
    function = theano.function([x, n], result)
    assert "shorter" in _message(ValueError, function, np.ones((3, 2), FLOATX), 4)
    _message((IndexError, ValueError), function, np.ones((3, 2), FLOATX), -1)


def the_profile_counts_the_steps():
    x = T.matrix()
    result, _ = theano.scan(
        lambda a, s: a + s, sequences=x, outputs_info=T.zeros((2,)), profile=True
    )
    function = theano.function([x], result, profile=True)
    function(_random(4, 2))
    (op,) = [n.op for n in function.maker.fgraph.toposort() if type(n.op).__name__ == "Scan"]
    assert op.fn.maker.profile.nbsteps == 4
    assert op.fn.maker.profile.callcount == 1
    assert 0 < op.t_fn <= op.t_call
    theano.compile.profiling._atexit_print_list.clear()
