"""One display that is drawn over and over: a panel in a notebook's cell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from IPython.display import display

if TYPE_CHECKING:
    from collections.abc import Callable

# Often enough to look alive, seldom enough for a slow connection.
SECONDS_BETWEEN_UPDATES = 0.12


class Canvas:
    """A place in the output of the cell that first draws on it; any later code may draw again."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn = 0.0

    def draw(self, make: Callable[[], dict[str, Any]], *, final: bool) -> None:
        """Show a MIME bundle in place of the last one; one that comes too soon is not even made."""
        now = time.monotonic()
        if not final and now - self._drawn < SECONDS_BETWEEN_UPDATES:
            return
        content = make()
        # From the end of making it on: a slow machine is not kept busy with panels alone.
        self._drawn = time.monotonic()
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)
