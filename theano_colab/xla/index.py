"""What the indices of a Subtensor say: which of its inputs stand for which part of which index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theano.gof import Type
from theano.tensor.subtensor import Subtensor

if TYPE_CHECKING:
    from theano import Apply


def bound_positions(node: Apply) -> dict[int, list[int]]:
    """Return, by index entry of a Subtensor, the numbers of the inputs that its slice's bounds are."""
    if not isinstance(node.op, Subtensor):
        return {}
    found: dict[int, list[int]] = {}
    position = 1
    for entry, index in enumerate(node.op.idx_list):
        parts = (index.start, index.stop, index.step) if isinstance(index, slice) else (index,)
        for part in parts:
            if isinstance(part, Type):
                found.setdefault(entry, []).append(position)
                position += 1
    return found
