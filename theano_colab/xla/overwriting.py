"""Which nodes write into a function argument, which only the host can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from theano import Apply


def overwriting(order: Iterable[Apply], given: Collection[Any]) -> set[Apply]:
    """Return the nodes that write into a ``given`` array, and the views that they write through.

    Before Theano's own in-place optimizations these are nodes that a user has asked for.
    """
    found: set[Apply] = set()
    for node in order:
        for places in (getattr(node.op, "destroy_map", None) or {}).values():
            for k in places:
                views = _views_of(node.inputs[k], given)
                if views is not None:
                    found |= {node, *views}
    return found


def _views_of(variable: Any, given: Collection[Any]) -> list[Apply] | None:
    """Return the nodes through which a variable is a view of a given array, None if it is not."""
    views: list[Apply] = []
    while variable not in given:
        node = variable.owner
        if node is None:
            return None
        seen = (getattr(node.op, "view_map", None) or {}).get(node.outputs.index(variable))
        if not seen:
            return None
        views.append(node)
        variable = node.inputs[seen[0]]
    return views
