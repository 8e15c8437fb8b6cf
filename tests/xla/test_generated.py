"""Generated programs of several shared variables and many calls, beside Theano without C code."""

import pickle
from dataclasses import dataclass

import numpy as np
import theano
import theano.tensor as tt
from differ import XLA, same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from theano.compile.mode import Mode

from theano_colab.xla.types import shared_constructor

# Theano's own Python code: thousands of small programs would spend hours in the C++ compiler.
PYTHON = Mode(theano.gof.vm.VM_Linker(use_cloop=False, c_thunks=False), "fast_run").excluding("xla")
VARIABLES = 3
SIZE = 3
UNARY = (tt.tanh, tt.sqr, lambda v: v * 0.5, lambda v: 1 - v, lambda v: v[::-1], lambda v: v * 1)
BINARY = (
    lambda v, w: v + w,
    lambda v, w: v * w,
    lambda v, w: tt.set_subtensor(v[1:], w[1:]),
    lambda v, w: tt.inc_subtensor(v[0], w[2]),
    lambda v, w: tt.switch(v > w, v, w),
)


@dataclass(frozen=True)
class Function:
    """Outputs and updates as expressions over the shared variables and one input."""

    outputs: tuple
    updates: tuple  # an expression or None for each variable


# A leaf, a number in UNARY with an expression, or a number in BINARY with two.
leaves = st.one_of(st.tuples(st.just("shared"), st.integers(0, VARIABLES - 1)), st.just(("input",)))
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.integers(0, len(UNARY) - 1), inner),
        st.tuples(st.integers(0, len(BINARY) - 1), inner, inner),
    ),
    max_leaves=5,
)
functions = st.builds(
    Function,
    st.lists(expressions, min_size=0, max_size=3).map(tuple),
    st.tuples(*[st.none() | expressions] * VARIABLES),
)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(0, 1)),
        st.tuples(st.just("set"), st.integers(0, VARIABLES - 1)),
        st.tuples(st.just("write what was read"), st.integers(0, VARIABLES - 1)),
        st.tuples(st.just("write what was returned"), st.integers(0, 1)),
        st.tuples(st.just("pickle"), st.integers(0, 1)),
    ),
    min_size=2,
    max_size=8,
)


def _build(expression, shared, x):
    match expression:
        case ("shared", k):
            return shared[k]
        case ("input",):
            return x
        case (op, inner):
            return UNARY[op](_build(inner, shared, x))
        case (op, left, right):
            return BINARY[op](_build(left, shared, x), _build(right, shared, x))


def _run(constructor, mode, programs, steps):
    start = np.linspace(-1, 1, SIZE)
    shared = [constructor((start * (k + 1)).astype("float32")) for k in range(VARIABLES)]
    x = tt.fvector()
    made = []
    for one in programs:
        outputs = [_build(e, shared, x) for e in one.outputs]
        updates = [
            (variable, _build(e, shared, x))
            for variable, e in zip(shared, one.updates, strict=True)
            if e is not None
        ]
        made.append(
            theano.function([x], outputs, updates=updates, mode=mode, on_unused_input="ignore")
        )
    seen, returned = [], [[], []]
    for number, (action, k) in enumerate(steps):
        argument = (start + number * 0.25).astype("float32")
        match action:
            case "call":
                returned[k] = made[k](argument)
                argument[:] = 7
                seen += [np.array(one) for one in returned[k]]
            case "set":
                shared[k].set_value(argument)
                argument[:] = 9
            case "write what was read":
                shared[k].get_value()[:] = 11
            case "write what was returned":
                for one in returned[k]:
                    one[...] = 13
            case "pickle":
                copied = pickle.loads(pickle.dumps(made[k]))
                seen += [np.array(one) for one in copied(argument)]
        seen += [variable.get_value() for variable in shared]
    return seen


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.tuples(functions, functions), actions)
def test_generated_programs(programs, steps):
    expected = _run(theano.shared, PYTHON, programs, steps)
    got = _run(shared_constructor, XLA, programs, steps)
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        same(one, other, rtol=1e-5)
