"""A cluster's inner graph as one function compiled by XLA, and as Theano's own code on the host."""

from __future__ import annotations

import functools
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import theano
from jax.sharding import SingleDeviceSharding
from theano.tensor.type import TensorType
from theano.tensor.type_other import SliceType

from theano_colab.xla import cache, device
from theano_colab.xla.index import bound_positions
from theano_colab.xla.loops import ScansOnHost
from theano_colab.xla.signatures import Signatures
from theano_colab.xla.trace import Refused, Trace
from theano_colab.xla.types import put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from theano import Apply

logger = logging.getLogger("theano_colab.xla")
# What a lowering may raise while tracing: it refuses, or JAX does.
_CANNOT = (
    Refused,
    TypeError,
    ValueError,
    NotImplementedError,
    IndexError,
    AssertionError,
    OverflowError,
    ZeroDivisionError,
)


@dataclass(frozen=True, slots=True)
class Size:
    """Where the size of an axis is found: it is one of an input, or without ``axis`` its value."""

    number: int
    axis: int | None = None

    def of(self, args: Sequence[Any]) -> int:
        """Return the size for the values of the inputs."""
        value = args[self.number]
        return int(value) if self.axis is None else int(value.shape[self.axis])


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice whose length, not its start, is part of the compiled code's key.

    ``node`` is the Subtensor or IncSubtensor of the inner graph and ``entry`` the number of its
    index, ``size`` that of the axis which is cut; ``start`` and ``stop`` are numbers of the
    cluster's inputs, None for a bound that is left out.
    """

    node: Apply
    entry: int
    size: Size
    start: int | None
    stop: int | None


@dataclass(frozen=True, slots=True)
class Index:
    """An index, or a vector of them, that is checked before the call.

    ``index`` is the number of an input that the host has.
    """

    node: Apply
    entry: int
    size: Size
    index: int


@dataclass(frozen=True)
class Graph:
    """A cluster's inner graph: what it takes, what it gives, and how its inputs are passed.

    ``inputs`` and ``outputs`` are variables of types on the host. ``static`` are the numbers of the
    inputs whose values are part of the key.
    """

    inputs: list[Any]
    outputs: list[Any]
    static: frozenset[int] = frozenset()
    slices: tuple[Slice, ...] = ()
    indices: tuple[Index, ...] = ()


@dataclass
class Counts:
    """What became of a program's calls."""

    compiled: int = 0
    on_host: int = 0
    reasons: list[str] = field(default_factory=list)


class Program:
    """Runs a graph on a device: compiled once for each signature of its arguments.

    The signature is the arrays' shapes and dtypes, the static inputs' values and the slices'
    lengths. What XLA cannot run, or what is found to be wrong when it runs, is run on the host by
    Theano's own code, which raises Theano's own exceptions.
    """

    def __init__(self, graph: Graph, context: device.Context, precision: str | None) -> None:
        self.graph, self.context, self.precision = graph, context, precision
        self.counts = Counts()
        numbers = range(len(graph.inputs))
        bounds = {n for one in graph.slices for n in (one.start, one.stop) if n is not None}
        sizes = [one.size for one in graph.slices] + [one.size for one in graph.indices]
        bounds |= {one.number for one in sizes if one.axis is None}
        # A bound that nothing else reads is told by the slice's start and length.
        self._bounds_only = frozenset(bounds - _read_otherwise(graph, bounds))
        self._dynamic = [n for n in numbers if n not in graph.static | self._bounds_only]
        self._static = sorted(graph.static)
        self._arrays = [
            n
            for n in self._dynamic
            if isinstance(graph.inputs[n].type, TensorType) and graph.inputs[n].ndim > 0
        ]
        self._is_plain = not (graph.static or graph.slices or graph.indices)
        self._on_cpu = context.device.platform == "cpu"
        self._signatures = Signatures()
        self._traced_at: float | None = None
        first = len(self._dynamic) + len(graph.slices)
        count = len(self._static) + len(graph.slices)
        self._compiled = jax.jit(
            self._traced,
            static_argnums=tuple(range(first, first + count)),
            out_shardings=SingleDeviceSharding(context.device),
        )

    def __call__(self, args: Sequence[Any]) -> Sequence[Any]:
        """Return the outputs' values, arrays on the device, for the values of the inputs.

        Raises
        ------
        MemoryError
            If the device's memory is full; what shared variables hold is as it was.
        Exception
            Whatever Theano raises for these arguments.
        """
        values, key = self._values(args)
        if values is None:
            return self.on_host(args, "an index is out of bounds")
        if self._signatures.is_crowded:
            signature = self._signature(args, key)
            if why := self._signatures.why_on_host(signature):
                return self._left_to_host(args, signature, why)
        try:
            outputs, holds = self._on_device(values)
        except jax.errors.JaxRuntimeError as error:
            kind = MemoryError if "RESOURCE_EXHAUSTED" in str(error) else RuntimeError
            raise kind(_first_line(error)) from error
        except _CANNOT as error:
            refused = error
        else:
            # Through NumPy: an array of JAX takes five times as long to tell its truth.
            if holds is not None and not np.asarray(holds).item():
                return self.on_host(args, "a value is out of bounds")
            return outputs
        # Not inside the clause above: what Theano raises would be shown as a consequence of it.
        return self._instead(args, key, refused)

    def _values(self, args: Sequence[Any]) -> tuple[list[Any] | None, tuple[Any, ...]]:
        """Return the compiled function's arguments, and of them the static ones.

        No arguments where an index that is checked before the call is out of bounds.
        """
        graph = self.graph
        values = [args[n] for n in self._dynamic]
        if self._is_plain:
            return values, ()
        for index in graph.indices:
            size = index.size.of(args)
            if not _is_within(args[index.index], size):
                return None, ()
        lengths = []
        for one in graph.slices:
            bounds = [None if n is None else int(args[n]) for n in (one.start, one.stop)]
            start, stop, _ = slice(*bounds).indices(one.size.of(args))
            values.append(start)
            lengths.append(max(0, stop - start))
        key = (*(_hashable(args[n]) for n in self._static), *lengths)
        return [*values, *key], key

    def _on_device(self, values: list[Any]) -> tuple[Sequence[Any], Any]:
        """Run the compiled function; return the outputs, and whether what it checked holds."""
        # JAX reads NumPy's memory after it has returned, and the caller may write it by then: the
        # CPU is waited for, and another device gets a copy that nobody writes.
        given = np.ndarray in map(type, values)
        if given and not self._on_cpu:
            values = [one.copy() if type(one) is np.ndarray else one for one in values]
        with device.x64():
            try:
                outputs, holds = self._compiled(*values)
            finally:
                cache.end()
                if self._traced_at is not None:
                    self._signatures.compile_seconds += time.perf_counter() - self._traced_at
                    self._traced_at = None
        if given and self._on_cpu:
            for one in outputs:
                one.block_until_ready()
        return outputs, holds

    @functools.cached_property
    def _host(self) -> Any:
        return _host_function(self.graph)

    def _left_to_host(self, args: Sequence[Any], signature: Any, why: str) -> Sequence[Any]:
        _ = self._host  # built once, which is not the price of a call
        start = time.perf_counter()
        outputs = self.on_host(args, why)
        self._signatures.spend(signature, time.perf_counter() - start)
        return outputs

    def on_host(self, args: Sequence[Any], why: str) -> Sequence[Any]:
        """Run the graph by Theano's own code; ``why`` is noted.

        Raises
        ------
        Exception
            Whatever Theano raises for these arguments.
        """
        self.counts.on_host += 1
        if why and why not in self.counts.reasons:
            self.counts.reasons.append(why)
        results = self._host(*[_to_host(arg) for arg in args])
        return [put(np.asarray(one), self.context) for one in results]

    def _instead(
        self, args: Sequence[Any], key: tuple[Any, ...], error: Exception
    ) -> Sequence[Any]:
        why = str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
        outputs = self.on_host(args, why)
        # Theano has no objection: it is this backend that cannot do it.
        logger.warning("On the host instead of %s: %s", self.context.spec, why)
        self._signatures.refuse(self._signature(args, key), why)
        return outputs

    def _signature(self, args: Sequence[Any], key: tuple[Any, ...]) -> Any:
        return (tuple(args[n].shape for n in self._arrays), *key)

    def _traced(self, *values: Any) -> tuple[list[Any], Any]:
        """Trace the graph: arguments are dynamic inputs, starts, static inputs, lengths."""
        graph = self.graph
        self.counts.compiled += 1
        self._traced_at = time.perf_counter()
        cache.begin()
        cut = len(self._dynamic)
        dynamic, starts = values[:cut], values[cut : cut + len(graph.slices)]
        rest = values[cut + len(graph.slices) :]
        static, lengths = rest[: len(self._static)], rest[len(self._static) :]
        known = {graph.inputs[n]: value for n, value in zip(self._dynamic, dynamic, strict=True)}
        for n, value in zip(self._static, static, strict=True):
            known[graph.inputs[n]] = _value(value, graph.inputs[n].type)
        for n in self._bounds_only:
            known[graph.inputs[n]] = None
        shapes = tuple(known[graph.inputs[n]].shape for n in self._arrays)
        self._signatures.compiled((shapes, *static, *lengths))
        trace = Trace(
            known,
            {
                (one.node, one.entry): (start, length)
                for one, start, length in zip(graph.slices, starts, lengths, strict=True)
            },
            frozenset((one.node, one.entry) for one in graph.indices),
            self.precision,
        )
        outputs = [jax.numpy.asarray(one) for one in trace.run(graph.outputs)]
        return outputs, trace.holds() if trace.has_checks else None


def _is_within(index: Any, size: int) -> bool:
    """Tell whether an index, or each of a vector of them, is one of an axis of this size."""
    if np.ndim(index):
        return not index.size or bool(-size <= int(index.min()) and int(index.max()) < size)
    return bool(-size <= index < size)


def _read_otherwise(graph: Graph, bounds: set[int]) -> set[int]:
    """Return those of the inputs that more than slices read."""
    by_slices = {(one.node, one.entry) for one in graph.slices}
    variables = {graph.inputs[n]: n for n in bounds}
    found: set[int] = {variables[v] for v in graph.outputs if v in variables}
    for node in theano.gof.graph.io_toposort(graph.inputs, graph.outputs):
        read = list(node.inputs)
        for entry, positions in bound_positions(node).items():
            if (node, entry) in by_slices:
                for position in positions:
                    read[position] = None
        found |= {variables[v] for v in read if v in variables}
    return found


def _hashable(value: Any) -> Any:
    """Return an array, a number or a slice as what can be part of a key."""
    if isinstance(value, slice):  # has no hash before Python 3.12
        bounds = (value.start, value.stop, value.step)
        return tuple(None if one is None else int(one) for one in bounds)
    value = np.asarray(value)
    return value.item() if value.ndim == 0 else tuple(value.tolist())


def _value(key: Any, kind: Any) -> Any:
    """Return what ``_hashable`` was given for a variable of this type."""
    return slice(*key) if isinstance(kind, SliceType) else np.asarray(key, kind.dtype)


def _to_host(value: Any) -> Any:
    return np.array(value) if isinstance(value, jax.Array) else value


def _host_function(graph: Graph) -> Any:
    """Return the graph as a function of Theano's own CPU code."""
    from theano_colab.xla.partition import AFTER_SCAN, NAME

    # Scans have been optimized: another round would change how many steps they take.
    mode = theano.compile.mode.get_default_mode().excluding(NAME, "scan")
    mode = mode.register((ScansOnHost(NAME), AFTER_SCAN))
    # What is a vector of two numbers outside is any vector here: some ops cannot tell their shapes.
    with theano.change_flags(on_shape_error="warn"):
        return theano.function(
            [theano.In(one, borrow=True) for one in graph.inputs],
            graph.outputs,
            mode=mode,
            on_unused_input="ignore",
            profile=False,
        )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
