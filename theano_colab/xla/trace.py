"""A Theano graph run inside ``jax.jit``'s tracing: what cannot be traced is known, or refused."""

from __future__ import annotations

import contextlib
from collections import ChainMap
from typing import TYPE_CHECKING, Any, NoReturn

import jax.numpy as jnp
import numpy as np
from theano import Apply, Constant, Op
from theano.gof.graph import NoParams
from theano.ifelse import IfElse
from theano.tensor.type import TensorType

from theano_colab.xla import registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping, Sequence

# Values of up to so many elements are computed by NumPy while tracing, if they can be.
_SMALL = 4096


class Refused(Exception):  # noqa: N818  # it is no error: the host goes on
    """XLA cannot run this, or must not: the host shall, and raise what there is to raise."""


class Trace:
    """One tracing of a graph.

    Parameters
    ----------
    values
        What is known of the graph's inputs: NumPy arrays or JAX tracers, by variable.
    slices
        ``(node, number of a slice among the node's indices)`` onto ``(start, length)`` for slices
        whose start is a run-time argument.
    trusted
        ``(node, number of an index)`` that were found to be within bounds before the call.
    precision
        What products of float32 are computed with ("highest", or None for XLA's default).
    """

    def __init__(
        self,
        values: MutableMapping[Any, Any],
        slices: dict[tuple[Apply, int], tuple[Any, int]] | None = None,
        trusted: frozenset[tuple[Apply, int]] = frozenset(),
        precision: str | None = "highest",
    ) -> None:
        self.values = values
        self.slices = slices or {}
        self.trusted = trusted
        self.precision = precision
        self._checks: list[Any] = []

    def run(self, outputs: Sequence[Any]) -> list[Any]:
        """Return the values of ``outputs``; branches of ifelse are left to IfElse's lowering."""
        for node in _strict_order(outputs, self.values):
            for variable, value in zip(node.outputs, self._apply(node), strict=True):
                self.values[variable] = value
        return [self.value(output) for output in outputs]

    def value(self, variable: Any) -> Any:
        """Return the value of a variable that has one already."""
        if isinstance(variable, Constant) and variable not in self.values:
            self.values[variable] = _constant(variable)
        return self.values[variable]

    def check(self, holds: Any) -> None:
        """Ask that a condition (a bool without dimensions) holds when the compiled code runs.

        Where it does not, the call is run again on the host, whose code raises what it raises.
        """
        if isinstance(holds, np.ndarray | np.generic | bool):
            if not bool(holds):
                self.refuse("a condition does not hold")
        else:
            self._checks.append(holds)

    def refuse(self, why: str) -> NoReturn:
        """Leave this call to the host: its arguments are wrong, or XLA cannot do it.

        Raises
        ------
        Refused
            Always.
        """
        raise Refused(why)

    @contextlib.contextmanager
    def scope(self, values: MutableMapping[Any, Any] | None = None) -> Iterator[Trace]:
        """Give a trace for the body of a branch or loop; ask it for ``holds()`` before it ends.

        It sees what is known here unless ``values`` is given: then it knows these alone. What it
        finds out stays inside.
        """
        seen = ChainMap({}, self.values) if values is None else values
        yield Trace(seen, self.slices, self.trusted, self.precision)

    def holds(self) -> Any:
        """Return whether everything that was checked holds: a bool, traced or not."""
        if not self._checks:
            return np.True_
        flags = [jnp.asarray(flag, bool).reshape(()) for flag in self._checks]
        return flags[0] if len(flags) == 1 else jnp.stack(flags).all()

    @property
    def has_checks(self) -> bool:
        """Whether something is left to be checked when the compiled code runs."""
        return bool(self._checks)

    def _apply(self, node: Apply) -> list[Any]:
        if isinstance(node.op, IfElse):
            args: list[Any] = [self.value(node.inputs[0])]
        else:
            args = [self.value(one) for one in node.inputs]
            if all(map(is_known, args)) and sum(np.size(one) for one in args) <= _SMALL:
                known = _perform(node, args)
                if known is not None:
                    return known
        lowering = registry.find(node)
        if lowering is None:
            self.refuse(f"{node.op} has no lowering")
        result = lowering.function(self, node, *args)
        results = list(result) if isinstance(result, list | tuple) else [result]
        for output, value in zip(node.outputs, results, strict=True):
            _require(node, output, value)
        return results


def is_known(value: Any) -> bool:
    """Whether a value is known while tracing: it is no tracer."""
    return isinstance(value, np.ndarray | np.generic | int | float | complex | slice | None)


def _constant(variable: Constant) -> Any:
    data = variable.data
    return np.asarray(data) if isinstance(variable.type, TensorType) else data


def _perform(node: Apply, args: list[Any]) -> list[Any] | None:
    """Run a node in NumPy; None if its outputs would be large or it cannot be."""
    if any(isinstance(one.type, TensorType) and one.ndim > 1 for one in node.outputs):
        return None
    if not isinstance(node.op, Op):  # a Scan, which makes itself a function to be run
        return None
    storage: list[list[Any]] = [[None] for _ in node.outputs]
    inputs = [one.copy() if isinstance(one, np.ndarray) else one for one in args]
    try:
        params = node.run_params()
        extra = [] if params is NoParams else [params]
        node.op.perform(node, inputs, storage, *extra)
    except Exception as error:  # whatever it is, the host will say it
        raise Refused(f"{node.op}: {error}") from error
    results = [cell[0] for cell in storage]
    return [np.asarray(one) if isinstance(one, np.ndarray | np.generic) else one for one in results]


def _require(node: Apply, output: Any, value: Any) -> None:
    """Hold a lowering to what its op promises; a wrong dtype would spread through the graph."""
    dtype = getattr(output.type, "dtype", None)
    if dtype is None:
        return
    ndim = getattr(output.type, "ndim", 0)
    if str(value.dtype) != dtype or np.ndim(value) != ndim:
        raise Refused(
            f"lowering of {node.op} gave {value.dtype} with {np.ndim(value)} dimensions, "
            f"not {dtype} with {ndim}"
        )


def _strict_order(outputs: Iterable[Any], known: MutableMapping[Any, Any]) -> list[Apply]:
    """Return the nodes that ``outputs`` need in any case, inputs first.

    The branches of an ifelse are needed only if it takes them.
    """
    order: list[Apply] = []
    done: set[Apply] = set()
    stack = [(one.owner, False) for one in outputs if _is_open(one, known)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready:
            done.add(node)
            order.append(node)
            continue
        stack.append((node, True))
        needed = node.inputs[:1] if isinstance(node.op, IfElse) else node.inputs
        stack += [(one.owner, False) for one in needed if _is_open(one, known)]
    return order


def _is_open(variable: Any, known: MutableMapping[Any, Any]) -> bool:
    return variable.owner is not None and variable not in known
