"""What an op's index list says: which of its inputs stand for which part of which index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theano.gof import Type
from theano.tensor.subtensor import IncSubtensor, Subtensor

if TYPE_CHECKING:
    from theano import Apply


def bound_positions(node: Apply) -> dict[int, list[int]]:
    """Return, by entry of the index list, the numbers of the inputs that are its parts.

    Nothing, if the op has no index list.
    """
    if not isinstance(node.op, Subtensor | IncSubtensor):
        return {}
    found: dict[int, list[int]] = {}
    position = 1 if isinstance(node.op, Subtensor) else 2
    for entry, index in enumerate(node.op.idx_list):
        parts = (index.start, index.stop, index.step) if isinstance(index, slice) else (index,)
        for part in parts:
            if isinstance(part, Type):
                found.setdefault(entry, []).append(position)
                position += 1
    return found
