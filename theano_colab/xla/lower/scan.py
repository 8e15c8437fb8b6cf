"""Scan as a loop of XLA: ``lax.scan`` if the number of steps is known, else ``lax.while_loop``.

Scans stay on the host if their step has a node that does, if a step needs the *value* of something
that changes from step to step to be known while tracing, if it is an ``until`` loop whose whole
output is used: how long that is only the data can tell, or if their own mode watches each node of
a step (MonitorMode, NanGuardMode, DebugMode).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from theano import Constant, tensor
from theano.compile.debugmode import DebugMode
from theano.gof.link import WrapLinker
from theano.scan_module.scan_op import Scan

from theano_colab.xla import inner
from theano_colab.xla.lower.tapes import (
    Gradient,
    History,
    Misfit,
    Rows,
    Tape,
    get_row,
    put_row,
)
from theano_colab.xla.registry import lowers
from theano_colab.xla.trace import is_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from theano import Apply

    from theano_colab.xla.trace import Trace


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which of a Scan's outer inputs and inner inputs and outputs belong together.

    Slices count outer inputs; ``reads`` and ``writes`` are numbers of inner inputs and outputs, one
    list for each output of the Scan.
    """

    sequences: slice
    states: slice
    shared: slice
    lengths: slice
    others: slice
    reads: list[list[int]]
    writes: list[list[int]]


def _layout(op: Any) -> _Layout:
    states = op.n_mit_mot + op.n_mit_sot + op.n_sit_sot
    bounds = [*accumulate([1, op.n_seqs, states, op.n_shared_outs, op.n_nit_sot]), None]
    taps = [*map(len, op.tap_array), *[0] * op.n_nit_sot, *[1] * op.n_shared_outs]
    written = [*map(len, op.mit_mot_out_slices), *[1] * (len(taps) - op.n_mit_mot)]
    sequences, buffers, shared, lengths, others = (slice(*ends) for ends in pairwise(bounds))
    reads, writes = _runs(op.n_seqs, taps), _runs(0, written)
    return _Layout(sequences, buffers, shared, lengths, others, reads, writes)


def _runs(start: int, sizes: Sequence[int]) -> list[list[int]]:
    return [list(range(*ends)) for ends in pairwise(accumulate(sizes, initial=start))]


def _body(op: Any) -> inner.Inner:
    return inner.of(op, op.inputs, op.outputs, op.mode_instance)


def _other_inputs(op: Any) -> range:
    """Return the numbers of the inner inputs that are the same in every step."""
    count = len(op.inputs)
    return range(count - len(op.inner_non_seqs(op.inputs)), count)


def _static(node: Apply) -> Iterable[int]:
    op = node.op
    layout, others = _layout(op), _other_inputs(op)
    lengths = range(len(node.inputs))[layout.lengths]
    deciding = [layout.others.start + n - others.start for n in _body(op).static if n in others]
    return [*lengths, *deciding]


def _accepts(node: Apply) -> bool:
    mode = node.op.mode_instance
    if isinstance(mode, DebugMode) or isinstance(mode.linker, WrapLinker):
        return False
    body = _body(node.op)
    if body.host or any(n not in _other_inputs(node.op) for n in body.static):
        return False
    return not node.op.as_while or _keeps_only_the_last(node)


def _keeps_only_the_last(node: Apply) -> bool:
    """Tell whether no buffer is longer than what one step needs, so that the steps do not show."""
    op, layout = node.op, _layout(node.op)
    lags = [-min(taps) for taps in op.tap_array[op.n_mit_mot :]]
    buffers = node.inputs[layout.states][op.n_mit_mot :]
    lengths = [_length(one) for one in buffers] + [
        _number(one) for one in node.inputs[layout.lengths]
    ]
    lags += [0] * op.n_nit_sot
    return all(
        length is not None and length <= lag + 1 for length, lag in zip(lengths, lags, strict=True)
    )


def _length(buffer: Any) -> int | None:
    """Return the length of a state's buffer, 0 for a graph's input, None if it is not constant."""
    if isinstance(buffer, Constant):
        return int(buffer.data.shape[0])
    if buffer.broadcastable[0] or buffer.owner is None:
        return int(buffer.broadcastable[0])
    op, inputs = buffer.owner.op, buffer.owner.inputs
    if isinstance(op, tensor.IncSubtensor):
        return _length(inputs[0])
    if isinstance(op, tensor.AllocEmpty | tensor.Alloc):
        return _number(inputs[isinstance(op, tensor.Alloc)])
    return None


def _number(variable: Any) -> int | None:
    return int(variable.data) if isinstance(variable, Constant) else None


@lowers(Scan, static=_static, accepts=_accepts)
def scan(trace: Trace, node: Apply, *args: Any) -> Any:
    """Run the steps as a loop on the device; checks inside are asked for after it."""
    try:
        return _Loop(trace, node.op, args).run()
    except Misfit as why:
        trace.refuse(str(why))


class _Loop:
    """One scan being traced."""

    def __init__(self, trace: Trace, op: Any, args: Sequence[Any]) -> None:
        self.trace, self.op = trace, op
        self.body = _body(op)
        self.layout = _layout(op)
        others = args[self.layout.others]
        names = [self.body.inputs[n] for n in _other_inputs(op)]
        self.others = dict(zip(names, others, strict=True))
        self.known = int(args[0]) if is_known(args[0]) and not op.as_while else None
        self.tapes = self._tapes(args)
        self.steps = self._steps(args[0])
        self.has_checks = False

    def _steps(self, steps: Any) -> Any:
        """Return the number of steps: at least one, and rows for all of them."""
        limits = [
            one.entering.shape[0] - one.offset for one in self.tapes if one.entering is not None
        ]
        limit = min(limits, default=np.iinfo("int32").max)
        if is_known(steps):
            if not 0 < int(steps) <= limit:
                self.trace.refuse(f"{int(steps)} steps, of at most {limit}")
            return int(steps)
        fits = jnp.logical_and(steps > 0, steps <= limit)
        self.trace.check(fits)
        return jnp.where(fits, steps, 0).astype(np.int32)

    def _tapes(self, args: Sequence[Any]) -> list[Tape]:
        """Return a tape for each output, then those of the sequences."""
        op, layout = self.op, self.layout
        buffers, lengths, shared = (
            args[one] for one in (layout.states, layout.lengths, layout.shared)
        )
        ends = iter(zip(layout.reads, layout.writes, strict=True))
        tapes: list[Tape] = [
            Gradient(*next(ends), taps, out_taps, buffer)
            for taps, out_taps, buffer in zip(op.tap_array, op.mit_mot_out_slices, buffers)  # noqa: B905  # the first taps are theirs
        ]
        known = list(zip(op.tap_array, buffers, strict=True))[op.n_mit_mot :]
        tapes += [History(*next(ends), taps, one, one.shape[0], self.known) for taps, one in known]
        tapes += [History(*next(ends), (), None, int(one), self.known) for one in lengths]
        tapes += [Tape(*next(ends), one) for one in shared]
        if op.as_while and any(
            isinstance(one, History) and one.length > one.lag + 1 for one in tapes
        ):
            raise Misfit("the number of steps decides the length of an output")
        tapes += [Rows([n], one) for n, one in enumerate(args[layout.sequences])]
        return tapes

    def run(self) -> list[Any]:
        """Return the values of the Scan's outputs."""
        self._find_rows()
        helds = [one.first() for one in self.tapes]
        helds, buffers, holds, steps = (
            self._until(helds) if self.known is None else self._stacked(helds)
        )
        if self.has_checks:
            self.trace.check(holds)
        count = len(self.layout.reads)
        return [
            tape.finish(held, buffer, steps)
            for tape, held, buffer in zip(self.tapes[:count], helds, buffers, strict=False)
        ]

    def _find_rows(self) -> None:
        """Find the shapes of values that are held and have no initial value."""
        unknown = [one for one in self.tapes if isinstance(one, History) and one.needs_row]
        if not unknown:
            return

        def first_step() -> list[Any]:
            helds = [None if one in unknown else one.first() for one in self.tapes]
            rows = [
                None if one.entering is None else one.entering[one.offset] for one in self.tapes
            ]
            return self._results(helds, rows)[0]

        results = jax.eval_shape(first_step)
        for tape in unknown:
            result = results[tape.writes[0]]
            tape.row, tape.dtype = result.shape, result.dtype

    def _results(self, helds: list[Any], rows: list[Any]) -> tuple[list[Any], Any]:
        """Return the values of the inner graph's outputs, and whether what it checks holds."""
        values = dict(self.others)
        for tape, held, row in zip(self.tapes, helds, rows, strict=True):
            if tape.reads:
                names = [self.body.inputs[n] for n in tape.reads]
                values.update(zip(names, tape.read(held, row), strict=True))
        with self.trace.scope(values) as scope:
            results = [
                lax.convert_element_type(value, np.dtype(one.dtype))
                for one, value in zip(self.body.outputs, scope.run(self.body.outputs), strict=True)
            ]
            self.has_checks |= scope.has_checks
            return results, scope.holds()

    def _step(
        self, helds: list[Any], rows: list[Any], step: Any
    ) -> tuple[list[Any], list[Any], Any, Any]:
        """Return what is held, the rows that go out, whether checks hold, and whether to stop."""
        results, holds = self._results(helds, rows)
        written = [
            tape.write(held, row, [results[n] for n in tape.writes], step)
            for tape, held, row in zip(self.tapes, helds, rows, strict=True)
        ]
        stop = results[-1] != 0 if self.op.as_while else None
        return [one for one, _ in written], [one for _, one in written], holds, stop

    def _stacked(self, helds: list[Any]) -> tuple[list[Any], list[Any], Any, Any]:
        rows = [
            None if one.entering is None else one.entering[one.offset : one.offset + self.steps]
            for one in self.tapes
        ]

        def body(carry: Any, rows: list[Any]) -> tuple[Any, list[Any]]:
            step, holds, helds = carry
            helds, out, held_here, _ = self._step(helds, rows, step)
            return (step + 1, jnp.logical_and(holds, held_here), helds), out

        start = (jnp.zeros((), np.int32), jnp.ones((), bool), helds)
        (_, holds, helds), out = lax.scan(body, start, rows, length=self.steps)
        buffers = [
            None if one is None else tape.place(one)
            for tape, one in zip(self.tapes, out, strict=True)
        ]
        return helds, buffers, holds, self.steps

    def _until(self, helds: list[Any]) -> tuple[list[Any], list[Any], Any, Any]:
        def goes_on(carry: Any) -> Any:
            step, stop, holds, _, _ = carry
            return (step < self.steps) & ~stop & holds

        def body(carry: Any) -> Any:
            step, stop, holds, helds, buffers = carry
            rows = [
                None if one.entering is None else get_row(one.entering, step + one.offset)
                for one in self.tapes
            ]
            helds, out, held_here, stops = self._step(helds, rows, step)
            buffers = [
                buffer if buffer is None else put_row(buffer, row, step + tape.target_offset)
                for tape, buffer, row in zip(self.tapes, buffers, out, strict=True)
            ]
            stop = stop if stops is None else jnp.reshape(stops, ())
            return step + 1, stop, jnp.logical_and(holds, held_here), helds, buffers

        start = (jnp.zeros((), np.int32), jnp.zeros((), bool), jnp.ones((), bool), helds)
        targets = [one.target for one in self.tapes]
        steps, _, holds, helds, buffers = lax.while_loop(goes_on, body, (*start, targets))
        return helds, buffers, holds, steps
