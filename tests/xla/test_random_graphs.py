"""Generated programs of random graphs and many calls, beside Theano's own linkers."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import random_steps  # noqa: F401  # adds the steps
import theano
import theano.tensor as tt
from differ import C, run, same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_graphs import STEPS, Term, grown
from theano.compile import mode as modes
from theano.gof.graph import ancestors

from theano_colab.xla.partition import LOOPS
from theano_colab.xla.types import shared_constructor

# Theano's own Python code: thousands of small programs would spend hours in the C++ compiler.
# Without fusion, whose larger ops are C alone.
PYTHON = modes.Mode(theano.gof.vm.VM_Linker(use_cloop=False, c_thunks=False), "fast_run").excluding(
    "fusion"
)
DTYPES = ("float32", "float64", "int64", "float32", "int32", "bool", "int8", "uint8", "int16")
KINDS = st.tuples(
    st.sampled_from((*DTYPES, "complex64")),
    st.sampled_from([(0,), (0, 0), (), (0, 0, 0), (1, 0), (0, 1), (0,), (0, 0)]),
)


@dataclass(frozen=True)
class Function:
    """What a function takes, the steps of its graph, and which terms it gives and keeps.

    ``updates`` has a number for each shared variable: that of the fitting term which becomes its
    value, or None. ``way`` is how arguments are passed and results given.
    """

    inputs: tuple
    steps: tuple
    outputs: tuple
    updates: tuple
    way: str = "copied"


@dataclass(frozen=True)
class Program:
    """The kinds of the shared variables, functions over them, and what is done in turn."""

    shared: tuple
    functions: tuple
    actions: tuple


WAYS = ("copied", "borrowed", "mutable", "given")
NUMBERS = st.tuples(*[st.integers(0, 255)] * 8)
FUNCTIONS = st.builds(
    Function,
    st.lists(KINDS, min_size=1, max_size=2).map(tuple),
    st.lists(st.tuples(st.sampled_from(list(STEPS)), NUMBERS), min_size=1, max_size=6).map(tuple),
    st.lists(st.integers(0, 15), max_size=3).map(tuple),
    st.tuples(*[st.none() | st.integers(0, 15)] * 3),
    st.sampled_from(WAYS),
)
SEEDS = st.integers(0, 999)
ACTIONS = st.one_of(
    st.tuples(st.just("call"), st.integers(0, 1), SEEDS),
    st.tuples(st.just("set"), st.integers(0, 2), SEEDS),
    st.tuples(st.just("write what was read"), st.integers(0, 2), SEEDS),
    st.tuples(st.just("write what was returned"), st.integers(0, 1), SEEDS),
    st.tuples(st.just("pickle"), st.integers(0, 1), SEEDS),
)
PROGRAMS = st.builds(
    Program,
    st.tuples(*[KINDS] * 3),
    st.lists(FUNCTIONS, min_size=1, max_size=2).map(tuple),
    st.lists(ACTIONS, min_size=1, max_size=6).map(tuple),
)


def _value(kind, seed):
    """Return an array of a kind: halves from -2 to 2; programs' sizes are mostly the same."""
    dtype, pattern = kind
    source = np.random.RandomState(seed)
    size = (3, 3, 2, 3, 0, 3, 3, 1, 3, 3)[seed % 10]
    odd = source.randint(0, 16, len(pattern)) == 0
    shape = [1 if one else size + int(o) for one, o in zip(pattern, odd, strict=True)]
    low = 0 if dtype.startswith("uint") else -4
    value = np.array(source.randint(low, 5, shape))
    if dtype.startswith(("float", "complex")):
        value = value / 2
    if dtype.startswith("complex"):
        value = value + 0.5j
    return np.asarray(value, dtype)


class World:
    """A program on one linker: its shared variables, its functions, what they returned."""

    def __init__(self, program, constructor, mode):
        self.program = program
        self.shared = [
            _shared(constructor, _value(kind, k), kind) for k, kind in enumerate(program.shared)
        ]
        self.refused, self.rough = [], False
        self.functions = [self._function(plan, mode) for plan in program.functions]
        self.returned = [[] for _ in self.functions]

    def _function(self, plan, mode):
        inputs = [
            tt.TensorType(dtype, tuple(map(bool, pattern)))() for dtype, pattern in plan.inputs
        ]
        start = [Term(one, one.dtype[:5] not in ("float", "compl")) for one in self.shared]
        start += [Term(one, True) for one in inputs]
        terms, updates, refused = grown(plan.steps, start, self.shared)
        self.refused.append(refused)
        made = terms[len(start) :]
        outputs = [made[-1].variable] if made else []
        outputs += [terms[-1 - k % len(terms)].variable for k in plan.outputs]
        for own, number in zip(self.shared, plan.updates, strict=True):
            fitting = [
                t.variable
                for t in terms
                if t.variable.ndim == own.ndim and _fits(t.variable.dtype, own.dtype)
            ]
            if number is not None and own not in updates and fitting:
                new = fitting[-1 - number % len(fitting)]
                if new.dtype != own.dtype:
                    new = tt.cast(new, own.dtype)
                updates[own] = tt.patternbroadcast(new, own.broadcastable) if own.ndim else new
        everything = ancestors(
            [tt.as_tensor_variable(one) for one in (*outputs, *updates.values())]
        )
        self.rough |= any(getattr(v, "dtype", "") in ("float32", "complex64") for v in everything)
        borrow, givens = plan.way in ("borrowed", "mutable"), []
        if plan.way == "given":
            # What an input was is the shared variable of its type, if there is one.
            givens = [(x, own + 0) for x in inputs[:1] for own in self.shared if _alike(x, own)][:1]
        taken = [theano.In(one, borrow=borrow, mutable=plan.way == "mutable") for one in inputs]
        given = [theano.Out(one, borrow=borrow) for one in outputs]
        options = {"updates": list(updates.items()), "givens": givens, "mode": mode}
        return run(lambda: theano.function(taken, given, on_unused_input="ignore", **options), ())

    def do(self, action, number, seed):
        """Do one action; return all that can be seen then, or the exception."""
        function = number % len(self.functions)
        match action:
            case "call":
                result = self._call(self.functions[function], function, seed)
                if isinstance(result, Exception):
                    return result
                self.returned[function] = result
                seen = [np.array(one) for one in result]
            case "pickle":
                copied = pickle.loads(pickle.dumps(self.functions[function]))
                seen = self._call(copied, function, seed)
                if isinstance(seen, Exception):
                    return seen
            case "set":
                value = _value(self.program.shared[number], seed)
                self.shared[number].set_value(value)
                if value.ndim:
                    value[...] = 1
                seen = []
            case "write what was read":
                value = self.shared[number].get_value()
                if np.ndim(value):
                    value[...] = 1
                seen = []
            case "write what was returned":
                # With borrow it may be the memory of a shared variable: that is what was asked for.
                borrowed = self.program.functions[function].way in ("borrowed", "mutable")
                for one in self.returned[function]:
                    if np.ndim(one) and not borrowed:
                        one[...] = 1
                seen = []
        return seen + self.values()

    def _call(self, function, number, seed):
        if isinstance(function, Exception):
            return []
        kinds = self.program.functions[number].inputs
        given = [_value(kind, seed + 10 * k) for k, kind in enumerate(kinds)]
        with np.errstate(all="ignore"):
            return run(function, given)

    def values(self):
        """Return what the shared variables hold."""
        return [np.array(one.get_value()) for one in self.shared]


def _shared(constructor, value, kind):
    if value.ndim == 0 and value.dtype.kind in "biu":
        constructor = theano.shared  # a counter, which stays on the host
    return constructor(value, broadcastable=tuple(map(bool, kind[1])))


def _alike(x, own):
    return (x.dtype, x.broadcastable) == (own.dtype, own.broadcastable) and x.dtype != "bool"


def _fits(dtype, wanted):
    return dtype == wanted or (dtype[:5] == wanted[:5] == "float")


def check(program, reference):
    """Assert that a program shows the same on a linker of Theano's and on XLA."""
    theirs = World(program, theano.shared, reference.excluding("xla"))
    ours = World(program, shared_constructor, reference.including("xla", LOOPS))
    assert ours.refused == theirs.refused, (ours.refused, theirs.refused)
    for one, other in zip(ours.functions, theirs.functions, strict=True):
        if isinstance(one, Exception) or isinstance(other, Exception):
            assert type(one) is type(other), (one, other)
    rtol = 5e-4 if ours.rough else 1e-8
    for action in program.actions:
        before = ours.values()
        expected, got = theirs.do(*action), ours.do(*action)
        if isinstance(expected, Exception) or isinstance(got, Exception):
            assert type(got) is type(expected), (action, got, expected)
            # Nothing has changed here; Theano may have begun to write in place.
            for own, other, value in zip(ours.shared, theirs.shared, before, strict=True):
                np.testing.assert_array_equal(own.get_value(), value)
                other.set_value(value)
            continue
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            same(one, other, rtol)


@pytest.fixture(autouse=True)
def _python(monkeypatch):
    """Have scans, and what is run again on the host, compiled without C as well."""
    monkeypatch.setattr(modes, "instantiated_default_mode", PYTHON.excluding("xla"))


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(PROGRAMS)
def test_a_generated_program(program):
    try:
        check(program, PYTHON)
    except AssertionError:
        # Theano's Python code is no judge where its C code does otherwise.
        check(program, C)
