"""Which signatures of a cluster are compiled when they come, and which the host computes."""

from __future__ import annotations

from typing import Any

import theano

# Compiling so many takes about as long as building the host's code, which must be built for more.
AT_ONCE = 16
# A cluster that was compiled for so many computes all others on the host.
LIMIT = 128
# What the host has spent is remembered of so many.
REMEMBERED = 1024


class Signatures:
    """Decides of each signature, by what others have cost, whether the device or the host has it.

    The first ``AT_ONCE`` are compiled. A later one is left to the host until that has taken as long
    as compiling does on average, and compiled when it comes again. So sizes that do not come back
    are never compiled, and one that does costs at most twice the least (the ski rental problem;
    Karlin, Manasse, Rudolph and Sleator, "Competitive snoopy caching", Algorithmica 3, 1988).

    The host's results differ in their rounding, and when it stops depends on the clock:
    ``deterministic=more`` has all compiled, up to ``LIMIT``.
    """

    def __init__(self) -> None:
        self.is_crowded = False
        """Whether ``why_on_host`` must be asked; False while it would return None."""
        self.compile_seconds = 0.0
        self._compiled: set[Any] = set()
        self._refused: dict[Any, str] = {}
        self._host_seconds: dict[Any, float] = {}

    def why_on_host(self, signature: Any) -> str | None:
        """Return why the host computes this signature now, None if the device does."""
        if signature in self._refused:
            return self._refused[signature]
        if signature in self._compiled or len(self._compiled) < AT_ONCE:
            return None
        if len(self._compiled) >= LIMIT:
            return f"{LIMIT} signatures were compiled"
        if theano.config.deterministic == "more":
            return None
        spent = self._host_seconds.get(signature)
        if spent is not None and spent >= self.compile_seconds / len(self._compiled):
            return None
        return f"new after {AT_ONCE} other signatures, the host is sooner done than a compiler"

    def compiled(self, signature: Any) -> None:
        """Note that this one is compiled."""
        self._compiled.add(signature)
        self._host_seconds.pop(signature, None)
        self.is_crowded = self.is_crowded or len(self._compiled) >= AT_ONCE

    def refuse(self, signature: Any, why: str) -> None:
        """Note that the device cannot compute this one, whatever it costs."""
        self._refused[signature] = why
        self.is_crowded = True

    def spend(self, signature: Any, seconds: float) -> None:
        """Note that the host took so long for this one; forget what came longest ago."""
        self._host_seconds[signature] = self._host_seconds.pop(signature, 0.0) + seconds
        if len(self._host_seconds) > REMEMBERED:
            del self._host_seconds[next(iter(self._host_seconds))]
