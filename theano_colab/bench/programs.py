"""A problem made ready to run: in Theano with its data on the device or sent, and in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from theano_colab.bench.networks import Array, Problem


@dataclass(frozen=True, slots=True)
class Program:
    """A computation that is ready to run.

    ``call`` runs it once and returns when it is finished, on whatever device. ``arrays`` gives the
    results of the last call, shared variables that it updated included. ``function`` is Theano's.
    """

    call: Callable[[], Any]
    arrays: Callable[[], Sequence[Array]]
    function: Any = None


def on_device(problem: Problem) -> Program:
    """Compile a function of no arguments: data, parameters and result stay where Theano is.

    The result is kept in a shared variable, as an update, so that nothing goes to the host.
    """
    import theano

    inputs = [theano.shared(value) for value in problem.inputs]
    state = [theano.shared(value) for value in problem.state]
    output, new = problem.theano(inputs, state)
    kept = theano.shared(np.zeros((0,) * output.ndim, output.dtype), name="kept")
    updates = [(kept, output), *zip(state, new, strict=True)]
    function = theano.function([], [], updates=updates)

    def arrays() -> Sequence[Array]:
        return [np.asarray(v.get_value()) for v in (kept, *state)]

    return Program(_finished(function), arrays, function)


def sent(problem: Problem) -> Program:
    """Compile a function of the data: every call sends it, and brings the result to the host."""
    import theano

    types = [theano.tensor.TensorType(str(v.dtype), (False,) * v.ndim) for v in problem.inputs]
    inputs = [one() for one in types]
    state = [theano.shared(value) for value in problem.state]
    output, new = problem.theano(inputs, state)
    function = theano.function(inputs, output, updates=list(zip(state, new, strict=True)))
    program = called(function, problem.inputs)

    def arrays() -> Sequence[Array]:
        return [program.arrays()[0], *(np.asarray(v.get_value()) for v in state)]

    return Program(program.call, arrays, function)


def called(function: Any, arguments: Sequence[Any]) -> Program:  # noqa: ANN401  # Theano's function
    """Return a function with its arguments as a program."""
    last: Any = None
    finished = _finished(function)

    def call() -> Any:  # noqa: ANN401  # what the function returns
        nonlocal last
        last = finished(*arguments)
        return last

    def arrays() -> Sequence[Array]:
        given = last if isinstance(last, list | tuple) else [] if last is None else [last]
        updated = [v.get_value() for v in _updated(function) if hasattr(v, "get_value")]
        return [np.asarray(v) for v in (*given, *updated) if not _is_generator(v)]

    return Program(call, arrays, function)


def in_numpy(problem: Problem) -> Program | None:
    """Return the problem in NumPy, from the same start; None where it has not been written so."""
    compute = problem.numpy
    if compute is None:
        return None
    output: Array = np.zeros(())
    state: Sequence[Array] = problem.state

    def call() -> Array:
        nonlocal output, state
        output, state = compute(problem.inputs, state)
        return output

    return Program(call, lambda: [output, *state])


def _finished(function: Any) -> Callable[..., Any]:  # noqa: ANN401  # Theano's function
    """Return a call that ends when what it updates is there: a device goes on by itself."""
    containers = [v.container for v in _updated(function)]
    if not any(hasattr(c.value, "block_until_ready") for c in containers):
        return function  # type: ignore[no-any-return]  # Theano has no types

    def call(*arguments: Any) -> Any:  # noqa: ANN401  # Theano has no types
        result = function(*arguments)
        for container in containers:
            container.value.block_until_ready()
        return result

    return call


def _updated(function: Any) -> list[Any]:  # noqa: ANN401  # Theano's function
    """Return the shared variables that a call changes, in a fixed order."""
    return [
        one.variable for one in function.maker.inputs if one.update is not None and one.implicit
    ]


def _is_generator(value: Any) -> bool:  # noqa: ANN401  # a shared variable may hold anything
    return isinstance(value, np.random.RandomState)
