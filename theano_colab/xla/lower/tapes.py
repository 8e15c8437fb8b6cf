"""What a scan carries from step to step: one tape for each sequence, state and output.

A tape gives a step the values that it reads (``reads``: numbers of the inner graph's inputs) and
takes what the step computes (``writes``: numbers of its outputs). It *holds* the last values that
later steps read. Rows come in one for each step (``entering``, from row ``offset`` on) and go out
one for each step; ``finish`` makes the buffer that Theano expects of what was held and of the rows
that went out. Steps never read what they write to a buffer, so XLA need not copy buffers.

Theano's code (scan_op.py, ``Scan.execute``) says what buffers mean: the first value that a step
computes is at ``-min(taps)``; a buffer too short for all values keeps the last ones, oldest first;
one that is too long ends with zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import lax

if TYPE_CHECKING:
    from collections.abc import Sequence


class Misfit(Exception):  # noqa: N818  # it is no error: the host goes on
    """The shapes are not what a loop of XLA can have."""


class Tape:
    """What all tapes have in common; this one alone holds a value that each step replaces."""

    #: Rows that come in, one for each step, from row ``offset`` on.
    entering: Any = None
    offset = 0
    #: What rows that go out are written into, from row ``target_offset`` on.
    target: Any = None
    target_offset = 0

    def __init__(self, reads: Sequence[int], writes: Sequence[int], value: Any = None) -> None:
        self.reads, self.writes = list(reads), list(writes)
        self._value = value

    def first(self) -> Any:
        """Return what is held before the first step."""
        return jnp.asarray(self._value)

    def read(self, held: Any, row: Any) -> list[Any]:
        """Return what a step reads."""
        return [held]

    def write(self, held: Any, row: Any, new: list[Any], step: Any) -> tuple[Any, Any]:
        """Return what is held after a step, and the row that goes out or None."""
        return fit(new[0], held.shape), None

    def place(self, rows: Any) -> Any:
        """Return the buffer with the rows that went out of all steps where they belong."""
        return rows

    def finish(self, held: Any, buffer: Any, steps: Any) -> Any:
        """Return the value of scan's output after so many steps."""
        return held


class Rows(Tape):
    """A sequence: each step reads its row."""

    def __init__(self, reads: Sequence[int], array: Any) -> None:
        super().__init__(reads, ())
        self.entering = jnp.asarray(array)

    def first(self) -> Any:
        """Hold nothing."""
        return ()

    def read(self, held: Any, row: Any) -> list[Any]:
        """Read the row."""
        return [row]

    def write(self, held: Any, row: Any, new: list[Any], step: Any) -> tuple[Any, Any]:
        """Write nothing."""
        return (), None


class History(Tape):
    """A mit-sot, sit-sot or nit-sot: values whose last ones (``taps``, all negative) steps read.

    ``length`` is the length of the buffer, ``initial`` a buffer that starts with the values before
    the first step, None for a nit-sot; ``row`` is the shape of one value, if it is known. ``steps``
    is None if the number of steps is not known.
    """

    def __init__(
        self,
        reads: Sequence[int],
        writes: Sequence[int],
        taps: Sequence[int],
        initial: Any,
        length: int,
        steps: int | None,
    ) -> None:
        super().__init__(reads, writes)
        self.taps, self.length = list(taps), length
        self.lag = -min(taps, default=0)
        if length < max(self.lag, 1):
            raise Misfit(f"a buffer of {length} for values {self.lag} steps ago")
        self.initial: Any = None if initial is None else jnp.asarray(initial)[: self.lag]
        self.row: Any = None if self.initial is None else self.initial.shape[1:]
        self.is_whole = steps is not None and length >= self.lag + steps
        self.is_ring = not self.is_whole and length > self.lag + 1
        self._steps = steps
        #: How many values are held, beside the ring.
        self._held = self.lag if self.is_whole or self.is_ring else max(self.lag, length)

    @property
    def needs_row(self) -> bool:
        """Whether ``row`` and ``dtype`` have to be set before ``first`` is called."""
        return self.row is None and not self.is_whole

    dtype: Any = None

    def first(self) -> Any:
        """Hold the initial values, and in place of older ones zeros that no one will read."""
        known = [] if self.initial is None else [self.initial[k] for k in range(self.lag)]
        missing = self._held - len(known)
        dtype = self.dtype if self.initial is None else self.initial.dtype
        values = [*[jnp.zeros(self.row, dtype) for _ in range(missing)], *known]
        if not self.is_ring:
            return values, None
        empty = jnp.zeros((self.length - self.lag, *self.row), dtype)
        ring = empty if self.initial is None else jnp.concatenate([self.initial, empty])
        return values, ring

    def read(self, held: Any, row: Any) -> list[Any]:
        """Read the values that the taps name."""
        return [held[0][tap] for tap in self.taps]

    def write(self, held: Any, row: Any, new: list[Any], step: Any) -> tuple[Any, Any]:
        """Take in the newest value."""
        values, ring = held
        value = new[0]
        if self.row is not None:
            value = fit(value, self.row)
        if self.is_ring:
            ring = put_row(ring, value, (step + self.lag) % self.length)
        return ([*values[1:], value] if values else values, ring), value if self.is_whole else None

    def place(self, rows: Any) -> Any:
        """Put the initial values before the rows, and zeros behind them."""
        left = self.length - self.lag - rows.shape[0]
        parts = [rows] if self.initial is None else [self.initial, rows]
        if left:
            parts.append(jnp.zeros((left, *rows.shape[1:]), rows.dtype))
        return parts[0] if len(parts) == 1 else jnp.concatenate(parts)

    def finish(self, held: Any, buffer: Any, steps: Any) -> Any:
        """Return the last values, oldest first."""
        values, ring = held
        if self.is_whole:
            return buffer
        if not self.is_ring:
            return jnp.stack(values[len(values) - self.length :])
        count = steps + self.lag
        return jnp.roll(ring, -jnp.where(count > self.length, count % self.length, 0), axis=0)


class Gradient(Tape):
    """A mit-mot: steps read and change a window of a buffer that moves one row each step.

    What enters the window is the buffer's, what leaves it is done.
    """

    def __init__(
        self,
        reads: Sequence[int],
        writes: Sequence[int],
        taps: Sequence[int],
        out_taps: Sequence[int],
        buffer: Any,
    ) -> None:
        super().__init__(reads, writes)
        self.taps, self.out_taps = list(taps), list(out_taps)
        self.buffer = self.target = jnp.asarray(buffer)
        length = self.buffer.shape[0]
        if not length:
            raise Misfit("an empty buffer")
        self.low = min([*taps, *out_taps])
        #: How many rows stay in the window from one step to the next.
        self.width = max([*taps, *out_taps]) - self.low
        self.target_offset = (-min(taps)) % length + self.low
        self.offset = self.target_offset + self.width
        if self.target_offset < 0:
            raise Misfit("a window that starts before the buffer")
        self.entering = self.buffer

    def first(self) -> Any:
        """Hold the rows of the first window but the last."""
        return [self.buffer[self.target_offset + k] for k in range(self.width)]

    def read(self, held: Any, row: Any) -> list[Any]:
        """Read the rows of the window that the taps name."""
        window = [*held, row]
        return [window[tap - self.low] for tap in self.taps]

    def write(self, held: Any, row: Any, new: list[Any], step: Any) -> tuple[Any, Any]:
        """Change rows of the window and move it."""
        window = [*held, row]
        for tap, value in zip(self.out_taps, new, strict=True):
            window[tap - self.low] = fit(value, row.shape)
        return window[1:], window[0]

    def place(self, rows: Any) -> Any:
        """Put the rows back into the buffer."""
        behind = self.target_offset + rows.shape[0]
        return jnp.concatenate([self.buffer[: self.target_offset], rows, self.buffer[behind:]])

    def finish(self, held: Any, buffer: Any, steps: Any) -> Any:
        """Put back what is left in the window."""
        for k, value in enumerate(held):
            buffer = put_row(buffer, value, steps + self.target_offset + k)
        return buffer


def fit(value: Any, shape: tuple[int, ...]) -> Any:
    """Return a value in another shape, as NumPy assigns smaller arrays to a buffer's rows.

    Raises
    ------
    Misfit
        If it cannot be: shapes that change from step to step are the host's.
    """
    if value.shape == shape:
        return value
    try:
        return jnp.broadcast_to(value, shape)
    except ValueError as error:
        raise Misfit(f"a value of shape {value.shape} for one of {shape}") from error


def put_row(buffer: Any, value: Any, number: Any) -> Any:
    """Return the buffer with another row ``number``."""
    return lax.dynamic_update_slice_in_dim(buffer, value[None], as_index(number), axis=0)


def get_row(buffer: Any, number: Any) -> Any:
    """Return row ``number`` of the buffer."""
    return lax.dynamic_index_in_dim(buffer, as_index(number), keepdims=False)


def as_index(number: Any) -> Any:
    """Return an integer that is not negative as XLA takes it without looking for a sign."""
    return jnp.asarray(number, np.uint32)
